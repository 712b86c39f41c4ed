"""Rows of integrations for tests: a provider account, and a simulator's side of it."""

from datetime import UTC, datetime
from typing import Any

from apps.access.models import Branch
from apps.integrations.contracts import MPESA, AccountTerms, Environment, MpesaCredentials
from apps.integrations.models import ProviderAccount
from apps.integrations.services import accounts
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
