"""Splits: several deeds within a time that belong together are judged by their whole sum."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from apps.approvals.contracts import CountedBy
from apps.approvals.models import ApprovalRequest, ApprovalRule, CountedDeed, SplitPart
from apps.approvals.selectors import rules, splits
from apps.approvals.services import strictness
from apps.approvals.services.strictness import Step
from apps.kit import locks
from apps.kit.money import Money

LISTED = 50
"""So many of the other parts are kept beside a request, the latest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What is about to be asked for, and what it may belong together by."""

    kind: str
    subject_id: UUID
    subject_reference: str
    branch_id: UUID
    application_id: UUID
    person: str
    counterparty: str
    money: Money | None

    def value_of(self, by: CountedBy) -> str:
        """Return what deeds of the same kind have to agree in; empty where nothing is known of it."""
        return {
            CountedBy.COUNTERPARTY: self.counterparty,
            CountedBy.PERSON: self.person,
            CountedBy.APPLICATION: str(self.application_id),
        }[by]


@dataclass(frozen=True, slots=True)
class Weighed:
    """The rule and the steps that a deed falls under, and the other deeds for which it needs more than by itself."""

    rule: ApprovalRule | None
    steps: Sequence[Step]
    others: Sequence[CountedDeed] = field(default=())


def digest(counterparty: str) -> str:
    """Return what is kept of a counterparty: enough to know him again."""
    return hashlib.sha256(counterparty.encode()).hexdigest() if counterparty else ""


def weigh(deed: Deed, *, now: datetime) -> Weighed:
    """
    Return what a deed needs: by its own sum, and by that of all that belongs together with it within a rule's window.

    A window counts from where its rule's band begins on, and beyond that band as well: the whole sum needs what a single deed
    of it would need; where no rule is for so large a sum, that rule holds. Deeds that belong together wait for each other until
    the transaction ends, so that two at once do not both pass under a band; a window that is being made waits for the deeds
    that did not see it, and deeds for the window.
    """
    if deed.money is not None:
        locks.advisory(_windows(deed.kind), shared=True)
    rule = rules.matching(kind=deed.kind, money=deed.money, branch_id=deed.branch_id)
    weighed = Weighed(rule, rules.steps_of(rule) if rule else ())
    if deed.money is None:
        return weighed
    windows = [
        (hours, by)
        for hours, by in rules.windows(kind=deed.kind, money=deed.money, branch_id=deed.branch_id)
        if deed.value_of(by)
    ]
    for name in sorted({f"approvals:split:{deed.kind}:{by}:{deed.value_of(by)}" for _, by in windows}):
        locks.advisory(name)
    for hours, by in windows:
        weighed = _with_others(weighed, deed, deed.money, hours, by, now=now)
    return weighed


def begin_window(kind: str) -> None:
    """Wait until each deed of a kind that is being asked for is there to be counted, and let others wait until the window is."""
    locks.advisory(_windows(kind))


def _windows(kind: str) -> str:
    return f"approvals:windows:{kind}"


def _with_others(
    weighed: Weighed, deed: Deed, money: Money, hours: int, by: CountedBy, *, now: datetime
) -> Weighed:
    others = splits.together(
        kind=deed.kind,
        by=by,
        value=deed.value_of(by),
        money=money,
        since=now - timedelta(hours=hours),
        but=deed.subject_id,
    )
    whole = money + splits.total(others, money)
    counting = rules.reached(kind=deed.kind, money=whole, branch_id=deed.branch_id, hours=hours, by=by)
    if counting is None:
        return weighed
    rule = rules.matching(kind=deed.kind, money=whole, branch_id=deed.branch_id) or counting
    steps = strictness.together(weighed.steps, rules.steps_of(rule))
    if steps is weighed.steps:
        return weighed
    return Weighed(rule, steps, (*weighed.others, *others.order_by("-id")[:LISTED]))


def count(deed: Deed, *, request: ApprovalRequest | None, now: datetime) -> None:
    """Keep a deed with a sum for those that come after it, also for a window that is made later; a repeat changes nothing."""
    if deed.money is None:
        return
    row = CountedDeed(
        kind=deed.kind,
        subject_id=deed.subject_id,
        subject_reference=deed.subject_reference,
        request=request,
        application_id=deed.application_id,
        person=deed.person,
        counterparty=deed.counterparty,
        amount_minor=deed.money.minor,
        currency=deed.money.currency,
        created_at=now,
    )
    CountedDeed.objects.bulk_create([row], ignore_conflicts=True)


def keep(request: ApprovalRequest, others: Sequence[CountedDeed]) -> None:
    """Keep beside the present version what it was counted together with."""
    SplitPart.objects.bulk_create(
        [
            SplitPart(request=request, payload_version=request.payload_version, deed=deed)
            for deed in {deed.id: deed for deed in others}.values()
        ]
    )
