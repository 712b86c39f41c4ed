"""Wallets that a payer lets us keep: agreed to on PayPal's page, kept there, and known here by their token alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.integrations.paypal import answers, codes, reports
from apps.integrations.paypal.client import PaypalLine
from apps.integrations.ports import (
    MethodStatus,
    ProviderDeclined,
    ProviderUncertain,
    SavedMethodReport,
    SetupRequest,
    Ticket,
)

SETUPS = "/v3/vault/setup-tokens"
TOKENS = "/v3/vault/payment-tokens"
BRAND = "paypal"


@dataclass(frozen=True, slots=True)
class Methods:
    """Kept wallets of one account. A ticket names the setup, or the token that came of one."""

    line: PaypalLine

    def begin(self, request: SetupRequest) -> Ticket:
        wallet = {
            "usage_type": "MERCHANT",
            "experience_context": {
                "shipping_preference": "NO_SHIPPING",
                "return_url": request.return_url,
                "cancel_url": request.cancel_url or request.return_url,
            },
        }
        customer = {"customer": {"id": request.customer}} if request.customer else {}
        body = {"payment_source": {"paypal": wallet}, **customer}
        setup = self.line.post("setup", SETUPS, body, key=f"{request.code}:setup")
        ticket, url = answers.text(setup.get("id")), answers.page(setup)
        if not ticket or not url:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no setup")
        return Ticket(ticket, reports.redirect(url))

    def read(self, ticket: str) -> SavedMethodReport:
        """Return how a setup stands. What a payer agreed to becomes a token on the way, under a number of its own."""
        try:
            setup = self.line.get("setup_query", f"{SETUPS}/{ticket}")
        except ProviderDeclined as refusal:
            if refusal.code != "not_found":
                raise
            return self._kept(ticket)
        status = answers.text(setup.get("status"))
        if status not in ("APPROVED", "VAULTED"):
            return SavedMethodReport(ticket, MethodStatus.PENDING, provider_code=status)
        body = {"payment_source": {"token": {"id": ticket, "type": "SETUP_TOKEN"}}}
        return _saved(ticket, self.line.post("method", TOKENS, body, key=f"{ticket}:token"))

    def forget(self, token: str) -> None:
        try:
            self.line.send("forget", "DELETE", f"{TOKENS}/{token}")
        except ProviderDeclined as refusal:
            if refusal.code != "not_found":
                raise

    def _kept(self, ticket: str) -> SavedMethodReport:
        try:
            return _saved(ticket, self.line.get("method_query", f"{TOKENS}/{ticket}"))
        except ProviderDeclined as refusal:
            if refusal.code != "not_found":
                raise
            return SavedMethodReport(
                ticket,
                MethodStatus.DECLINED,
                reason_code=refusal.code,
                provider_code=refusal.provider_code,
                message=refusal.message,
            )


def _saved(ticket: str, method: Mapping[str, Any]) -> SavedMethodReport:
    token, customer = answers.text(method.get("id")), answers.part(method, "customer")
    if not token:
        raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer names no token")
    wallet = answers.part(answers.part(method, "payment_source"), BRAND)
    return SavedMethodReport(
        ticket,
        MethodStatus.SAVED,
        token=token,
        customer=answers.text(customer.get("id")),
        brand=BRAND,
        fingerprint=answers.text(wallet.get("account_id") or wallet.get("payer_id")),
    )
