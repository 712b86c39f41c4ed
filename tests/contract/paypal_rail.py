"""PayPal as a rail of the contract: what it calls things, what it lacks, and how its account is opened."""

from typing import Any

import httpx

from apps.integrations.services import hooks
from apps.integrations.services.callbacks import WEBHOOK
from apps.kit import jobs
from apps.payments.contracts import Choice, Method
from apps.tenancy.models import Organisation
from tests.contract.catalogue import Capability, Words
from tests.contract.rails import Rail, stopped
from tests.factories import access, integrations

FEE_BPS = 400
DAY = 86_400


def refused(status: int, name: str, issue: str) -> dict[str, object]:
    body = f'{{"name": "{name}", "message": "No.", "debug_id": "b3c2", "details": [{{"issue": "{issue}"}}]}}'
    return {"action": "status", "status": status, "body": body}


def _newest(rail: Rail) -> dict[str, Any]:
    return dict(rail.control("GET", "/paypal/orders")["orders"][0])


def _act(kind: str, deed: str) -> Any:
    return lambda rail, identifier: rail.control("POST", f"/paypal/{kind}/{identifier}/{deed}", {})


def _dispute(rail: Rail, receipt: str, **claim: str) -> str:
    return str(rail.control("POST", f"/paypal/captures/{receipt}/dispute", claim)["dispute_id"])


def _lose(rail: Rail, receipt: str) -> str:
    ticket = _dispute(rail, receipt, reason="MERCHANDISE_OR_SERVICE_NOT_RECEIVED", stage="INQUIRY")
    rail.control("POST", f"/paypal/disputes/{ticket}/lose", {})
    return ticket


WORDS = Words(
    name="PayPal",
    method=Method.PAYPAL,
    face="paypal",
    currency="USD",
    payer="njeri+000@example.com",
    decides="njeri@example.com",
    choice=lambda payer: Choice(Method.PAYPAL, payer_name="Njeri Kamau", email=payer),
    paths={
        "token": "/v1/oauth2/token",
        "connection": "/v1/oauth2/token",
        "collect": "/v2/checkout/orders",
        "charge": "/v2/checkout/orders",
        "query": "/v2/checkout/orders/*",
        "capture": "/v2/payments/authorizations/*/capture",
        "refund": "/v2/payments/captures/*/refund",
        "statement": "/v1/reporting/transactions",
        "setup": "/v3/vault/setup-tokens",
        "setup_query": "/v3/vault/setup-tokens/*",
        "method": "/v3/vault/payment-tokens",
        "forget": "DELETE /v3/vault/payment-tokens/*",
        "dispute_list": "/v1/customer/disputes",
        "dispute_query": "GET /v1/customer/disputes/*",
        "evidence": "/v1/customer/disputes/*/provide-evidence",
        "accept": "/v1/customer/disputes/*/accept-claim",
        "appeal": "/v1/customer/disputes/*/appeal",
    },
    kinds={
        "token": "oauth",
        "collect": "order",
        "query": "order_query",
        "capture": "capture",
        "refund": "refund",
        "setup": "setup",
        "evidence": "evidence",
        "accept": "dispute_accept",
        "appeal": "dispute_appeal",
    },
    declines=(
        ("INSTRUMENT_DECLINED", "declined"),
        ("TRANSACTION_LIMIT_EXCEEDED", "limit_exceeded"),
        ("PAYER_ACCOUNT_RESTRICTED", "payer_account_restricted"),
    ),
    too_old=4 * DAY + 1,
    is_taken_by_order=True,
    leaves_open=True,
    refusals=(
        (refused(400, "INVALID_REQUEST", "DECIMAL_PRECISION"), "invalid_request"),
        (refused(422, "UNPROCESSABLE_ENTITY", "PAYEE_ACCOUNT_RESTRICTED"), "merchant_account_restricted"),
        (refused(403, "NOT_AUTHORIZED", "PERMISSION_DENIED"), "not_permitted"),
    ),
    refund_declines=("REFUND_FAILED_INSUFFICIENT_FUNDS", "REFUND_NOT_ALLOWED"),
    refunded_before="CAPTURE_FULLY_REFUNDED",
    nobodys="NOBODYS_ISSUE",
    numbers=(integrations.PAYPAL,),
    code_of=lambda row: str(row["custom_id"]),
    asks_still=lambda rail: _newest(rail)["status"] in ("CREATED", "PAYER_ACTION_REQUIRED"),
    keep=_act("setups", "approve"),
    pages="setups",
    token="payment_token",
    dispute=_dispute,
    heard=lambda dispute: len(dispute["evidences"]),
    lose=_lose,
    overrule=_act("disputes", "win"),
    lacks={
        Capability.STATUS: "a payment is asked after by its order, and nobody types a receipt",
        Capability.INBOUND: "nobody pays by PayPal without being asked",
        Capability.BALANCE: "what PayPal holds comes with the statements of accounts",
        Capability.QR: "a wallet is not read from a picture",
        Capability.CALLBACK: "one address of the account takes every message, and each is signed",
        Capability.LATE: "an order that has ended takes no money",
        Capability.SILENCE: "an order is asked after for as long as it may be paid",
        Capability.WITHDRAW: "an order that nobody approves runs out by itself",
        Capability.CONNECT: "accounts of others are not connected to ours here",
        Capability.TRANSFER: "there are no such accounts to pay",
        Capability.TURN_BACK: "a refund that was completed stays so",
    },
)


def opened(
    simulator: httpx.Client, organisation: Organisation, certificate: str, asked_for: list[jobs.Job]
) -> Rail:
    """Open an account in dollars at a simulator that has forgotten everything, on a clock that stands."""
    del certificate  # of Safaricom
    stopped(simulator)
    access.portal()
    url = str(simulator.base_url).rstrip("/")
    account = integrations.paypal_account(url, fee_bps=FEE_BPS)
    hook = hooks.address(token=account.callback_token, kind=WEBHOOK)
    side = integrations.paypals_side(hook, fee_bps=FEE_BPS, fee_fixed=0)
    assert simulator.put(f"/__control/accounts/{account.short_code}", json=side).is_success
    return Rail(
        words=WORDS, simulator=simulator, organisation=organisation, account=account, asked_for=asked_for
    )
