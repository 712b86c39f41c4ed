"""The gate that every refund passes: what the payment's state and its rail allow."""

from uuid import UUID

from apps.integrations.contracts import provider_name
from apps.integrations.ports import RefundPort
from apps.integrations.services import providers
from apps.kit import errors
from apps.kit.money import Money
from apps.payments.contracts import IntentStatus
from apps.payments.models import Dispute, PaymentAttempt, PaymentIntent
from apps.payments.models.intent import MONEY_STATES
from apps.payments.services import attempts

PAYMENT = "/payment_id"
AMOUNT = "/amount"
PART = "/attempt_id"
REASON = "/reason"


class RefundRefused(errors.DomainError):
    """The payment cannot be refunded now; the field error says why."""

    pointer = PAYMENT

    def __init__(self, detail: str) -> None:
        super().__init__(detail, errors=[errors.FieldError(self.pointer, self.code, detail)])


class PaymentNotPaid(RefundRefused):
    """There is no money of this payment to give back."""

    code = "payment_not_paid"
    title = "Payment not paid"
    retryable = True


class PaymentInReview(RefundRefused):
    """The money does not fit the payment: a person decides about it first."""

    code = "payment_in_review"
    title = "Payment in review"


class NotInSuspense(RefundRefused):
    """The money is not in suspense, or has left it: it is refunded as a payment, or is somebody's already."""

    code = "not_in_suspense"
    title = "Not in suspense"


class ReceiptPending(RefundRefused):
    """The provider has not told the receipt and the sum yet, and gives nothing back without them."""

    code = "receipt_pending"
    title = "Receipt pending"
    retryable = True


class AlreadyRefunded(RefundRefused):
    """The money has gone back."""

    code = "already_refunded"
    title = "Already refunded"


class PaymentDisputed(RefundRefused):
    """The payer's bank decides about the money: a refund beside it would pay him twice."""

    code = "payment_disputed"
    title = "Payment disputed"
    retryable = True


class RefundInProgress(RefundRefused):
    """Another refund of this payment has not ended."""

    code = "refund_in_progress"
    title = "Refund in progress"
    retryable = True


class PaymentInParts(RefundRefused):
    """Several sums paid it: say which of them goes back."""

    code = "payment_in_parts"
    title = "Payment in parts"
    status = 422
    category = "validation"
    pointer = PART


class RefundNotSupported(RefundRefused):
    """The rail gives no money back; it is returned to the payer by other means."""

    code = "refund_not_supported"
    title = "Refund not supported"


class PartialRefundNotSupported(RefundRefused):
    """The rail gives back a whole payment or nothing."""

    code = "partial_refund_not_supported"
    title = "Partial refund not supported"
    status = 422
    category = "validation"
    pointer = AMOUNT


class RefundTooLarge(RefundRefused):
    """More than arrived cannot go back, nor in another currency."""

    code = "refund_too_large"
    title = "Refund too large"
    status = 422
    category = "validation"
    pointer = AMOUNT


class RefundTooSmall(RefundRefused):
    """Nothing, or less, cannot go back."""

    code = "refund_too_small"
    title = "Refund too small"
    status = 422
    category = "validation"
    pointer = AMOUNT


class ReasonMissing(RefundRefused):
    """A refund is asked for with a reason."""

    code = "reason_missing"
    title = "Reason missing"
    status = 422
    category = "validation"
    pointer = REASON


def of_intent(*, intent_id: UUID, attempt_id: UUID | None = None) -> PaymentAttempt:
    """
    Lock the attempt whose money of a payment is meant, and the payment: the one that settled it, or of a payment in parts the one
    that is named, else the only one that can go back. Raises NotFound, PaymentNotPaid and PaymentInParts.
    """
    intent = PaymentIntent.objects.select_related("current_attempt").filter(id=intent_id).first()
    if intent is None:
        raise errors.NotFound("There is no such payment.")
    if intent.current_attempt_id is None:
        raise PaymentNotPaid("This payment has not been paid.")
    return attempts.locked(_part(intent, attempt_id) or intent.current_attempt_id)


def _part(intent: PaymentIntent, attempt_id: UUID | None) -> UUID | None:
    """Return which part of a payment is meant; None where it is not in parts, or nothing of it can go back."""
    parts = list(PaymentAttempt.objects.paying().filter(intent_id=intent.id)) if intent.is_in_parts else []
    if attempt_id is not None:
        if attempt_id not in (intent.current_attempt_id, *(one.id for one in parts)):
            raise PaymentInParts("This attempt has no money of this payment.")
        return attempt_id
    left = [one.id for one in parts if one.refundable_minor]
    if len(left) > 1:
        raise PaymentInParts("Several sums paid this payment. Name the attempt whose money goes back.")
    return left[0] if left else None


def check(attempt: PaymentAttempt) -> None:
    """Raise what stands in the way of a refund of this attempt's money; the caller holds its lock."""
    if attempt.is_in_suspense or attempt.intent.status == IntentStatus.IN_REVIEW:
        raise PaymentInReview("This payment is in review: its money waits in suspense.")
    if attempt.intent.status not in MONEY_STATES or attempt.received is None:
        raise PaymentNotPaid("This payment has not been paid.")
    check_rail(attempt)


def returnable(*, attempt_id: UUID) -> PaymentAttempt:
    """Lock an attempt whose money waits in suspense, and its intent; raise what stands in the way of giving it back."""
    attempt = attempts.locked(attempt_id)
    if not attempt.is_in_suspense:
        raise NotInSuspense("This money does not wait in suspense.")
    check_rail(attempt)
    return attempt


def check_rail(attempt: PaymentAttempt) -> None:
    """Raise what stands in the way of giving back money that is booked, whatever it is of; the caller holds its lock."""
    if not providers.offers(attempt.provider, RefundPort):
        raise RefundNotSupported(f"{provider_name(attempt.provider)} gives no money back from here.")
    if Dispute.objects.running().filter(attempt=attempt).exists():
        raise PaymentDisputed("This payment is disputed: refund it once the dispute has ended.")
    if not attempt.refundable_minor and attempt.refund_pending_minor:
        raise RefundInProgress("A refund of this payment has not ended yet.")
    if not attempt.refundable_minor and attempt.disputed_minor:
        raise AlreadyRefunded("A dispute took this payment back.")
    if not attempt.refundable_minor:
        raise AlreadyRefunded("This payment has been refunded.")
    if not attempt.provider_receipt or not attempt.is_amount_reported:
        raise ReceiptPending("The provider has not told the receipt yet; try again later.")


def sum_of(attempt: PaymentAttempt, *, money: Money | None) -> Money:
    """
    Return the sum that goes back, all that is left unless told; the caller holds the attempt's lock.

    Raises RefundTooLarge for more than is left, or another currency, RefundTooSmall for nothing, and PartialRefundNotSupported where the rail gives back
    a whole payment only.
    """
    left = attempt.refundable
    if left is None:
        raise ValueError(f"attempt {attempt.id} has no money to give back")
    if money is None or money == left:
        return left
    if money.currency != left.currency or money > left:
        raise RefundTooLarge(f"{left} of this payment can go back; no more than that.")
    terms = providers.refund_terms(attempt.provider)
    if terms is None or not terms.is_partial:
        raise PartialRefundNotSupported(
            f"{provider_name(attempt.provider)} gives back a whole payment only: {left}."
        )
    if not money.is_positive:
        raise RefundTooSmall("Give back more than zero.")
    return money


def check_reason(reason: str) -> str:
    """Return the reason without blanks around it; raise ReasonMissing for none."""
    if not reason.strip():
        raise ReasonMissing("Say why the money goes back.")
    return reason.strip()
