"""
Keys for the load: four of an application that listens to webhooks, one of an application that does not; and accounts for
cards and wallets beside the paybills that the organisation has.

Run by .venv's Python as the application role; its arguments are the organisation and where the webhooks go.
"""

import json
import sys
from typing import Any
from uuid import UUID

import django

django.setup()

from django.conf import settings  # noqa: E402 (Django must be set up first)

from apps.access.selectors import branches  # noqa: E402
from apps.access.services import api_keys, applications  # noqa: E402
from apps.events.services import webhook_endpoints  # noqa: E402
from apps.integrations.contracts import AccountTerms, Environment, credentials  # noqa: E402
from apps.integrations.services import accounts, hooks  # noqa: E402
from apps.kit import clock, schema  # noqa: E402
from apps.kit.actors import SYSTEM  # noqa: E402
from apps.tenancy.selectors import organisations  # noqa: E402
from script.devkit.benches.payments_rails import CURRENCIES, PAYPAL, STRIPE  # noqa: E402
from treasury.demo import control  # noqa: E402

LISTENING = 4
SCOPES = ("payments:read", "payments:write")
NUMBERS = {STRIPE: "acct_1Bench0001", PAYPAL: "BENCHMERCH001"}
CARD_KEY, CARD_SECRET = "sk_test_ofthebench01", "whsec_ofthebench"
WALLET = {"client_id": "client-of-the-bench", "client_secret": "secret-of-the-bench"}
WALLET_HOOK = "8PT597110X687430L"
FEE_BPS = 300


def main(slug: str, receiver: str) -> dict[str, object]:
    schema.enter(organisations.ready_by_slug(slug))
    listening, silent = (
        applications.create(slug=name.lower(), name=name, actor=SYSTEM, now=clock.now()).id
        for name in ("Listening", "Silent")
    )
    webhook_endpoints.create(url=receiver, application_id=listening, actor=SYSTEM, now=clock.now())
    open_account(STRIPE, api_key=CARD_KEY, webhook_secret=CARD_SECRET)
    open_account(PAYPAL, **WALLET, webhook_id=WALLET_HOOK)
    keys = [issue(listening, f"Bench {number}") for number in range(LISTENING)]
    return {"listening": keys, "silent": issue(silent, "Bench")}


def issue(application_id: UUID, name: str) -> str:
    return api_keys.issue(
        application_id=application_id, name=name, scopes=SCOPES, actor=SYSTEM, now=clock.now()
    ).secret


def open_account(rail: str, **secrets: str) -> None:
    """Open an account of head office here and at the simulator, which tells us of it by signed messages."""
    terms = AccountTerms(
        provider=rail,
        label=f"Bench, {rail}",
        branch_id=branches.head_office().id,
        environment=Environment.SIMULATOR,
        base_url=f"{settings.TREASURY['SIMULATOR_URL']}/{rail}",
        currency=CURRENCIES[rail],
        short_code=NUMBERS[rail],
        fee_bps=FEE_BPS,
        minimum_minor=1_00,
        maximum_minor=10_000_00,
    )
    opened = accounts.create(
        terms=terms, credentials=credentials(rail, **secrets), actor=SYSTEM, now=clock.now()
    )
    control.open_account(NUMBERS[rail], {"name": "Bench", **SIDES[rail](hooks.webhook(opened))})


def side_of_stripe(url: str) -> dict[str, Any]:
    hook = {"url": url, "secret": CARD_SECRET, "enabled_events": ["checkout.session.*"]}
    own = {"secret_key": CARD_KEY, "country": "KE", "currency": "kes"}
    return {**own, "fee_bps": FEE_BPS, "fee_fixed": 0, "webhooks": [hook]}


def side_of_paypal(url: str) -> dict[str, Any]:
    told_of = ["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED"]
    hook = {"url": url, "id": WALLET_HOOK, "event_types": told_of}
    return {**WALLET, "fee_bps": FEE_BPS, "fee_fixed": 0, "webhooks": [hook]}


SIDES = {STRIPE: side_of_stripe, PAYPAL: side_of_paypal}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
