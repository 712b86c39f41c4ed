"""Reading the money that waits in suspense: how long it has waited, and what of it came by our own requests."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, Sum, Value, When
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.access.selectors import memberships, scope
from apps.kit.models import is_key
from apps.kit.money import Money
from apps.payments.contracts import RESOLVE, InboundStatus
from apps.payments.models import InboundReceipt, PaymentAttempt, Refund
from apps.payments.models.attempt import PaymentAttemptQuerySet
from apps.payments.models.inbound import LEFT_STATES

DAY = timedelta(days=1)
NO_END = timedelta(days=366 * 200)


DECIDED, NOBODYS = "decided", "nobody"
"""Values of the queue's filters beside states and members: what waits no more, and what nobody looks after."""


@dataclass(frozen=True, slots=True)
class Age:
    """A bucket of ages: what arrived at most ``days`` whole days ago and is in no younger bucket."""

    key: str
    title: Promise
    days: int | None


AGES = (
    Age("0-1", _("Today and yesterday"), 1),
    Age("2-7", _("2 to 7 days"), 7),
    Age("8-30", _("8 to 30 days"), 30),
    Age("31", _("Over 30 days"), None),
)
"""By whole days of the organisation's zone since the money arrived."""


@dataclass(frozen=True, slots=True)
class AgeLine:
    """What waits in one bucket: how many, and how much of each currency."""

    age: Age
    count: int = 0
    sums: tuple[Money, ...] = ()


def standing(rows: QuerySet[InboundReceipt], state: str) -> QuerySet[InboundReceipt]:
    """
    Return those in one state, all that is left to decide for an empty text, or those that are decided.

    What the provider has not confirmed yet is left to decide too, though it is booked nowhere.
    """
    if state == DECIDED:
        return rows.exclude(status__in=LEFT_STATES)
    left = rows.filter(status__in=LEFT_STATES)
    return left.filter(status=state) if state else left


def owners() -> dict[str, Any]:
    """Return who may look after money in suspense, by the text that names him in a filter."""
    able = memberships.able(RESOLVE, branch_ids=())
    return {NOBODYS: _("Nobody's"), **{str(member.id): member.user.name for member in able}}


def of_owners(rows: QuerySet[InboundReceipt], names: Collection[str]) -> QuerySet[InboundReceipt]:
    """Return those that one of these looks after; what names no member is nobody's name."""
    members = [UUID(name) for name in names if is_key(name, InboundReceipt)]
    own = Q(owner_id__in=members)
    return rows.filter(own | Q(owner=None) if NOBODYS in names else own)


def of_age(rows: QuerySet[Any], key: str, *, field: str, now: datetime) -> QuerySet[Any]:
    """Return the rows whose ``field`` lies in a bucket; none for a key that names none."""
    keys = [age.key for age in AGES]
    if key not in keys:
        return rows.none()
    place = keys.index(key)
    begins = _begins(AGES[place], now)
    ends = _begins(AGES[place - 1], now) if place else now + NO_END
    return rows.filter(**{f"{field}__gte": begins, f"{field}__lt": ends})


def ages(rows: QuerySet[Any], *, field: str, amount: str, currency: str, now: datetime) -> Sequence[AgeLine]:
    """Return every bucket of the rows, the youngest first: one query."""
    cases = [When(**{f"{field}__gte": _begins(age, now)}, then=Value(age.key)) for age in AGES]
    counted = (
        rows.order_by()
        .annotate(bucket=Case(*cases, output_field=CharField()))
        .values("bucket", currency)
        .annotate(count=Count("pk"), total=Sum(amount))
        .order_by(currency)
    )
    found = {age.key: AgeLine(age) for age in AGES}
    for row in counted:
        line = found[row["bucket"]]
        sums = (*line.sums, Money(int(row["total"]), row[currency]))
        found[row["bucket"]] = AgeLine(line.age, line.count + row["count"], sums)
    return list(found.values())


def _begins(age: Age, now: datetime) -> datetime:
    """Return the first instant of a bucket."""
    if age.days is None:
        return now - NO_END
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - age.days * DAY


def found_by(attempts: QuerySet[PaymentAttempt], term: str) -> QuerySet[PaymentAttempt]:
    """Return those that a receipt names exactly, or the code or reference of the payment; all of them for an empty term."""
    term = term.strip()
    named = Q(provider_receipt=term.upper()) | Q(code=term.upper())
    return attempts.filter(named | Q(intent__reference=term)) if term else attempts


def of_payments(caller: scope.Principal) -> PaymentAttemptQuerySet:
    """Return the attempts of the caller whose money waits in suspense, each with its payment, branch and account."""
    rows = within(scope.branch_ids(caller), scope.application_ids(caller))
    return rows.select_related("intent", "branch", "provider_account")


def within(
    branch_ids: Collection[UUID] | None, application_ids: Collection[UUID] | None
) -> PaymentAttemptQuerySet:
    """
    Return the attempts whose money waits in suspense: late money, money of another sum, and money for a payment that was
    paid. Of these branches and applications; None means all.

    Money that came unasked and is on its way back, or came back from there, is that of its receipt and not here.
    """
    carried = InboundReceipt.objects.filter(attempt_id=OuterRef("id"), status=InboundStatus.GIVING_BACK)
    let_go = Refund.objects.filter(attempt_id=OuterRef("id"), attempt__provider_receipt="")
    rows = PaymentAttempt.objects.in_suspense().filter(~Exists(carried), ~Exists(let_go))
    if branch_ids is not None:
        rows = rows.filter(branch_id__in=branch_ids)
    if application_ids is not None:
        rows = rows.filter(application_id__in=application_ids)
    return rows
