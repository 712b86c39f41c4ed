"""What people say of a refund or a payment whose answer is lost for good."""

from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from apps.approvals.contracts import declare_kind
from apps.payments.contracts import RESOLVE

REFUND_VERDICT = declare_kind(
    name="refund_verdict",
    title=_("Close of an unknown refund"),
    permission="payments.refund",
    page="admin:payments_refund_change",
)
"""Saying whether a refund was given back of which the provider tells nothing, as approval rules call it."""

PAYMENT_VERDICT = declare_kind(
    name="payment_verdict",
    title=_("Close of an unknown payment"),
    permission=RESOLVE,
    page="portal-payment",
)
"""Saying that a payment of which the provider tells nothing brought no money, as approval rules call it."""


class RefundVerdict(StrEnum):
    """
    GIVEN_BACK: the money went back, and the provider's statement shows its receipt. NOT_GIVEN_BACK: it did not, and is
    the payment's again.
    """

    GIVEN_BACK = "GIVEN_BACK"
    NOT_GIVEN_BACK = "NOT_GIVEN_BACK"
