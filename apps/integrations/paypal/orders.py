"""PayPal as a collection port: an order that its payer agrees to on PayPal's page, or a wallet that he lets us keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from apps.integrations.paypal import answers, codes, reports
from apps.integrations.paypal.client import PaypalLine
from apps.integrations.ports import (
    CollectionReport,
    CollectionRequest,
    MalformedCallback,
    Outcome,
    ProviderDeclined,
    ProviderUncertain,
    Ticket,
)

PATH = "/v2/checkout/orders"
ASKS = "PAYER_ACTION_REQUIRED"
LONGEST_DESCRIPTION = 127
LONGEST_EMAIL = 254
ABSENT = {"payment_initiator": "MERCHANT", "usage": "DERIVED"}
"""Said of the charge of a kept wallet: its payer is not there. PayPal finds out by itself whether it is the first one."""


@dataclass(frozen=True, slots=True)
class Orders:
    """
    Orders of one account, whose number is ``merchant``. A ticket names the order.

    What a payer agrees to on the page waits for our order to capture (see Captures), also where the whole sum is wanted at once; of a
    kept wallet it is taken by the order itself. Nothing in a request depends on the clock: the same code is the same request, and
    PayPal gives its first answer again.
    """

    repeat_within: ClassVar[timedelta] = timedelta(hours=6)

    line: PaypalLine
    merchant: str

    def request(self, request: CollectionRequest) -> Ticket:
        if not request.return_url and not request.saved_method:
            raise ProviderDeclined("invalid_request", "PayPal needs an address to send the payer back to.")
        order = self.line.post("order", PATH, _order(request), key=f"{request.code}:create")
        ticket, url = answers.text(order.get("id")), answers.page(order)
        if not ticket:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no order")
        self._require_own(order)
        if request.saved_method and order.get("status") == ASKS:
            raise _wanted_on_page()
        return Ticket(ticket, reports.redirect(url) if url else None)

    def query(self, ticket: str) -> CollectionReport:
        """
        Return how an order stands. What a payer agreed to have held back is authorised on the way, under a number of its own: PayPal
        drops within hours what is only approved.
        """
        order = self.read(ticket)
        report = reports.of_order(ticket, order)
        if report.outcome is not Outcome.AUTHORIZED or not _waits_to_be_held(order):
            return report
        code = answers.text(answers.first(order, "purchase_units").get("custom_id"))
        try:
            held = self.line.post("authorize", f"{PATH}/{ticket}/authorize", {}, key=f"{code}:authorize")
        except ProviderDeclined as refusal:
            if refusal.code in codes.OVER:
                return reports.refused(ticket, refusal)
            if refusal.code != "already_decided":
                raise
            held = self.read(ticket)
        return reports.of_order(ticket, held)

    def read(self, ticket: str) -> Mapping[str, Any]:
        """Return an order as it stands; FORGOTTEN is the status of one that PayPal knows no more."""
        try:
            return self.line.get("order_query", f"{PATH}/{ticket}")
        except ProviderDeclined as refusal:
            if refusal.code != "not_found":
                raise
            return {"id": ticket, "status": reports.FORGOTTEN}

    def read_callback(self, payload: Mapping[str, object]) -> CollectionReport:  # noqa: ARG002 (nothing comes this way)
        raise MalformedCallback("PayPal reports by signed messages alone.")

    def _require_own(self, order: Mapping[str, Any]) -> None:
        """
        Refuse an order that pays somebody else: the secrets are of another account. Nobody has been told of its page; where it may have
        been taken of a kept wallet by now, the payment stays open, for people.
        """
        payee = answers.part(answers.first(order, "purchase_units"), "payee")
        merchant = answers.text(payee.get("merchant_id"))
        if merchant and merchant != self.merchant:
            kind = ProviderDeclined if order.get("status") in reports.OPEN else ProviderUncertain
            raise kind("configuration", "The client ID is of another PayPal account.", provider_code="payee")


def _wanted_on_page() -> ProviderDeclined:
    """
    Return what it stands for that the order of a kept wallet waits for its payer, who is not there: nobody is told its page, and nobody
    takes it but by our order. An order has one key, so this is the answer to its first asking too.
    """
    reason = "authentication_required"
    return ProviderDeclined(reason, codes.MESSAGES[reason], provider_code=ASKS, is_replayed=True)


def _waits_to_be_held(order: Mapping[str, Any]) -> bool:
    is_approved = order.get("intent") == "AUTHORIZE" and order.get("status") == "APPROVED"
    return is_approved and not reports.authorization(order)


def _order(request: CollectionRequest) -> dict[str, Any]:
    unit = {
        "reference_id": request.code,
        "custom_id": request.code,
        "invoice_id": request.code,
        "description": request.description.strip()[:LONGEST_DESCRIPTION] or request.code,
        "amount": answers.amount(request.money),
    }
    return {
        "intent": "CAPTURE" if request.is_captured else "AUTHORIZE",
        "purchase_units": [unit],
        "payment_source": {"paypal": _wallet(request)},
    }


def _wallet(request: CollectionRequest) -> dict[str, Any]:
    if request.saved_method:
        return {"vault_id": request.saved_method, "stored_credential": ABSENT}
    experience = {
        "user_action": "PAY_NOW",
        "shipping_preference": "NO_SHIPPING",
        "payment_method_preference": "IMMEDIATE_PAYMENT_REQUIRED",
        "return_url": request.return_url,
        "cancel_url": request.cancel_url or request.return_url,
    }
    is_told = request.email and len(request.email) <= LONGEST_EMAIL
    return {
        "experience_context": experience,
        **({"email_address": request.email} if is_told else {}),
    }
