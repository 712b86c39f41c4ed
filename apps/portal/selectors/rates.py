"""Exchange rates as people read them: which holds for each currency, what waits for a second person, and all that was recorded."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.access.selectors import scope
from apps.access.selectors.scope import Principal
from apps.approvals.selectors import requests
from apps.ledger.contracts import FX_RATE
from apps.ledger.selectors import rates
from apps.portal.contracts import Badge, Tone
from apps.portal.selectors import words

WAITING_MAX = 100


@dataclass(frozen=True, slots=True)
class StandingRate:
    """The rate of a currency that accounts are kept in; ``text`` is empty where none was ever recorded."""

    base: str
    quote: str
    text: str
    source: str
    as_of: datetime | None
    badge: Badge


@dataclass(frozen=True, slots=True)
class RateLine:
    """A rate as it was recorded: by whom, and who agreed where it was far from the last one."""

    pair: str
    text: str
    as_of: datetime
    source: str
    recorded_at: datetime
    recorded_by: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class WaitingRate:
    """A rate that is not recorded yet: another person decides."""

    id: UUID
    summary: str
    asked_by: str
    asked_at: datetime


def standing(*, now: datetime) -> tuple[StandingRate, ...]:
    """Return, for each foreign currency of the books, the rate that holds now and whether it is too old."""
    return tuple(_standing(own) for own in rates.standing(now=now))


def max_age() -> timedelta:
    """Return how old a rate may be."""
    return timedelta(days=rates.max_age_days())


def pairs() -> list[tuple[str, str]]:
    """Return the pairs of which a rate was recorded."""
    return sorted(set(rates.everything().order_by().values_list("base", "quote").distinct()))


def recorded(pair: str) -> QuerySet[Any]:
    """Return all rates, or the history of a pair that is written as USD/KES; of an unknown one there are none."""
    base, _slash, quote = pair.partition("/")
    return rates.everything(base, quote or ("" if not pair else "-"))


def lines(rows: Iterable[Any]) -> tuple[RateLine, ...]:
    """Return rates as the list shows them."""
    named = cache(words.actor)
    return tuple(
        RateLine(
            pair=f"{row.base}/{row.quote}",
            text=rates.read(row, row.base).text,
            as_of=row.as_of,
            source=row.source,
            recorded_at=row.created_at,
            recorded_by=named(row.created_by),
            approved_by=", ".join(named(one) for one in row.approved_by.split(", ") if one),
        )
        for row in rows
    )


def waiting(caller: Principal) -> tuple[WaitingRate, ...]:
    """Return the rates that wait for a second person, the oldest first."""
    named = cache(words.actor)
    found = requests.within(scope.branch_ids(caller), None).pending().filter(kind=FX_RATE.name)
    return tuple(
        WaitingRate(row.id, row.summary, named(row.requested_by), row.created_at)
        for row in found.order_by("id")[:WAITING_MAX]
    )


def _standing(own: rates.Standing) -> StandingRate:
    badges = {
        "": Badge(Tone.DONE, "check_circle", _("Holds")),
        rates.RateStale.code: Badge(Tone.HELD, "hourglass_bottom", _("Too old")),
        rates.RateMissing.code: Badge(Tone.FAILED, "cancel", _("Missing")),
    }
    rate = own.rate
    return StandingRate(
        base=own.base,
        quote=own.quote,
        text=rate.text if rate else "",
        source=rate.source if rate else "",
        as_of=rate.as_of if rate else None,
        badge=badges[own.problem],
    )
