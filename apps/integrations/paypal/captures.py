"""Sums that a payer has agreed to: taken, or let go."""

from dataclasses import dataclass

from apps.integrations.paypal import answers, codes, reports
from apps.integrations.paypal.orders import PATH, Orders
from apps.integrations.ports import CollectionReport, Outcome, ProviderDeclined
from apps.kit.money import Money

AUTHORIZATIONS = "/v2/payments/authorizations"
WHOLE = "PayPal takes an order that is not held back whole, or not at all."


@dataclass(frozen=True, slots=True)
class Captures:
    """
    Approved orders and authorisations of one account as a capture port. Every order is looked at first: what was decided before is
    told as it stands, and so is what PayPal refuses because it was.
    """

    orders: Orders

    def capture(self, ticket: str, money: Money, *, code: str, number: int = 1) -> CollectionReport:
        """
        Take a sum of an authorisation, once, or an approved order whole. An order that PayPal refuses to take for its payer's
        sake is over: nobody but us takes it, and he agrees to another one.
        """
        order = self.orders.read(ticket)
        report, held = reports.of_order(ticket, order), reports.authorization(order)
        if report.outcome is not Outcome.AUTHORIZED:
            return report
        if not held and money != report.money:
            raise ProviderDeclined("invalid_request", WHOLE)
        post, key = self.orders.line.post, f"{code}:capture:{money.minor}:{number}"
        try:
            if held:
                body = {"amount": answers.amount(money), "final_capture": True}
                capture = post("capture", f"{AUTHORIZATIONS}/{held}/capture", body, key=key)
                return reports.of_captures(ticket, [capture])
            return reports.of_order(ticket, post("capture", f"{PATH}/{ticket}/capture", {}, key=key))
        except ProviderDeclined as refusal:
            return self._as_it_stands(ticket, refusal, is_over=not held and refusal.code in codes.OVER)

    def release(self, ticket: str, *, code: str) -> CollectionReport:
        """
        Let go an authorisation, or an order that nobody has approved: what we do not take goes by itself. One that is approved may
        be being taken at this moment: it stays PENDING until it is paid, or PayPal has dropped it some hours later.
        """
        order = self.orders.read(ticket)
        report, held = reports.of_order(ticket, order), reports.authorization(order)
        if held:
            return self._void(ticket, held, code)
        if report.outcome is Outcome.AUTHORIZED:
            return CollectionReport(ticket, Outcome.PENDING, provider_code=report.provider_code)
        if report.outcome is Outcome.PENDING and report.provider_code in reports.OPEN:
            return reports.declined(ticket, "customer_cancelled", report.provider_code)
        return report

    def _void(self, ticket: str, held: str, code: str) -> CollectionReport:
        try:
            self.orders.line.post("void", f"{AUTHORIZATIONS}/{held}/void", {}, key=f"{code}:void")
        except ProviderDeclined as refusal:
            return self._as_it_stands(ticket, refusal)
        return reports.declined(ticket, "customer_cancelled", "VOIDED")

    def _as_it_stands(
        self, ticket: str, refusal: ProviderDeclined, *, is_over: bool = False
    ) -> CollectionReport:
        """Return how an order stands of which something was refused; the refusal where nothing has changed."""
        report = reports.of_order(ticket, self.orders.read(ticket))
        if report.outcome in (Outcome.COLLECTED, Outcome.DECLINED):
            return report
        if is_over:
            return reports.refused(ticket, refusal)
        raise refusal
