"""Transfers: order one, send it, ask after it, and take it back where nothing was moved."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.access.selectors import limits as amount_limits
from apps.approvals.contracts import ApprovalStatus, Decided, payload_hash
from apps.approvals.services import requests
from apps.audit.services import records
from apps.disbursements import events, postings
from apps.disbursements.contracts import NewTransfer, TransferStatus
from apps.disbursements.models import ConnectedAccount, Transfer
from apps.disbursements.services import connected_accounts, orders, transfer_approvals, transfer_limits
from apps.events.services import outbox
from apps.integrations.ports import ProviderDeclined, TransferReport, TransferRequest
from apps.integrations.selectors import accounts
from apps.integrations.services import providers
from apps.kit import errors, ids, jobs, logs
from apps.kit.actors import PROVIDER, Actor
from apps.kit.money import Money
from apps.ledger.selectors import transactions
from apps.ledger.services import journals, reversals
from apps.ledger.services.refusals import AlreadyReversed

VOID = "Something else was approved than was asked for."
ANSWERED = "The provider has answered."
NOT_MADE = "The transfer was not made: what was on its way is owed again."

logger = logs.get(__name__)


@transaction.atomic
def order(*, request: NewTransfer, actor: Actor, now: datetime) -> Transfer:
    """
    Ask for a party to be paid what we owe it in a branch. It is booked as on its way at once, and the provider is told by a
    worker after the commit, or once other people have approved where a rule asks for that. What is asked for under a ``nonce``
    that made a transfer to this account returns that one.

    Raises NotFound, AccountNotEnabled, TransferCurrencyWrong, TransferTooSmall, ReferenceMissing, DuplicateSuspected, NotOwed or
    LimitExceeded, and then nothing is written. Locks the party's connected accounts, then what is owed.
    """
    account = connected_accounts.locked_of_party(request.connected_account_id)
    before = _made_before(account, request.nonce)
    if before is not None:
        return before
    transfer_limits.check(account, request.money, request.reference)
    if not request.force:
        transfer_limits.require_no_repeat(account, request, now=now)
    amount_limits.require_may_ask(actor=actor, money=request.money, field=transfer_limits.AMOUNT)
    transfer = Transfer(
        connected_account=account,
        branch_id=request.branch_id,
        application_id=request.application_id,
        provider=account.provider,
        provider_account=account.provider_account,
        code=ids.code(),
        amount_minor=request.money.minor,
        currency=request.money.currency,
        reference=request.reference.strip(),
        created_by=str(actor),
        created_at=now,
        next_request_at=now,
        nonce=request.nonce,
    )
    approval = requests.submit(request=transfer_approvals.asked(transfer), actor=actor, now=now)
    if approval is not None:
        transfer.await_approval(approval_id=approval.id)
    transfer.save(force_insert=True)
    _audit_request(transfer, force=request.force, actor=actor, now=now)
    outbox.publish(events.about(events.TRANSFER_REQUESTED, transfer), now=now)
    _send_when_due(transfer)
    try:
        # The last step: what is owed stays locked until the commit.
        journals.post(draft=postings.order(transfer), actor=actor, now=now)
    except journals.LimitExceeded as refusal:
        raise transfer_limits.NotOwed(refusal.detail) from None
    transfer_limits.check_owed(transfer)
    return transfer


def _made_before(account: ConnectedAccount, nonce: UUID | None) -> Transfer | None:
    if nonce is None:
        return None
    return Transfer.objects.filter(connected_account=account, nonce=nonce).first()


@transaction.atomic
def decide(*, decided: Decided, now: datetime) -> Transfer:
    """
    Do what other people decided of a transfer that waited for them: send it, or cancel it and owe the party its money again.

    Only a decision about this very transfer counts: one about another sum or account cancels it. A repeat changes nothing.
    Raises NotFound.
    """
    transfer = locked(decided.subject_id)
    if transfer.status != TransferStatus.AWAITING_APPROVAL or transfer.approval_id != decided.request_id:
        return transfer
    if decided.status != ApprovalStatus.APPROVED:
        return _cancelled(transfer, f"approval_{decided.status.lower()}", decided.reason, now=now)
    if decided.payload_hash != payload_hash(transfer_approvals.payload(transfer)):
        return _cancelled(transfer, "approval_void", VOID, now=now)
    transfer.approve(at=now)
    transfer.save_progress()
    _send_when_due(transfer)
    return transfer


def _cancelled(transfer: Transfer, code: str, message: str, *, now: datetime) -> Transfer:
    transfer.cancel(code=code, message=message, at=now)
    transfer.save_progress()
    outbox.publish(events.about(events.TRANSFER_CANCELLED, transfer), now=now)
    _owe_again(transfer, actor=PROVIDER, now=now)
    return transfer


def send(*, transfer_id: UUID, now: datetime) -> None:
    """Tell the provider of a transfer whose sending is due; safe to repeat. See ``orders.send``."""
    orders.send(KIND, order_id=transfer_id, now=now)


def query(*, transfer_id: UUID, now: datetime) -> None:
    """Ask after a transfer of which nobody knows whether it was made; safe to repeat. See ``orders.follow``."""
    orders.follow(KIND, order_id=transfer_id, now=now)


@transaction.atomic
def nudged(*, provider_account_id: UUID, code: str, now: datetime) -> Transfer | None:
    """Ask at once after the UNKNOWN transfer that a signed message is of; None where it is of none. A message is no fact."""
    ours = accounts.alike(accounts.get(provider_account_id))
    unknown = Transfer.objects.locked().filter(provider_account__in=ours, status=TransferStatus.UNKNOWN)
    transfer = unknown.filter(code=code).first() if code else None
    if transfer is not None:
        transfer.next_query_at, transfer.query_started_at = now, None
        transfer.save_progress()
        jobs.enqueue("disbursements.query_transfer", transfer_id=transfer.id)
    return transfer


def lose(*, transfer_id: UUID, now: datetime) -> None:
    """Say of a transfer whose worker never came back that nobody knows what became of it."""
    orders.lose(KIND, order_id=transfer_id, now=now)


def locked(transfer_id: UUID) -> Transfer:
    """Lock a transfer and return it with its account, party and provider account; inside a transaction. Raises NotFound."""
    linked = Transfer.objects.locked().select_related("connected_account__party", "provider_account")
    transfer = linked.filter(id=transfer_id).first()
    if transfer is None:
        raise errors.NotFound("There is no such transfer.")
    return transfer


def told(transfer: Transfer) -> TransferRequest:
    """Return what a provider is told: the same each time, for one that compares a repeated request with the first."""
    return TransferRequest(
        code=transfer.code,
        money=transfer.money,
        destination=transfer.connected_account.ticket,
        description=transfer.reference,
    )


def _send_when_due(transfer: Transfer) -> None:
    if transfer.next_request_at is not None:
        orders.start(KIND, transfer)


def _hindrance(transfer: Transfer) -> ProviderDeclined | None:
    if transfer.connected_account.is_payable:
        return None
    message = "The provider has stopped payments to this account since the transfer was asked for."
    return ProviderDeclined(transfer_limits.AccountNotEnabled.code, message)


def _send(transfer: Transfer, now: datetime) -> TransferReport:
    port = providers.transfer(transfer.provider_account_id, now=now, subject_id=transfer.id)
    return port.send(told(transfer))


def _find(transfer: Transfer, now: datetime) -> TransferReport | None:
    port = providers.transfer(transfer.provider_account_id, now=now, subject_id=transfer.id)
    return port.find(told(transfer))


def made(transfer: Transfer, *, actor: Actor, now: datetime) -> None:
    """Tell that a transfer was made and book it, as the last step; the caller holds its lock and has written it."""
    _ask_nobody_more(transfer, now=now)
    outbox.publish(events.about(events.TRANSFER_SUCCEEDED, transfer), now=now)
    journals.post(draft=postings.success(transfer), actor=actor, now=now)


def not_made(transfer: Transfer, *, actor: Actor, now: datetime) -> None:
    """Tell that a transfer was not made, and owe the party its money again; as ``made``."""
    _ask_nobody_more(transfer, now=now)
    outbox.publish(events.about(events.TRANSFER_FAILED, transfer), now=now)
    _owe_again(transfer, actor=actor, now=now)


def _ask_nobody_more(transfer: Transfer, *, now: datetime) -> None:
    """Call off what other people are asked about a transfer whose provider has answered, and drop what was said of it."""
    if transfer.verdict_approval_id is not None and transfer.judged_at is None:
        requests.call_off(request_id=transfer.verdict_approval_id, reason=ANSWERED, now=now)
        transfer.unsay()
        transfer.save_progress()


def _takes(transfer: Transfer, money: Money) -> bool:
    """Another sum than was asked for is for people to look at."""
    return money == transfer.money


def _succeeded(transfer: Transfer, now: datetime) -> None:
    made(transfer, actor=PROVIDER, now=now)


def _failed(transfer: Transfer, now: datetime) -> None:
    not_made(transfer, actor=PROVIDER, now=now)


def _lost(transfer: Transfer, now: datetime) -> None:
    outbox.publish(events.about(events.TRANSFER_UNKNOWN, transfer), now=now)


def _owe_again(transfer: Transfer, *, actor: Actor, now: datetime) -> None:
    """Take back the booking of a transfer that was not made."""
    booked = transactions.uid_of(postings.order_key(transfer))
    try:
        reversals.reverse(transaction_id=booked, reason=NOT_MADE, actor=actor, now=now, force=True)
    except AlreadyReversed:  # a person has seen it and has done it
        logger.warning("transfer_reversed_before", transfer_id=str(transfer.id))


def _audit_request(transfer: Transfer, *, force: bool, actor: Actor, now: datetime) -> None:
    forced = {"force": [None, True]} if force else {}
    records.write(
        action="transfer.requested",
        object_type=events.TRANSFER,
        object_id=ids.encode("tr", transfer.id),
        actor=actor,
        now=now,
        changes={"status": [None, transfer.status], "amount": [None, transfer.money.wire()], **forced},
        branch=transfer.branch_id,
        approval=transfer.approval_id,
    )


KIND = orders.Kind(
    noun="transfer",
    locked=locked,
    hindrance=_hindrance,
    send=_send,
    find=_find,
    succeeded=_succeeded,
    failed=_failed,
    lost=_lost,
    takes=_takes,
    is_asked_on=False,
)
