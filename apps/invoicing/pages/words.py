"""What a payer is told, in his language: why a payment failed, and why what he sent was refused."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.integrations.selectors import error_rules
from apps.kit.errors import DomainError
from apps.payments.contracts import RAILS, Method

if TYPE_CHECKING:  # another app's model
    from apps.payments.models import PaymentIntent

NO_ACCOUNT = _("It cannot be paid this way now.")
NOT_KNOWN = _("M-Pesa did not take the payment.")
NOT_PAID = _("No money of yours arrived. If you have paid, show the receipt to the one whom you pay.")
FAILURES: Mapping[str, Promise] = {
    "insufficient_funds": _("Your M-Pesa balance is too low."),
    "amount_too_small": _("The amount is below what M-Pesa takes."),
    "amount_too_large": _("The amount is above what M-Pesa takes in one payment."),
    "limit_exceeded": _("It would exceed your daily M-Pesa limit."),
    "duplicate_suspected": _("The same sum was asked of you moments ago. Try again in two minutes."),
    "method_not_available": NO_ACCOUNT,
    "provider_unavailable": _("M-Pesa is busy. Try again in a minute."),
    "subscriber_busy": _("Another M-Pesa request is open on your phone. Try again in a minute."),
    "expired": _("The prompt was not answered in time."),
    "prompt_failed": _("M-Pesa could not show the prompt on your phone."),
    "customer_cancelled": _("You cancelled on your phone."),
    "customer_unreachable": _("Your phone could not be reached. Is it on, and has it network?"),
    "authentication_failed": _("The PIN was not right."),
    "payer_account_restricted": _("Your M-Pesa account is locked. Ask Safaricom about it."),
    "not_paid": NOT_PAID,
}
"""By the reason of a failure, in our words; what is not here is the payee's business and not the payer's."""

PAGE_NOT_KNOWN = _("The payment was not taken. Try again, or pay in another way.")
PAGE_FAILURES: Mapping[str, Promise] = {
    "insufficient_funds": _("There is not enough money on the card or account."),
    "expired": _("The page was not used in time."),
    "customer_cancelled": _("It was cancelled."),
    "declined": _("Your bank declined the payment. Ask it why, or take another card."),
    "invalid_payment_method": _("The card could not be used. Take another one."),
    "authentication_failed": _("Your bank could not confirm that it was you."),
    "method_not_available": NO_ACCOUNT,
    "not_paid": NOT_PAID,
    "provider_unavailable": _(
        "It cannot be paid this way just now. Try again in a minute, or pay in another way."
    ),
}
"""The same for what is paid on a page of the provider's."""

REFUSALS: Mapping[str, Promise] = {
    "phone_invalid": _("Enter a Kenyan mobile number, as 0712 345 678."),
    "rate_limited": _(
        "There were several tries within a short time. Wait a while, or pay by the Paybill number."
    ),
    "receipt_invalid": _(
        "The code has 8 to 20 letters and digits, as NLJ7RT61SV. It stands at the beginning of M-Pesa's message."
    ),
    "receipt_used": _("This code belongs to another payment. Look into M-Pesa's message again."),
    "method_not_available": _("It cannot be paid this way now. Nothing was taken."),
    "duplicate_suspected": FAILURES["duplicate_suspected"],
    "payment_in_progress": _("This is being paid already. Look again in a minute."),
    "already_paid": _("This has been paid already."),
}
"""By the code of a refusal; what is not here is said in its own words."""


def failure(intent: "PaymentIntent") -> str | Promise:
    """Return why the last try failed: in the organisation's own words where it has some, else in ours."""
    if error_rules.says(Method(intent.method).provider if intent.method else "", intent.failure_message):
        return intent.failure_message
    if intent.method and Method(intent.method).is_on_page:
        return PAGE_FAILURES.get(intent.failure_code, PAGE_NOT_KNOWN)
    return FAILURES.get(intent.failure_code, NOT_KNOWN)


def rail(intent: "PaymentIntent") -> str:
    """Return how the method of a payment is called within a sentence: a brand by its name, another by its word."""
    if not intent.method:
        return ""
    name = RAILS[Method(intent.method)].name
    return name if isinstance(name, str) else str(name).lower()


def refusal(error: DomainError) -> str | Promise:
    """Return why what the payer sent was refused."""
    return REFUSALS.get(error.code, error.detail)
