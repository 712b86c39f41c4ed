"""Sums that a card holds back for us: taken, or let go."""

from dataclasses import dataclass

from apps.integrations.ports import CollectionReport, Outcome, ProviderDeclined
from apps.integrations.stripe import answers, reports
from apps.integrations.stripe.checkout import PAYMENT, Checkout
from apps.integrations.stripe.client import key
from apps.kit.money import Money


@dataclass(frozen=True, slots=True)
class Captures:
    """
    Authorisations of one account as a capture port: captured once, whole or in part, or let go; an open session is
    called back. What Stripe refuses because it was decided before is looked at, and told as it stands.
    """

    checkout: Checkout

    def capture(self, ticket: str, money: Money, *, code: str, number: int = 1) -> CollectionReport:
        payment = self._payment_of(ticket)
        params = {"amount_to_capture": answers.amount(money)["amount"], "expand": reports.WITH_MONEY}
        options = key(code, f"capture:{money.minor}:{number}")
        try:
            captured = self.checkout.line.call(
                "capture", lambda v1: v1.payment_intents.capture(payment, params, options)
            )
        except ProviderDeclined as refusal:
            return self._as_it_stands(ticket, refusal)
        return reports.of_payment(ticket, captured)

    def release(self, ticket: str, *, code: str) -> CollectionReport:
        payment, line = "", self.checkout.line
        if ticket.startswith(PAYMENT):
            payment = ticket
        else:
            session = self.checkout.session(ticket)
            if session.get("status") != "open":
                payment = answers.handle(session.get("payment_intent"))
        try:
            if payment:
                options = key(code, "cancel")
                cancelled = line.call("release", lambda v1: v1.payment_intents.cancel(payment, {}, options))
                return reports.of_payment(ticket, cancelled)
            options = key(code, "expire")
            expired = line.call("release", lambda v1: v1.checkout.sessions.expire(ticket, {}, options))
        except ProviderDeclined as refusal:
            return self._as_it_stands(ticket, refusal)
        return reports.of_session(ticket, expired)

    def _payment_of(self, ticket: str) -> str:
        if ticket.startswith(PAYMENT):
            return ticket
        payment = answers.handle(self.checkout.session(ticket).get("payment_intent"))
        if not payment:
            raise ProviderDeclined("already_decided", "The payer has authorised nothing.")
        return payment

    def _as_it_stands(self, ticket: str, refusal: ProviderDeclined) -> CollectionReport:
        """Return how a collection stands that refused an order; the refusal itself where it is open all the same."""
        report = self.checkout.query(ticket)
        if report.outcome in (Outcome.PENDING, Outcome.AUTHORIZED):
            raise refusal
        return report
