"""Cards as a collection port: a session on Stripe's hosted page, or a card that the payer lets us keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from apps.integrations.ports import (
    CollectionReport,
    CollectionRequest,
    MalformedCallback,
    ProviderDeclined,
    ProviderUncertain,
    Ticket,
)
from apps.integrations.stripe import answers, codes, reports
from apps.integrations.stripe.client import StripeLine, key

PAYMENT = "pi_"
LONGEST_NAME = 250
LONGEST_EMAIL = 512


@dataclass(frozen=True, slots=True)
class Checkout:
    """
    Sessions of one account, which no number of a card passes through us for. A ticket names the session, or the payment
    itself where a kept card is charged.

    Nothing in a request depends on the clock: the same code is the same request, and Stripe gives its first answer again.
    """

    repeat_within: ClassVar[timedelta] = timedelta(hours=24)

    line: StripeLine

    def request(self, request: CollectionRequest) -> Ticket:
        return self._charge(request) if request.saved_method else self._open(request)

    def query(self, ticket: str) -> CollectionReport:
        if ticket.startswith(PAYMENT):
            params = {"expand": reports.WITH_MONEY}
            payment = self.line.call("payment_query", lambda v1: v1.payment_intents.retrieve(ticket, params))
            return reports.of_payment(ticket, payment)
        return reports.of_session(ticket, self.session(ticket))

    def session(self, ticket: str) -> Mapping[str, Any]:
        """Return a session with its payment, the charge of that, and what it did to our balance."""
        params = {"expand": [f"payment_intent.{name}" for name in reports.WITH_MONEY]}
        return self.line.call("session_query", lambda v1: v1.checkout.sessions.retrieve(ticket, params))

    def read_callback(self, payload: Mapping[str, object]) -> CollectionReport:  # noqa: ARG002 (nothing comes this way)
        raise MalformedCallback("Stripe reports by signed messages alone.")

    def _open(self, request: CollectionRequest) -> Ticket:
        if not request.return_url:
            raise ProviderDeclined("invalid_request", "Stripe needs an address to send the payer back to.")
        params = _session(request)
        options = key(request.code, "create")
        session = self.line.call("checkout", lambda v1: v1.checkout.sessions.create(params, options))
        ticket, url = answers.text(session.get("id")), answers.link(session.get("url"))
        if not ticket or not url:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no session")
        return Ticket(ticket, reports.redirect(url))

    def _charge(self, request: CollectionRequest) -> Ticket:
        """Charge a kept card without its holder. What his bank refuses is refused for good: the payment asks nobody."""
        params = {
            **answers.amount(request.money),
            **_payment(request),
            "customer": request.customer,
            "payment_method": request.saved_method,
            "off_session": True,
            "confirm": True,
        }
        options = key(request.code, "create")
        payment = self.line.call("charge", lambda v1: v1.payment_intents.create(params, options))
        ticket = answers.text(payment.get("id"))
        if not ticket:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no payment")
        return Ticket(ticket)


def _session(request: CollectionRequest) -> dict[str, Any]:
    amount = answers.amount(request.money)
    price = {
        "currency": amount["currency"],
        "unit_amount": amount["amount"],
        "product_data": {"name": request.description.strip()[:LONGEST_NAME] or request.code},
    }
    return {
        "mode": "payment",
        "line_items": [{"price_data": price, "quantity": 1}],
        "success_url": request.return_url,
        "cancel_url": request.cancel_url or request.return_url,
        "client_reference_id": request.code,
        "metadata": {"code": request.code},
        "payment_intent_data": _payment(request),
        **({"customer": request.customer} if request.customer else _email(request.email)),
    }


def _email(email: str) -> dict[str, str]:
    return {"customer_email": email} if email and len(email) <= LONGEST_EMAIL else {}


def _payment(request: CollectionRequest) -> dict[str, Any]:
    """Return what goes into the payment itself: its own messages do not carry what stands in the session."""
    return {
        "capture_method": "automatic" if request.is_captured else "manual",
        "description": request.code,
        "metadata": {"code": request.code},
    }
