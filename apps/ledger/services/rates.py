"""Rates: recorded as somebody said them, once; one that is far from the last waits for a second person."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Q

from apps.access.selectors import applications, branches
from apps.approvals.contracts import ApprovalStatus, Decided, Named, NewRequest, payload_hash
from apps.approvals.selectors import requests as asked
from apps.approvals.services import requests
from apps.audit.services import records
from apps.integrations.services import rate_sources
from apps.kit import errors, ids, locks, money
from apps.kit.actors import PROVIDER, Actor
from apps.kit.errors import FieldError
from apps.ledger.contracts import FX_RATE
from apps.ledger.models import FxRate
from apps.ledger.models.fx_rate import RATE_MAX
from apps.ledger.selectors import rates as stored

OBJECT = "fx_rate"
FAR = Fraction(5, 100)
"""A rate that differs by more than this from what it is measured against is taken over by two people only."""
DAY = timedelta(days=1)
DECIMALS = 18
FIRST_YEAR = 1970
SOURCE_MAX = 40
NAMESPACE = UUID("6f0d0f0e-5b0a-5d6c-9a55-1f7a3c1d8e24")


class RateInvalid(errors.Invalid):
    """What was given can be no exchange rate."""

    code = "fx_rate_invalid"
    title = "Exchange rate not valid"


class RateContradicts(errors.DomainError):
    """The source is known to have said another rate for the same time."""

    code = "fx_rate_contradicts"
    title = "Another rate is recorded"


class RateRuleMissing(errors.DomainError):
    """The rate is far from the last one, and no approval rule says who may agree to it."""

    code = "fx_rate_rule_missing"
    title = "Nobody may approve this rate"


class RateRefused(errors.DomainError):
    """Other people have refused this very rate of this source and time."""

    code = "fx_rate_refused"
    title = "Rate was refused"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a rate: it is recorded (``rate_id``) or waits for approval (``approval_id``)."""

    rate_id: UUID | None = None
    approval_id: UUID | None = None
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class _Said:
    """One unit of ``base`` is ``rate`` of ``quote``, as ``source`` said at ``as_of``."""

    base: str
    quote: str
    rate: Decimal
    as_of: datetime
    source: str

    @property
    def subject_id(self) -> UUID:
        """What the approval is about: the same rate of the same source and time, whatever it is."""
        said_at = self.as_of.astimezone(UTC).isoformat()
        return uuid5(NAMESPACE, f"{self.base}/{self.quote} {said_at} {self.source}")

    @property
    def text(self) -> str:
        return f"1 {self.base} = {_text(self.rate)} {self.quote}"

    def payload(self) -> dict[str, str]:
        return {
            "base": self.base,
            "quote": self.quote,
            "rate": _text(self.rate),
            "as_of": self.as_of.astimezone(UTC).isoformat(),
            "source": self.source,
        }


def require_own_source(source: str) -> None:
    """Raise RateInvalid for a source that the treasury asks itself: nobody else speaks for it."""
    if source.strip().lower() in rate_sources.SOURCES:
        raise _invalid("/source", f"{source} is asked by the treasury itself. Name your own source.")


def parsed(text: str) -> Decimal:
    """Read a rate that somebody wrote; raise RateInvalid for what is no number."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise _invalid("/rate", f"{text!r} is no rate; write it as 129.4567.") from None


@transaction.atomic
def record(  # noqa: PLR0913 (a rate has that many facts, each by keyword)
    *,
    base: str,
    quote: str,
    rate: Decimal,
    as_of: datetime,
    source: str,
    actor: Actor,
    now: datetime,
    reason: str = "",
    application_id: UUID | None = None,
) -> Recorded:
    """
    Record that ``source`` said at ``as_of`` that one unit of ``base`` is ``rate`` units of ``quote``.

    The same again is a replay. A rate that is more than 5 % off the last ones of the pair (see ``_distance``), in either direction, is not
    recorded: it waits for other people, by the approval rules. The first rate of a pair has nothing to be compared with.
    ``application_id`` is whose request that is, the portal's unless told.
    Raises RateInvalid, which names the field, RateContradicts, RateRuleMissing, RateRefused, and RequestPending where
    another rate of the same source and time waits.
    """
    said = _Said(base, quote, rate, as_of, source.strip())
    _check(said, now=now)
    locks.advisory(f"ledger:fx_rate:{min(base, quote)}:{max(base, quote)}")
    known = _known(said)
    if known is not None:
        return Recorded(rate_id=known.id, is_replay=True)
    far = _distance(said)
    if far is None or abs(far) <= FAR:
        return Recorded(rate_id=_insert(said, actor=actor, reason=reason, now=now).id)
    return _ask(said, far, application_id=application_id, actor=actor, now=now)


@transaction.atomic
def decide(*, decided: Decided, now: datetime) -> FxRate | None:
    """
    Record a rate that other people have agreed to, in the name of who asked; return None where they have not.

    A repeat changes nothing, and neither does an agreement to what the source is known by now to have said otherwise.
    """
    if decided.status != ApprovalStatus.APPROVED:
        return None
    request = asked.within(None, None).get(id=decided.request_id)
    payload = asked.present_version(request).payload
    said = _Said(
        payload["base"],
        payload["quote"],
        Decimal(payload["rate"]),
        datetime.fromisoformat(payload["as_of"]),
        payload["source"],
    )
    locks.advisory(f"ledger:fx_rate:{min(said.base, said.quote)}:{max(said.base, said.quote)}")
    try:
        known = _known(said)
    except RateContradicts:
        return None
    if known is not None:
        return known
    return _insert(said, actor=asked.maker_of(request), approved_by=asked.approvers(request), now=now)


def _ask(said: _Said, far: Fraction, *, application_id: UUID | None, actor: Actor, now: datetime) -> Recorded:
    percent = f"{float(abs(far) * 100):.1f} % {'above' if far > 0 else 'below'} the last one"
    before = asked.within(None, None).filter(kind=FX_RATE.name, subject_id=said.subject_id)
    if before.filter(status=ApprovalStatus.REFUSED, payload_hash=payload_hash(said.payload())).exists():
        raise RateRefused(f"{said.text} of {said.source} is {percent}, and was refused before.")
    is_replay = before.pending().exists()
    request = requests.submit(
        request=NewRequest(
            kind=FX_RATE,
            subject_id=said.subject_id,
            subject_reference=f"{said.base}/{said.quote} {said.as_of:%Y-%m-%d}",
            payload=said.payload(),
            names=[
                Named(OBJECT, ids.encode(stored.PREFIX, row.id), made_by=row.created_by)
                for row in _named(said)
            ],
            branch_id=branches.head_office().id,
            application_id=application_id or applications.portal().id,
            summary=f"Rate {said.text} of {said.source}: {percent}",
        ),
        actor=actor,
        now=now,
    )
    if request is None:
        raise RateRuleMissing(f"{said.text} is {percent}. Make an approval rule for exchange rates first.")
    return Recorded(approval_id=request.id, is_replay=is_replay)


def _insert(said: _Said, *, actor: Actor, now: datetime, approved_by: str = "", reason: str = "") -> FxRate:
    row = FxRate.objects.create(
        base=said.base,
        quote=said.quote,
        rate=said.rate,
        as_of=said.as_of,
        source=said.source,
        created_by=str(actor),
        approved_by=approved_by,
        created_at=now,
    )
    records.write(
        action="fx_rate.recorded",
        object_type=OBJECT,
        object_id=ids.encode(stored.PREFIX, row.id),
        actor=actor,
        now=now,
        changes={"rate": [None, said.text], "approved_by": [None, approved_by]},
        reason=reason,
    )
    return row


def _known(said: _Said) -> FxRate | None:
    """Return the row of the same source and time; raise RateContradicts where it says something else."""
    row = FxRate.objects.filter(
        base=said.base, quote=said.quote, as_of=said.as_of, source=said.source
    ).first()
    if row is not None and row.rate != said.rate:
        raise RateContradicts(
            f"{said.source} is recorded with 1 {said.base} = {_text(row.rate)} {said.quote} for "
            f"{said.as_of:%Y-%m-%d %H:%M}. A rate is not corrected: record a later one."
        )
    return row


def _distance(said: _Said) -> Fraction | None:
    """
    Return by which part the rate differs from what it is measured against, and that by which it differs most.

    That is the last one before it, every one of the day before it, and the last one that a source was asked for or other
    people agreed to, or the first of all: whoever writes rates alone does not move them far in small steps. Where there is
    none before it, it is the next one.
    """
    parts = [Fraction(said.rate) / stored.read(row, said.base).ratio - 1 for row in _measures(said)]
    return max(parts, key=abs, default=None)


def _measures(said: _Said) -> set[FxRate]:
    """Return the rates that this one is measured against."""
    rows = stored.of_pair(said.base, said.quote)
    before = rows.filter(as_of__lte=said.as_of).order_by("-as_of", "-id")
    trusted = before.filter(Q(created_by=str(PROVIDER)) | ~Q(approved_by="")).first() or before.last()
    against = {row for row in (before.first(), trusted, *before.filter(as_of__gt=said.as_of - DAY)) if row}
    return against or {row for row in (rows.order_by("as_of", "id").first(),) if row}


def _named(said: _Said) -> set[FxRate]:
    """Return what a decision rests on: the rates that it is measured against, and the last one of the same source."""
    last = stored.of_pair(said.base, said.quote).filter(source=said.source).order_by("-as_of", "-id").first()
    return _measures(said) | ({last} if last else set())


def _check(said: _Said, *, now: datetime) -> None:
    for field, currency in (("/base", said.base), ("/quote", said.quote)):
        if currency not in money.EXPONENTS:
            raise _invalid(field, f"{currency!r} is not a currency that is handled here.")
    if said.base == said.quote:
        raise _invalid("/quote", "A rate is of two currencies.")
    if not isinstance(said.rate, Decimal) or not said.rate.is_finite() or not 0 < said.rate <= RATE_MAX:
        raise _invalid("/rate", f"A rate is a decimal number above 0 and at most {RATE_MAX:,}.")
    if -int(said.rate.as_tuple().exponent) > DECIMALS:
        raise _invalid("/rate", f"A rate has at most {DECIMALS} decimals.")
    if said.as_of.tzinfo is None or said.as_of.year < FIRST_YEAR or said.as_of > now:
        raise _invalid(
            "/as_of", f"A rate is of an instant that has passed, of {FIRST_YEAR} or later, with its zone."
        )
    if not 0 < len(said.source) <= SOURCE_MAX or not said.source.isprintable():
        raise _invalid("/source", f"A source is one line of 1 to {SOURCE_MAX} characters.")


def _text(rate: Decimal) -> str:
    """Return a rate with all its digits and no zeros behind them; ``normalize`` would round a long one."""
    text = f"{rate:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _invalid(pointer: str, message: str) -> RateInvalid:
    return RateInvalid(message, errors=[FieldError(pointer, RateInvalid.code, message)])
