"""Movements that a provider lists: each meets what it is of, which the provider is asked about; the rest is for people."""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from apps.integrations.ports import Nudge, NudgeKind, StatementRow
from apps.integrations.selectors import accounts
from apps.kit import jobs
from apps.payments.contracts import RefundStatus
from apps.payments.contracts.listed import ListedMatter
from apps.payments.models import Dispute, PaymentAttempt
from apps.payments.services import evidence, listed_movements, webhooks

if TYPE_CHECKING:
    from apps.integrations.models import ProviderAccount


def take(*, account: "ProviderAccount", row: StatementRow, now: datetime) -> None:
    """
    Follow a row of the list of an account, which is read once for all of them. Safe to repeat.

    Where the provider can be asked (the row has a nudge) the row settles nothing: what it is of is asked after, unless that
    is known, and the answer decides. What is of nothing that we know, a fee that differs from the one that is booked, and a movement of another
    kind are kept for people (``ListedMovement``); money that came for nobody goes to suspense. A row of a few minutes that nothing
    explains waits for the next reading: it may have overtaken us. Of several accounts that are one at the provider, the one
    of the row's currency takes it, else the first. Where it cannot be asked, see ``evidence.take``.
    """
    if row.nudge is None:
        evidence.take(account_id=account.id, row=row, now=now)
    elif _is_of(account, row):
        _follow(account, row, row.nudge, now)


@transaction.atomic
def _follow(account: "ProviderAccount", row: StatementRow, nudge: Nudge, now: datetime) -> None:
    follow = FOLLOWED.get(nudge.kind)
    if follow is None:
        listed_movements.keep(account.id, row, ListedMatter.OTHER, now=now)
        return
    try:
        follow(account, row, nudge, now)
    except webhooks.NotYetMatched:
        if row.at is None or row.at + webhooks.MATCHED_WITHIN <= now:
            listed_movements.keep(account.id, row, ListedMatter.NOBODYS, now=now)


def _is_of(account: "ProviderAccount", row: StatementRow) -> bool:
    """Say whether the row is this account's, where the provider lists the movements of several in one."""
    own = list(accounts.alike(account).order_by("id").values_list("currency", "id"))
    return dict(reversed(own)).get(row.money.currency, own[0][1]) == account.id


def _collection(account: "ProviderAccount", row: StatementRow, nudge: Nudge, now: datetime) -> None:
    """Have a payment asked about that is not booked whole; compare the fee of one that is."""
    own = PaymentAttempt.objects.filter(provider_account__in=accounts.alike(account))
    attempt = own.bearing(row.receipt, provider=account.provider).first()
    attempt = attempt or webhooks.found_attempt(account, nudge)
    if attempt is None:
        _nobodys(account, row, now)
        return
    if not attempt.is_booked or attempt.is_incomplete:
        webhooks.FOLLOWED[NudgeKind.COLLECTION](account, nudge, now)
    elif attempt.provider_receipt != row.receipt:
        _arrived(account, row, reference=attempt.code, now=now)
    elif listed_movements.differs(attempt, row.fee):
        listed_movements.keep(account.id, row, ListedMatter.FEE_DIFFERS, attempt=attempt, now=now)


def _nobodys(account: "ProviderAccount", row: StatementRow, now: datetime) -> None:
    """Put money aside that is of no payment here, in the account's currency; what else is nobody's is shown."""
    if row.at is not None and now < row.at + webhooks.MATCHED_WITHIN:
        return
    if row.is_in and row.money.currency == account.currency:
        _arrived(account, row, reference="", now=now)
    else:
        listed_movements.keep(account.id, row, ListedMatter.NOBODYS, now=now)


def _arrived(account: "ProviderAccount", row: StatementRow, *, reference: str, now: datetime) -> None:
    """Record money that came beside every payment; ``reference`` is the code of the one that was paid otherwise."""
    evidence.take(account_id=account.id, row=dataclasses.replace(row, reference=reference), now=now)


def _refund(account: "ProviderAccount", row: StatementRow, nudge: Nudge, now: datetime) -> None:
    """Have a refund asked about whose end is not known here, and one that went out and comes back."""
    refund = webhooks.found_refund(account, nudge)
    if refund is not None and refund.status == RefundStatus.SUCCEEDED and not row.is_in:
        return
    webhooks.FOLLOWED[NudgeKind.REFUND](account, nudge, now)


def _dispute(account: "ProviderAccount", row: StatementRow, nudge: Nudge, now: datetime) -> None:
    """Have a dispute asked about that the row is younger than, or that is not known; without its handle, the list of disputes."""
    kept = Dispute.objects.filter(provider_account__in=accounts.alike(account))
    named = (
        kept.filter(ticket=nudge.ticket)
        if nudge.ticket
        else kept.filter(attempt__provider_receipt=row.receipt)
    )
    known = list(named.values_list("ticket", "reported_at"))
    for ticket, reported_at in known:
        if row.at is None or reported_at <= row.at:
            webhooks.FOLLOWED[NudgeKind.DISPUTE](account, dataclasses.replace(nudge, ticket=ticket), now)
    if not known and nudge.ticket:
        webhooks.FOLLOWED[NudgeKind.DISPUTE](account, nudge, now)
    elif not known:
        jobs.enqueue("payments.list_disputes_organisation", account_id=account.id)


FOLLOWED: dict[NudgeKind, Callable[["ProviderAccount", StatementRow, Nudge, datetime], None]] = {
    NudgeKind.COLLECTION: _collection,
    NudgeKind.DISPUTE: _dispute,
    NudgeKind.REFUND: _refund,
}
"""What is done about each kind of row; what stands here not is kept for people."""
