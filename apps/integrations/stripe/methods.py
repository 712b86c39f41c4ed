"""Cards that a payer lets us keep: set up on Stripe's page, kept there, and known here by their token alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from apps.integrations.ports import (
    MethodStatus,
    ProviderDeclined,
    ProviderUncertain,
    SavedMethodReport,
    SetupRequest,
    Ticket,
)
from apps.integrations.stripe import answers, codes, reports
from apps.integrations.stripe.client import StripeLine, key

SETUP, METHOD = "seti_", "pm_"
CARD = ["payment_method"]


@dataclass(frozen=True, slots=True)
class Methods:
    """Kept cards of one account. A ticket names the session of the page, the setup or the card itself."""

    repeat_within: ClassVar[timedelta] = timedelta(hours=24)

    line: StripeLine

    def begin(self, request: SetupRequest) -> Ticket:
        told = {"metadata": {"code": request.code}}
        params = {
            "mode": "setup",
            "currency": request.currency.lower(),
            "success_url": request.return_url,
            "cancel_url": request.cancel_url or request.return_url,
            "client_reference_id": request.code,
            "setup_intent_data": told,
            **told,
            **self._customer(request),
        }
        options = key(request.code, "setup")
        session = self.line.call("setup", lambda v1: v1.checkout.sessions.create(params, options))
        ticket, url = answers.text(session.get("id")), answers.link(session.get("url"))
        if not ticket or not url:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no session")
        return Ticket(ticket, reports.redirect(url))

    def read(self, ticket: str) -> SavedMethodReport:
        if ticket.startswith(METHOD):
            card = self.line.call("method_query", lambda v1: v1.payment_methods.retrieve(ticket))
            return _saved(ticket, card) if card.get("customer") else _gone(ticket)
        if ticket.startswith(SETUP):
            setup = self.line.call(
                "setup_query", lambda v1: v1.setup_intents.retrieve(ticket, {"expand": CARD})
            )
            return _of_setup(ticket, setup)
        params = {"expand": ["setup_intent.payment_method"]}
        session = self.line.call("setup_query", lambda v1: v1.checkout.sessions.retrieve(ticket, params))
        report = _of_setup(ticket, answers.part(session, "setup_intent"))
        if report.status is MethodStatus.PENDING and session.get("status") == "expired":
            return _declined(ticket, "expired", "expired")
        return report

    def forget(self, token: str) -> None:
        try:
            self.line.call("forget", lambda v1: v1.payment_methods.detach(token))
        except ProviderDeclined as refusal:
            if refusal.code != "not_found" and self.read(token).status is MethodStatus.SAVED:
                raise

    def _customer(self, request: SetupRequest) -> dict[str, str]:
        """Return whose card it becomes: only a customer's can be charged again."""
        if request.customer:
            return {"customer": request.customer}
        email = {"email": request.email} if request.email else {}
        params = {**email, "metadata": {"code": request.code}}
        options = key(request.code, "customer")
        made = self.line.call("customer", lambda v1: v1.customers.create(params, options))
        customer = answers.text(made.get("id"))
        if not customer:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no customer")
        return {"customer": customer}


def _of_setup(ticket: str, setup: Mapping[str, Any]) -> SavedMethodReport:
    status, error = setup.get("status"), answers.part(setup, "last_setup_error")
    if status == "succeeded":
        card = {"customer": setup.get("customer"), **answers.part(setup, "payment_method")}
        return _saved(ticket, card)
    if status == "canceled":
        return _declined(ticket, "customer_cancelled", "canceled")
    if error and ticket.startswith(SETUP):
        code, decline_code = (answers.text(error.get(name)) for name in ("code", "decline_code"))
        return _declined(ticket, codes.decline(code, decline_code), decline_code or code)
    return SavedMethodReport(ticket, MethodStatus.PENDING, provider_code=answers.text(status))


def _saved(ticket: str, method: Mapping[str, Any]) -> SavedMethodReport:
    token, customer = answers.text(method.get("id")), answers.handle(method.get("customer"))
    if not token or not customer:
        raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no card, or nobody's")
    card = answers.part(method, "card")
    year, month = card.get("exp_year"), card.get("exp_month")
    return SavedMethodReport(
        ticket,
        MethodStatus.SAVED,
        token=token,
        customer=customer,
        brand=answers.text(card.get("brand")),
        last4=answers.text(card.get("last4")),
        expires=f"{year:04d}-{month:02d}" if isinstance(year, int) and isinstance(month, int) else "",
        fingerprint=answers.text(card.get("fingerprint")),
    )


def _declined(ticket: str, reason: str, provider_code: str) -> SavedMethodReport:
    return SavedMethodReport(
        ticket,
        MethodStatus.DECLINED,
        reason_code=reason,
        provider_code=provider_code[: codes.LONGEST_CODE],
        message=codes.MESSAGES[reason],
    )


def _gone(ticket: str) -> SavedMethodReport:
    return _declined(ticket, "not_found", "detached")
