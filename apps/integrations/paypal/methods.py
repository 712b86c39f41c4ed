"""Wallets that a payer lets us keep: agreed to on PayPal's page, kept there, and known here by their token alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import quote

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
GONE = "PayPal knows nothing of it any more: the payer did not agree in time, or it was dropped."


@dataclass(frozen=True, slots=True)
class Methods:
    """
    Kept wallets of one account. A ticket names the setup, or the token that came of one.

    Each setup is of a customer of its own at PayPal, who has nothing but what came of it, so that a token whose answer was lost is
    found again; and one wallet may be kept by several consents, each of which is forgotten by itself.
    """

    repeat_within: ClassVar[timedelta] = timedelta(hours=3)

    line: PaypalLine

    def begin(self, request: SetupRequest) -> Ticket:
        wallet = {
            "usage_type": "MERCHANT",
            "permit_multiple_payment_tokens": True,
            "experience_context": {
                "shipping_preference": "NO_SHIPPING",
                "return_url": request.return_url,
                "cancel_url": request.cancel_url or request.return_url,
            },
        }
        body = {"payment_source": {"paypal": wallet}}
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
        try:
            return _saved(ticket, self.line.post("method", TOKENS, body, key=f"{ticket}:token"))
        except ProviderDeclined:
            made = self._of_customer(setup)
            if made is None:
                raise
            return _saved(ticket, made)

    def forget(self, token: str) -> None:
        try:
            self.line.send("forget", "DELETE", f"{TOKENS}/{token}")
        except ProviderDeclined as refusal:
            if refusal.code != "not_found" and self._kept(token).status is MethodStatus.SAVED:
                raise

    def _of_customer(self, setup: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the one token of a setup's customer; None where there is none, or it cannot be said which."""
        customer = answers.text(answers.part(setup, "customer").get("id"))
        if not customer:
            return None
        listed = self.line.get("method_list", f"{TOKENS}?customer_id={quote(customer, safe='')}")
        made = answers.rows(listed, "payment_tokens")
        return made[0] if len(made) == 1 else None

    def _kept(self, ticket: str) -> SavedMethodReport:
        try:
            return _saved(ticket, self.line.get("method_query", f"{TOKENS}/{ticket}"))
        except ProviderDeclined as refusal:
            if refusal.code != "not_found":
                raise
            return SavedMethodReport(
                ticket,
                MethodStatus.DECLINED,
                reason_code="expired",
                provider_code=refusal.provider_code,
                message=GONE,
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
