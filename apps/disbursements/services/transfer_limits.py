"""The gate that every transfer and every reversal passes: what the account, the rail and the books allow."""

from datetime import datetime, timedelta

from django.db.models import F

from apps.disbursements import postings
from apps.disbursements.contracts import NewTransfer, TransferStatus
from apps.disbursements.models import ConnectedAccount, Transfer
from apps.kit import errors, ids
from apps.kit.money import Money
from apps.ledger.selectors import balances

AMOUNT = "/amount"
CONNECTED_ACCOUNT = "/connected_account_id"
FORCE = "/force"
REASON = "/reason"
REFERENCE = "/reference"
REPEATED_WITHIN = timedelta(hours=24)
NOT_PAID = [TransferStatus.FAILED.value, TransferStatus.CANCELLED.value]


class TransferRefused(errors.DomainError):
    """The party cannot be paid so now; the field error says why."""

    pointer = AMOUNT

    def __init__(self, detail: str) -> None:
        super().__init__(detail, errors=[errors.FieldError(self.pointer, self.code, detail)])


class AccountNotEnabled(TransferRefused):
    """The provider lets nothing be paid to the party's account now."""

    code = "connected_account_not_enabled"
    title = "Connected account not enabled"
    retryable = True
    pointer = CONNECTED_ACCOUNT


class TransferCurrencyWrong(TransferRefused):
    """The connected account is paid in another currency."""

    code = "transfer_currency_wrong"
    title = "Another currency"
    status = 422
    category = "validation"


class TransferTooSmall(TransferRefused):
    """Nothing, or less, cannot be transferred or taken back."""

    code = "transfer_too_small"
    title = "Transfer too small"
    status = 422
    category = "validation"


class NotOwed(TransferRefused):
    """We owe the party less than that in this branch."""

    code = "transfer_not_owed"
    title = "More than is owed"


class ReferenceMissing(TransferRefused):
    """A transfer has a reference, by which the party knows what it is for."""

    code = "reference_missing"
    title = "Reference missing"
    status = 422
    category = "validation"
    pointer = REFERENCE


class DuplicateSuspected(TransferRefused):
    """The party was paid the same sum for the same reference within 24 hours; say ``force`` if that is meant."""

    code = "duplicate_suspected"
    title = "Duplicate suspected"
    pointer = FORCE


class NotReversible(TransferRefused):
    """Nothing of the transfer can be taken back: it was not made, or all of it has come back or is on its way."""

    code = "transfer_not_reversible"
    title = "Nothing to take back"


class ReversalTooLarge(TransferRefused):
    """More than is left of the transfer cannot be taken back, nor in another currency."""

    code = "transfer_reversal_too_large"
    title = "More than is left"
    status = 422
    category = "validation"


class ReversalReasonMissing(TransferRefused):
    """Money is taken back with a reason."""

    code = "reason_missing"
    title = "Reason missing"
    status = 422
    category = "validation"
    pointer = REASON


def check(account: ConnectedAccount, money: Money, reference: str) -> None:
    """Raise what stands in the way of a transfer to this account; the caller holds its lock."""
    if not account.is_payable:
        raise AccountNotEnabled(f"This account is {account.status.lower()}: it cannot be paid to.")
    if money.currency != account.currency:
        raise TransferCurrencyWrong(f"This account is paid in {account.currency}.")
    if not money.is_positive:
        raise TransferTooSmall("Transfer more than zero.")
    if not reference.strip():
        raise ReferenceMissing("Say what the transfer is for.")


def require_no_repeat(account: ConnectedAccount, request: NewTransfer, *, now: datetime) -> None:
    """
    Raise DuplicateSuspected where the application has paid the party the same sum for the same reference in this branch since
    24 hours, at whichever of its accounts, or is about to. What was not made, or was taken back whole, pays nobody. The caller
    holds the lock of the party's accounts.
    """
    same = Transfer.objects.filter(
        connected_account__party_id=account.party_id,
        application_id=request.application_id,
        branch_id=request.branch_id,
        amount_minor=request.money.minor,
        currency=request.money.currency,
        reference=request.reference.strip(),
        created_at__gt=now - REPEATED_WITHIN,
    )
    paid = same.exclude(status__in=NOT_PAID).exclude(reversed_minor=F("amount_minor"))
    before = paid.order_by("-id").first()
    if before is not None:
        name = ids.encode("tr", before.id)
        raise DuplicateSuspected(f"{name} is of the same sum and reference. Force it if both are meant.")


def check_owed(transfer: Transfer) -> None:
    """
    Raise NotOwed where a transfer that has just been booked takes more than was owed.

    The booking holds the lock on what is owed until the caller's transaction ends, so that two at once cannot both pass.
    """
    left = balances.available(postings.owed_to(transfer))
    if left.minor < 0:
        owed = max(left + transfer.money, Money.zero(left.currency))
        raise NotOwed(f"{owed} is owed to this party in this branch; no more than that can be transferred.")


def part_of(transfer: Transfer, money: Money | None, reason: str) -> Money:
    """
    Return the sum to take back, all that is left unless told; the caller holds the transfer's lock.

    Raises NotReversible, ReversalTooLarge, TransferTooSmall and ReversalReasonMissing.
    """
    left = transfer.reversible
    if not left.is_positive:
        raise NotReversible("Nothing is left of this transfer that could be taken back.")
    if not reason.strip():
        raise ReversalReasonMissing("Say why the money is taken back.")
    if money is None:
        return left
    if money.currency != left.currency or money > left:
        raise ReversalTooLarge(f"{left} of this transfer can be taken back; no more than that.")
    if not money.is_positive:
        raise TransferTooSmall("Take back more than zero.")
    return money
