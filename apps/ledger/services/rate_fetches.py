"""Fetching rates: ask each source, record what it says, and say loudly what did not come or cannot be."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction

from apps.approvals.services.requests import RequestPending
from apps.audit.services import records
from apps.events.services import outbox
from apps.integrations.ports import ProviderError, RateRow, RateSheet
from apps.integrations.services import rate_sources
from apps.kit import jobs, logs, money
from apps.kit.actors import PROVIDER, Actor
from apps.ledger import events
from apps.ledger.selectors import rates as stored
from apps.ledger.services import rates

log = logs.get(__name__)


class Taken(StrEnum):
    """What became of one row; UNKNOWN is a currency that is not handled here."""

    RECORDED = "recorded"
    REPEATED = "repeated"
    WAITING = "waiting"
    REFUSED = "refused"
    CONTRADICTED = "contradicted"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"


TROUBLES = (Taken.REFUSED, Taken.CONTRADICTED, Taken.UNREADABLE)
NOT_TAKEN: dict[type[Exception], Taken] = {
    rates.RateContradicts: Taken.CONTRADICTED,
    rates.RateInvalid: Taken.REFUSED,
    rates.RateRuleMissing: Taken.REFUSED,
    rates.RateRefused: Taken.REFUSED,
    RequestPending: Taken.WAITING,
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a source gave; ``trouble`` is a code where something of it, or all, was not to be had."""

    source: str
    rows: Counter[Taken] = field(default_factory=Counter)
    trouble: str = ""
    detail: str = ""


@transaction.atomic
def request(*, actor: Actor, reason: str, now: datetime) -> list[str]:
    """Have every source asked by a worker once this is committed; return their names."""
    sources = rate_sources.configured()
    records.write(
        action="fx_rates.fetch_requested",
        object_type=events.FX_SOURCE,
        object_id=", ".join(sources) or "none",
        actor=actor,
        now=now,
        reason=reason,
    )
    jobs.enqueue("ledger.fetch_rates_organisation")
    return sources


def fetch_all(*, now: datetime) -> list[Fetched]:
    """Ask every source that an address is set for."""
    return [fetch(source=source, now=now) for source in rate_sources.configured()]


def fetch(*, source: str, now: datetime) -> Fetched:
    """
    Ask a source and record what it says, each rate by itself: one that cannot be stops no other.

    Whatever is wrong is logged and published as ``fx_rates_troubled``. Safe to repeat. Raises SourceUnknown, and refuses to
    stand in a transaction.
    """
    port = rate_sources.port(source)
    try:
        sheet = port.fetch()
    except ProviderError as refusal:
        return _told(Fetched(source, trouble=refusal.code, detail=refusal.message), now=now)
    taken, said = Counter({Taken.UNREADABLE: sheet.unreadable}), ""
    for row in sheet.rows:
        outcome, detail = _take(row, source=source.upper(), now=now)
        taken[outcome] += 1
        said = said or (detail if outcome in TROUBLES else "")
    trouble, detail = _judge(sheet, taken, now=now)
    return _told(Fetched(source, +taken, trouble, said or detail), now=now)


def _take(row: RateRow, *, source: str, now: datetime) -> tuple[Taken, str]:
    """Record one row; return what became of it, and why where it was not taken."""
    if not {row.base, row.quote} <= money.EXPONENTS.keys():
        return Taken.UNKNOWN, ""
    try:
        recorded = rates.record(
            base=row.base,
            quote=row.quote,
            rate=row.rate,
            as_of=row.as_of,
            source=source,
            actor=PROVIDER,
            now=now,
        )
    except tuple(NOT_TAKEN) as refusal:
        return NOT_TAKEN[type(refusal)], f"{row.base}/{row.quote}: {refusal}"
    if recorded.rate_id is None:
        return Taken.WAITING, ""
    return (Taken.REPEATED if recorded.is_replay else Taken.RECORDED), ""


def _judge(sheet: RateSheet, taken: Counter[Taken], *, now: datetime) -> tuple[str, str]:
    """Return what is wrong with a sheet as a code and a sentence, or two empty texts."""
    if not sheet.rows:
        return "rates_missing", "There is no rate in the answer."
    youngest = max(row.as_of for row in sheet.rows)
    if now - youngest > timedelta(days=stored.max_age_days()):
        return "rates_late", f"The last rates are of {youngest:%Y-%m-%d}."
    wrong = [f"{taken[outcome]} {outcome}" for outcome in TROUBLES if taken[outcome]]
    return ("rates_incomplete", ", ".join(wrong)) if wrong else ("", "")


@transaction.atomic
def _told(fetched: Fetched, *, now: datetime) -> Fetched:
    if fetched.trouble:
        log.warning(
            "fx_rates_troubled",
            source=fetched.source,
            code=fetched.trouble,
            detail=fetched.detail,
            **{outcome.value: count for outcome, count in fetched.rows.items()},
        )
        event = events.rates_troubled(fetched.source, reason=fetched.trouble, detail=fetched.detail)
        outbox.publish(event, now=now)
    return fetched
