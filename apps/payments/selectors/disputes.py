"""Reading disputes, within what a caller may see."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy

from apps.access.selectors import scope
from apps.kit import errors
from apps.payments.contracts import EvidencePurpose
from apps.payments.models import Dispute, DisputeFile, InboundReceipt, PaymentAttempt
from apps.payments.models.dispute import LOST_WHOLE, DisputeQuerySet
from apps.payments.models.inbound import InboundReceiptQuerySet

PREFIX = "dp"
SOON = timedelta(days=3)
WORDS: dict[str, Any] = {
    "product": gettext_lazy("What was sold"),
    "text": gettext_lazy("What happened"),
    "customer_name": gettext_lazy("Name of the customer"),
    "customer_email": gettext_lazy("E-mail of the customer"),
    "customer_ip": gettext_lazy("Network address of the customer"),
    "billing_address": gettext_lazy("Billing address"),
    "service_date": gettext_lazy("Day of the service"),
    "shipping_address": gettext_lazy("Shipping address"),
    "shipping_date": gettext_lazy("Day of dispatch"),
    "carrier": gettext_lazy("Carrier"),
    "tracking_number": gettext_lazy("Tracking number"),
    "refund_policy": gettext_lazy("Where the refund policy was shown"),
    "refund_refusal": gettext_lazy("Why no refund is due"),
    "duplicate_of": gettext_lazy("Receipt of the other payment"),
}
"""What each text of the evidence is called."""
PURPOSES: dict[EvidencePurpose, Any] = {
    EvidencePurpose.RECEIPT: gettext_lazy("Receipt"),
    EvidencePurpose.SHIPPING: gettext_lazy("Proof of dispatch"),
    EvidencePurpose.SERVICE: gettext_lazy("Proof of the service"),
    EvidencePurpose.COMMUNICATION: gettext_lazy("Messages with the customer"),
    EvidencePurpose.SIGNATURE: gettext_lazy("Signature of the customer"),
    EvidencePurpose.REFUND_POLICY: gettext_lazy("Refund policy"),
    EvidencePurpose.DUPLICATE: gettext_lazy("Proof of the other payment"),
    EvidencePurpose.OTHER: gettext_lazy("Another file"),
}
"""What each file of the evidence is called."""
REASONS: dict[str, Any] = {
    "fraudulent": gettext_lazy("Not made by the cardholder"),
    "unrecognized": gettext_lazy("Payment not recognised"),
    "duplicate": gettext_lazy("Charged twice"),
    "credit_not_processed": gettext_lazy("Refund did not come"),
    "not_received": gettext_lazy("Nothing was delivered"),
    "not_as_described": gettext_lazy("Not as described"),
    "subscription_cancelled": gettext_lazy("Subscription was cancelled"),
    "noncompliant": gettext_lazy("Against the card network's rules"),
    "insufficient_funds": gettext_lazy("Not enough money in the account"),
    "not_authorised": gettext_lazy("Debit not authorised"),
    "incorrect_account_details": gettext_lazy("Wrong account details"),
    "bank_cannot_process": gettext_lazy("The bank cannot process it"),
    "returned": gettext_lazy("Cheque returned"),
    "customer_initiated": gettext_lazy("Asked for by the customer"),
    "incorrect_amount": gettext_lazy("Wrong amount"),
    "paid_otherwise": gettext_lazy("Paid by other means"),
    "general": gettext_lazy("Another reason"),
}
"""What people call each reason that adapters report."""


def reason(dispute: Dispute) -> str:
    """Return why it is disputed, in words for people; what no adapter reports today is shown as it was kept."""
    return str(REASONS.get(dispute.reason_code, dispute.reason_code.replace("_", " ")))


def visible_to(caller: scope.Principal) -> DisputeQuerySet:
    """Return the disputes of the caller's branches. A key sees those of its own application, a person those of all."""
    disputes = Dispute.objects.of_branches(scope.branch_ids(caller))
    return disputes.of_applications(scope.application_ids(caller))


def get(caller: scope.Principal, dispute_id: UUID) -> Dispute:
    """Return one dispute with its payment, branch and owner; raise NotFound for one that is not visible to the caller."""
    linked = visible_to(caller).select_related(
        "intent", "attempt", "branch", "provider_account", "owner__user"
    )
    dispute = linked.filter(id=dispute_id).first()
    if dispute is None:
        raise errors.NotFound("There is no such dispute.")
    return dispute


def files(dispute_id: UUID) -> QuerySet[DisputeFile]:
    """Return the files of a dispute's draft, the oldest first. For internal use: no caller's scope is asked."""
    return DisputeFile.objects.kept().filter(dispute_id=dispute_id).order_by("id")


def file_of(caller: scope.Principal, dispute_id: UUID, file_id: UUID) -> DisputeFile:
    """Return a file of the evidence of one dispute; raise NotFound for another's, or one that was taken out."""
    file = files(get(caller, dispute_id).id).filter(id=file_id).first()
    if file is None:
        raise errors.NotFound("There is no such file.")
    return file


def is_without_evidence(dispute: Dispute) -> bool:
    """Say whether nothing is written or attached that could be submitted."""
    return not dispute.evidence and not files(dispute.id).exists()


def due_soon(disputes: QuerySet[Dispute], *, now: datetime) -> QuerySet[Dispute]:
    """Return those whose answer is due within three days, or was, and is not given."""
    return disputes.filter(status__in=["INQUIRY", "NEEDS_RESPONSE"], due_by__lt=now + SOON)


def appealable(disputes: QuerySet[Dispute]) -> QuerySet[Dispute]:
    """Return those that are lost and whose provider takes an appeal, where none is on its way."""
    return disputes.filter(may_appeal=True, answer_due_at=None)


def to_cover() -> DisputeQuerySet:
    """
    Return the lost disputes that took a whole sum which stands in suspense still: of a payment in review, all of whose money
    they hold, or under a receipt that waits. For internal use: no caller's scope is asked.
    """
    in_review = PaymentAttempt.objects.filter(
        id=OuterRef("attempt_id"),
        provider_receipt=OuterRef("payment_receipt"),
        received_minor=OuterRef("held_minor"),
        is_in_suspense=True,
        is_amount_reported=True,
    )
    waiting = InboundReceipt.objects.waiting().filter(
        provider=OuterRef("provider"),
        receipt=OuterRef("payment_receipt"),
        currency=OuterRef("currency"),
        amount_minor__lte=OuterRef("amount_minor"),
    )
    lost = Dispute.objects.filter(LOST_WHOLE, covered_minor=0).exclude(payment_receipt="")
    return lost.filter(Exists(in_review) | Exists(waiting))


def waiting_for(dispute: Dispute) -> InboundReceiptQuerySet:
    """Return the money that waits in suspense under the receipt of a dispute. For internal use: no caller's scope is asked."""
    waiting = InboundReceipt.objects.waiting().filter(
        provider=dispute.provider, receipt=dispute.payment_receipt
    )
    return waiting.filter(currency=dispute.currency, amount_minor__lte=dispute.amount_minor).order_by("id")


def found_by(disputes: QuerySet[Dispute], term: str) -> QuerySet[Dispute]:
    """Return those that the provider's name of it or the receipt of its payment names exactly; all of them for an empty term."""
    term = term.strip()
    return disputes.filter(Q(ticket=term) | Q(payment_receipt=term)) if term else disputes


def of_intent(intent_id: UUID) -> QuerySet[Dispute]:
    """Return the disputes of a payment, the first one first. For internal use: no caller's scope is asked."""
    return Dispute.objects.filter(intent_id=intent_id).order_by("id")
