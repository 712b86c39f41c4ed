"""Rows of integrations for tests: a provider account, and a simulator's side of it."""

from datetime import UTC, datetime
from typing import Any

from apps.access.models import Branch
from apps.integrations.contracts import MPESA, AccountTerms, Environment
from apps.integrations.models import ProviderAccount
from apps.integrations.mpesa.provider import MpesaCredentials
from apps.integrations.paypal.client import SANDBOX_URL
from apps.integrations.paypal.provider import PaypalCredentials
from apps.integrations.services import accounts
from apps.integrations.stripe.provider import StripeCredentials
from apps.kit.actors import SYSTEM
from tests.factories import access

NOW = datetime(2026, 11, 24, 7, 40, tzinfo=UTC)
SHORT_CODE = "600100"
FEE_BPS = 55
CREDENTIALS = MpesaCredentials(
    consumer_key="consumer-key-of-savanna",
    consumer_secret="consumer-secret-of-savanna",
    passkey="passkey-of-savanna",
    initiator="savanna-api",
    initiator_password="Initiator-1",
)


def terms(branch: Branch | None = None, **changes: Any) -> AccountTerms:
    """Return the terms of a paybill at Safaricom's sandbox, for head office unless a branch is named."""
    chosen = {
        "provider": MPESA,
        "label": "Savanna paybill",
        "branch_id": (branch or access.head_office()).id,
        "environment": Environment.SANDBOX,
        "base_url": "https://sandbox.safaricom.co.ke",
        "currency": "KES",
        "short_code": SHORT_CODE,
        "minimum_minor": 1_00,
        "maximum_minor": 250_000_00,
        "fee_bps": FEE_BPS,
    }
    return AccountTerms(**{**chosen, **changes})


def provider_account(
    branch: Branch | None = None, *, credentials: MpesaCredentials = CREDENTIALS, **changes: Any
) -> ProviderAccount:
    return accounts.create(terms=terms(branch, **changes), credentials=credentials, actor=SYSTEM, now=NOW)


def simulated_account(
    simulator_url: str, branch: Branch | None = None, *, certificate: str = ""
) -> ProviderAccount:
    """Return an account that talks to a running simulator; TREASURY["SIMULATOR_URL"] must name it."""
    return provider_account(
        branch,
        environment=Environment.SIMULATOR,
        base_url=f"{simulator_url}/daraja",
        certificate=certificate,
    )


def simulators_side(**changes: Any) -> dict[str, Any]:
    """Return the body that registers the same short code with the simulator."""
    return {
        "type": "paybill",
        "name": "Savanna Kitchens Ltd",
        "consumer_key": CREDENTIALS.consumer_key,
        "consumer_secret": CREDENTIALS.consumer_secret,
        "passkey": CREDENTIALS.passkey,
        "initiator": CREDENTIALS.initiator,
        "initiator_password": CREDENTIALS.initiator_password,
        "charge_bps": FEE_BPS,
        **changes,
    }


STRIPE = "acct_1Savanna0001"
STRIPE_CREDENTIALS = StripeCredentials(
    api_key="sk_test_savanna0001", webhook_secret="whsec_ofsavanna", previous_webhook_secret="whsec_before"
)


def stripe_terms(simulator_url: str = "", **changes: Any) -> AccountTerms:
    """Return the terms of a Stripe account in dollars: at a simulator, or in Stripe's own test mode."""
    chosen = {
        "provider": "stripe",
        "label": "Savanna cards",
        "branch_id": access.head_office().id,
        "environment": Environment.SIMULATOR if simulator_url else Environment.SANDBOX,
        "base_url": f"{simulator_url}/stripe" if simulator_url else "https://api.stripe.com",
        "currency": "USD",
        "short_code": STRIPE,
        "minimum_minor": 50,
        "maximum_minor": 999_999_99,
        "fee_bps": 290,
    }
    return AccountTerms(**{**chosen, **changes})


def stripe_account(
    simulator_url: str = "", *, credentials: StripeCredentials = STRIPE_CREDENTIALS, **changes: Any
) -> ProviderAccount:
    """Open a Stripe account; a simulator is told of it by whoever runs one."""
    terms = stripe_terms(simulator_url, **changes)
    return accounts.create(terms=terms, credentials=credentials, actor=SYSTEM, now=NOW)


def stripes_side(*hooks: str, **changes: Any) -> dict[str, Any]:
    """Return the body that opens the same account with the simulator, whose messages go to these addresses."""
    return {
        "name": "Savanna Kitchens",
        "secret_key": STRIPE_CREDENTIALS.api_key,
        "webhooks": [{"url": url, "secret": STRIPE_CREDENTIALS.webhook_secret} for url in hooks],
        **changes,
    }


PAYPAL = "SAVANNAMERCH1"
PAYPAL_CREDENTIALS = PaypalCredentials(
    client_id="client-id-of-savanna", client_secret="client-secret-of-savanna", webhook_id="8PT597110X687430L"
)


def paypal_account(
    simulator_url: str = "", *, credentials: PaypalCredentials = PAYPAL_CREDENTIALS, **changes: Any
) -> ProviderAccount:
    """Open a PayPal account in dollars: at a simulator, which is told of it by whoever runs one, or in PayPal's sandbox."""
    chosen = {
        "provider": "paypal",
        "label": "Savanna wallets",
        "branch_id": access.head_office().id,
        "environment": Environment.SIMULATOR if simulator_url else Environment.SANDBOX,
        "base_url": f"{simulator_url}/paypal" if simulator_url else SANDBOX_URL,
        "currency": "USD",
        "short_code": PAYPAL,
        "minimum_minor": 1_00,
        "maximum_minor": 10_000_00,
        "fee_bps": 390,
    }
    terms = AccountTerms(**{**chosen, **changes})
    return accounts.create(terms=terms, credentials=credentials, actor=SYSTEM, now=NOW)


def paypals_side(*hooks: str, **changes: Any) -> dict[str, Any]:
    """Return the body that opens the same account with the simulator, whose messages go to these addresses."""
    return {
        "name": "Savanna Kitchens",
        "client_id": PAYPAL_CREDENTIALS.client_id,
        "client_secret": PAYPAL_CREDENTIALS.client_secret,
        "webhooks": [{"id": PAYPAL_CREDENTIALS.webhook_id, "url": url} for url in hooks],
        **changes,
    }
