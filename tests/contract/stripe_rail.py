"""Stripe as a rail of the contract: what it calls things, what it lacks, and how its account is opened."""

from http import HTTPStatus
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
from tests.loopback import NO_TLS

NAME = "Stripe"
DAY = 24 * 3600
REFUSED_CARD = "4000000000000002"
TOLD = ("checkout.session.completed", "refund.created", "refund.failed", "charge.dispute.*")
"""One message of each thing that happens to payments and refunds, of which Stripe has several that all ask for the same question; of disputes all."""
FEE_BPS = 290


def refused(status: int, **error: str) -> dict[str, object]:
    told = ", ".join(f'"{name}": "{value}"' for name, value in {"message": "No.", **error}.items())
    return {"action": "status", "status": status, "body": f'{{"error": {{{told}}}}}'}


def card(**error: str) -> dict[str, object]:
    return refused(402, type="card_error", **error)


def wrong(status: int, **error: str) -> dict[str, object]:
    return refused(status, type="invalid_request_error", **error)


def _newest(rail: Rail) -> dict[str, Any]:
    return dict(rail.control("GET", "/stripe/sessions")["sessions"][0])


def _turn_down(rail: Rail, ticket: str) -> None:
    refused = rail.simulator.post(f"/__control/stripe/sessions/{ticket}/pay", json={"card": REFUSED_CARD})
    assert refused.status_code == HTTPStatus.CONFLICT


WORDS = Words(
    name=NAME,
    method=Method.CARD,
    face="stripe",
    payer="njeri+000@example.com",
    decides="njeri@example.com",
    choice=lambda payer: Choice(Method.CARD, payer_name="Njeri Kamau", email=payer),
    paths={
        "connection": "/v1/account",
        "collect": "/v1/checkout/sessions",
        "charge": "/v1/payment_intents",
        "query": "/v1/checkout/sessions/*",
        "capture": "/v1/payment_intents/*/capture",
        "refund": "/v1/refunds",
        "connect": "/v1/accounts",
        "transfer": "/v1/transfers",
        "reversal": "/v1/transfers/*/reversals",
        "statement": "/v1/balance_transactions",
        "setup": "/v1/checkout/sessions",
        "setup_query": "/v1/checkout/sessions/*",
        "method": "/v1/checkout/sessions/*",
        "forget": "/v1/payment_methods/*/detach",
        "dispute_list": "/v1/disputes",
        "dispute_query": "GET /v1/disputes/*",
        "evidence": "POST /v1/disputes/*",
        "accept": "/v1/disputes/*/close",
    },
    kinds={
        "collect": "checkout",
        "query": "session_query",
        "capture": "capture",
        "refund": "refund",
        "setup": "setup",
        "evidence": "evidence",
        "accept": "dispute_accept",
    },
    declines=(
        ("insufficient_funds", "insufficient_funds"),
        ("stolen_card", "declined_fraud"),
        ("incorrect_cvc", "invalid_payment_method"),
        ("processing_error", "provider_unavailable"),
        ("generic_decline", "declined"),
    ),
    gives_up_after=DAY + 1,
    refusals=(
        (wrong(400, code="amount_too_small"), "amount_too_small"),
        (wrong(400, code="parameter_invalid_empty"), "invalid_request"),
        (wrong(401), "invalid_credentials"),
        (wrong(403), "not_permitted"),
    ),
    refund_declines=("insufficient_funds", "charge_disputed"),
    refunded_before="charge_already_refunded",
    nobodys="XYZ_9",
    numbers=(integrations.STRIPE,),
    code_of=lambda row: str(row["metadata"].get("code", "")),
    asks_still=lambda rail: _newest(rail)["status"] == "open",
    keep=lambda rail, ticket: rail.control("POST", f"/stripe/sessions/{ticket}/pay", {}),
    turn_down=_turn_down,
    pages="sessions",
    token="payment_method",
    dispute=lambda rail, receipt: str(rail.control("POST", f"/stripe/charges/{receipt}/dispute", {})["id"]),
    heard=lambda dispute: int(dispute["evidence_details"]["submission_count"]),
    onboard=lambda _, url: httpx.post(url, data={"finish": "1"}, trust_env=False, verify=NO_TLS),
    restrict=lambda rail, ticket: rail.control("POST", f"/stripe/accounts/{ticket}/restrict", {}),
    fail_refund=lambda rail, ticket: rail.control("POST", f"/stripe/refunds/{ticket}/fail", {}),
    lacks={
        Capability.STATUS: "a payment is asked after by its session, and nobody types a receipt",
        Capability.INBOUND: "nobody pays by card without being asked",
        Capability.BALANCE: "what Stripe holds comes with the statements of accounts",
        Capability.APPEAL: "what may be appealed asks for evidence anew, and is answered as before",
        Capability.QR: "a card is not read from a picture",
        Capability.CALLBACK: "one address of the account takes every message, and each is signed",
        Capability.TOKEN: "the key goes along with each call",
        Capability.LATE: "a page that has ended takes no money",
        Capability.SILENCE: "a page is asked after for as long as it may be paid",
    },
)


def opened(
    simulator: httpx.Client, organisation: Organisation, certificate: str, asked_for: list[jobs.Job]
) -> Rail:
    """Open an account in shillings at a simulator that has forgotten everything, on a clock that stands."""
    del certificate  # of Safaricom
    url = str(simulator.base_url).rstrip("/")
    stopped(simulator)
    access.portal()
    account = integrations.stripe_account(url, currency="KES", fee_bps=FEE_BPS)
    hook = hooks.address(token=account.callback_token, kind=WEBHOOK)
    side = integrations.stripes_side(hook, currency="kes", country="KE", fee_bps=FEE_BPS, fee_fixed=0)
    side["webhooks"][0]["enabled_events"] = list(TOLD)
    assert simulator.put(f"/__control/accounts/{account.short_code}", json=side).is_success
    return Rail(
        words=WORDS, simulator=simulator, organisation=organisation, account=account, asked_for=asked_for
    )
