"""M-Pesa as a rail of the contract: what it calls things, what it lacks, and how its account is opened."""

from typing import Any

import httpx

from apps.integrations.contracts import Environment, ShortCodeType
from apps.integrations.services import registrations
from apps.kit import clock, jobs
from apps.payments.contracts import Choice, Method
from apps.tenancy.models import Organisation
from tests.contract.catalogue import Capability, Words
from tests.contract.rails import Rail, stopped
from tests.factories import access, payments

NAME = "M-Pesa"
FEE_BPS = 50
SHORT_CODE, STORE, TILL = "600977", "600978", "600979"


def refused(status: int, code: str, message: str) -> dict[str, object]:
    body = f'{{"requestId": "1-1", "errorCode": "{code}", "errorMessage": "{message}"}}'
    return {"action": "status", "status": status, "body": body}


def _side(kind: str, **changes: Any) -> dict[str, Any]:
    """Return what the simulator is told of one number."""
    secrets = payments.CREDENTIALS
    return {
        "type": kind,
        "name": "Savanna Kitchens Ltd",
        "consumer_key": secrets.consumer_key,
        "consumer_secret": secrets.consumer_secret,
        "passkey": secrets.passkey,
        "initiator": secrets.initiator,
        "initiator_password": secrets.initiator_password,
        "charge_bps": FEE_BPS,
        **changes,
    }


WORDS = Words(
    name=NAME,
    method=Method.MPESA,
    face="daraja",
    payer="254700000000",
    paths={
        "token": "/oauth/v1/generate",
        "connection": "/oauth/v1/generate",
        "collect": "/mpesa/stkpush/v1/processrequest",
        "query": "/mpesa/stkpushquery/v1/query",
        "status": "/mpesa/transactionstatus/v1/query",
        "refund": "/mpesa/reversal/v1/request",
        "statement": "/pulltransactions/v1/query",
        "balance": "/mpesa/accountbalance/v1/query",
        "qr": "/mpesa/qrcode/v1/generate",
        "pay": "/pay",
    },
    kinds={
        "token": "oauth",
        "collect": "stk_push",
        "query": "stk_query",
        "status": "transaction_status",
        "refund": "reversal",
        "statement": "pull",
        "balance": "account_balance",
        "qr": "qr",
    },
    declines=(
        ("1", "insufficient_funds"),
        ("2", "amount_too_small"),
        ("3", "amount_too_large"),
        ("4", "limit_exceeded"),
        ("8", "account_limit"),
        ("17", "duplicate_suspected"),
        ("26", "provider_unavailable"),
        ("1001", "subscriber_busy"),
        ("1019", "expired"),
        ("1025", "prompt_failed"),
        ("1032", "customer_cancelled"),
        ("1037", "customer_unreachable"),
        ("2001", "authentication_failed"),
        ("2028", "configuration"),
        ("8006", "payer_account_restricted"),
        ("9999", "prompt_failed"),
        ("SFC_IC0003", "configuration"),
    ),
    refusals=(
        (refused(400, "400.002.02", "Bad Request - Invalid Amount"), "invalid_request"),
        (refused(404, "404.001.01", "Resource not found"), "configuration"),
        (refused(500, "500.001.1001", "Merchant does not exist"), "configuration"),
        (refused(500, "500.001.1001", "Wrong credentials"), "invalid_credentials"),
        (
            refused(500, "500.001.1001", "Unable to lock subscriber, a transaction is in process"),
            "subscriber_busy",
        ),
    ),
    refund_declines=("1", "2001", "R000002"),
    refunded_before="R000001",
    nobodys="XYZ_9",
    till=TILL,
    numbers=(SHORT_CODE, TILL),
    choice=lambda payer: Choice(Method.MPESA, payer, "Njeri Kamau"),
    decides="254711000001",
    code_of=lambda row: row["account_reference"],
    asks_still=lambda rail: rail.control("GET", "/prompts")["prompts"][0]["state"] == "waiting",
    payer_forms={form: _side("paybill", payer_form=form) for form in ("plain", "masked", "hashed")},
    lacks={
        Capability.CAPTURE: "a payment comes whole and at once",
        Capability.PART_REFUND: "a reversal gives back a whole payment",
        Capability.REQUEST_KEY: "a repeated request is another prompt, so an open one is never sent again",
        Capability.WITHDRAW: "a prompt on a phone stays there; the wish is kept",
        Capability.TURN_BACK: "a reversal that was made stays made",
        Capability.REFUND_QUERY: "Transaction Status tells the fate of a reversal",
        Capability.REFUND_SEARCH: "a reversal is asked after by its ticket alone, or by a receipt that a person found",
        Capability.DISPUTE: "a payer asks Safaricom for a reversal, which is on the statement",
        Capability.APPEAL: "without disputes there is nothing to appeal",
        Capability.METHOD: "a payer approves each payment with a PIN",
        Capability.CONNECT: "Safaricom keeps no accounts in the name of ours",
        Capability.TRANSFER: "there are no such accounts to pay",
        Capability.WEBHOOK: "callbacks are known by the token in their address",
    },
)


def opened(
    simulator: httpx.Client, organisation: Organisation, certificate: str, asked_for: list[jobs.Job]
) -> Rail:
    """Open a paybill and a till of a store at a simulator that has forgotten everything, on a clock that stands."""
    url = str(simulator.base_url).rstrip("/")
    stopped(simulator)
    facts: dict[str, Any] = {
        "environment": Environment.SIMULATOR,
        "base_url": f"{url}/daraja",
        "certificate": certificate,
        "is_pull_enabled": True,
        "pull_number": "0722000000",
        "fee_bps": FEE_BPS,
    }
    access.portal()
    account = payments.account(short_code=SHORT_CODE, **facts)
    till = payments.account(
        short_code=STORE,
        short_code_type=ShortCodeType.TILL,
        till_number=TILL,
        branch_id=access.branch().id,
        **facts,
    )
    sides = {SHORT_CODE: _side("paybill"), STORE: _side("paybill"), TILL: _side("till", store=STORE)}
    for number, side in sides.items():
        assert simulator.put(f"/__control/accounts/{number}", json=side).is_success
    rail = Rail(
        words=WORDS, simulator=simulator, organisation=organisation, account=account, asked_for=asked_for
    )
    with clock.fixed(rail.now):
        for one in (account, till):
            registrations.register(account_id=one.id, asked_by="contract", now=rail.now)
    return rail
