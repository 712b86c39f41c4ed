"""A card rail for tests of payments: the simulator's Stripe over real HTTP, and our address for its signed messages."""

import hashlib
import hmac
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from apps.integrations.contracts import AccountTerms, Environment
from apps.integrations.models import CallbackProcessing, ProviderAccount
from apps.integrations.ports import CollectionReport, Outcome
from apps.integrations.services import accounts
from apps.integrations.services import callbacks as inbox
from apps.integrations.stripe.client import API_URL
from apps.integrations.stripe.provider import StripeCredentials
from apps.kit import clock
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.kit.sweep import JOB_GRACE
from apps.payments.contracts import Choice, Method
from apps.payments.models import PaymentAttempt, PaymentIntent, Refund
from apps.payments.services import intents, refunds, webhooks
from apps.tenancy.models import Organisation
from tests.callbacks import Arrived
from tests.factories import access, payments
from tests.loopback import NO_TLS

NUMBER = "acct_1Savanna"
SECRET = "whsec_of_savanna"
CREDENTIALS = StripeCredentials(api_key="sk_test_savanna", webhook_secret=SECRET)
USD_25 = Money(25_00, "USD")
CARD = Choice(Method.CARD, payer_name="Amina Otieno", email="amina@example.com")


def account(**facts: Any) -> ProviderAccount:
    """Return an enabled Stripe account of head office in dollars, unless told."""
    terms: dict[str, Any] = {
        "provider": "stripe",
        "label": "Cards",
        "branch_id": access.head_office().id,
        "environment": Environment.SANDBOX,
        "base_url": API_URL,
        "currency": "USD",
        "short_code": NUMBER,
        "minimum_minor": 1_00,
        "maximum_minor": 1_000_000_00,
        "fee_bps": 300,
        **facts,
    }
    return accounts.create(
        terms=AccountTerms(**terms), credentials=CREDENTIALS, actor=SYSTEM, now=payments.NOW
    )


def authorized() -> PaymentAttempt:
    """Return the attempt of a payment whose payer has agreed to have 25 dollars held back; an account is opened when there is none."""
    if not ProviderAccount.objects.filter(provider="stripe").exists():
        account()
    waiting = payments.waiting(choice=CARD, money=USD_25, is_captured=False)
    report = CollectionReport(waiting.ticket, Outcome.AUTHORIZED, money=USD_25)
    intents.record(attempt_id=waiting.id, report=report, actor=PROVIDER, now=payments.NOW)
    return payments.reloaded(waiting)


@dataclass
class CardRail:
    """A shop that takes cards. Its messages wait until the test delivers them; its jobs until the test does them."""

    url: str
    account: ProviderAccount
    organisation: Organisation
    arrived: list[Arrived] = field(default_factory=list)
    delivered: int = 0

    def __post_init__(self) -> None:
        self.now: datetime = clock.now()

    def control(self, method: str, path: str, body: object = None) -> httpx.Response:
        with httpx.Client(base_url=self.url, trust_env=False, timeout=10, verify=NO_TLS) as client:
            answer = client.request(method, f"/__control{path}", json=body)
        assert answer.is_success, answer.text
        return answer

    def open(self, hooks: str, **facts: object) -> None:
        """Open the account at the simulator, which tells our address of everything."""
        address = f"{hooks}/hooks/{self.organisation.id.hex}/{self.account.callback_token}/webhook"
        self.control(
            "PUT",
            f"/accounts/{NUMBER}",
            {
                "name": "Savanna Kitchens",
                "secret_key": CREDENTIALS.api_key,
                "webhooks": [{"url": address, "secret": SECRET}],
                "may_overdraw": True,
                **facts,
            },
        )

    def act(self, kind: str, identifier: str, deed: str, **given: object) -> dict[str, Any]:
        """Let a person or a bank do something."""
        return self.control("POST", f"/stripe/{kind}/{identifier}/{deed}", given).json()

    def script(self, *actions: object, path: str = "/v1/checkout/sessions") -> None:
        body = {"match": {"face": "stripe", "path": path}, "times": 1, "actions": list(actions)}
        self.control("POST", "/scripts", body)

    def statement(self) -> dict[str, Any]:
        return self.control("GET", f"/statement?shortcode={NUMBER}").json()

    def objects(self, kind: str) -> list[dict[str, Any]]:
        return self.control("GET", f"/stripe/{kind}").json()[kind]

    def ask(self, **facts: Any) -> PaymentIntent:
        """Return a payment of USD 25.00 whose payer has the address of the page."""
        request = payments.wanted(**{"money": USD_25, "choice": CARD, **facts})
        intent = intents.create(request=request, actor=SYSTEM, now=self.now)
        intents.request(intent_id=intent.id, now=self.now)
        return payments.reload(intent.id)

    def pay(self, intent: PaymentIntent, card: str = "4242424242424242") -> dict[str, Any]:
        """Let the payer pay on the page; nothing is told before the test asks or delivers."""
        return self.act("sessions", payments.reload(intent.id).current_attempt.ticket, "pay", card=card)

    def paid(self, **facts: Any) -> PaymentAttempt:
        """Return the attempt of a payment that was paid and is booked."""
        intent = self.ask(**facts)
        self.pay(intent)
        return self.query(intent)

    def query(self, intent: PaymentIntent, *, after: timedelta = timedelta(minutes=1)) -> PaymentAttempt:
        """Let time pass and have the provider asked about a payment, by the sweep's road."""
        self.now += after
        attempt = payments.reload(intent.id).current_attempt
        intents.query(attempt_id=attempt.id, now=self.now)
        return payments.reloaded(attempt)

    def work(self) -> None:
        """Do what the sweep finds, until nothing is due."""
        self.now += JOB_GRACE
        for attempt in PaymentAttempt.objects.with_order(since=self.now):
            intents.carry_out(attempt_id=attempt.id, now=self.now)
        for attempt in PaymentAttempt.objects.due_for_query(now=self.now):
            intents.query(attempt_id=attempt.id, now=self.now)
        for refund in Refund.objects.waiting_to_be_sent(since=self.now):
            refunds.request(refund_id=refund.id, now=self.now)
        for refund in Refund.objects.due_for_query(now=self.now):
            refunds.query(refund_id=refund.id, now=self.now)

    def messages(self, *types: str, about: str = "") -> list[Arrived]:
        """
        Wait until a message of each of these types has come, about what is named, and return those of them. What was on its way
        for an earlier test is not ours.
        """
        until = time.monotonic() + 5
        found: list[Arrived] = []
        while {kind for kind in types if any(is_of(one, kind) for one in found)} != set(types):
            assert time.monotonic() < until, f"{types} did not come"
            time.sleep(0.01)
            own = [one for one in self.arrived if self.account.callback_token in one.path]
            named = [one for one in own if about.encode() in one.body]
            found = [one for one in named if any(is_of(one, kind) for kind in types)]
        return found

    def deliver(self, message: Arrived, **changed: Any) -> str:
        """Store a message as it came, but for what is changed, read it, and return the verdict."""
        headers = {**message.headers, **changed.pop("headers", {})}
        stored = inbox.store(
            token=self.account.callback_token,
            kind="webhook",
            body=changed.pop("body", message.body),
            headers=headers,
            remote_ip="127.0.0.1",
            now=changed.pop("now", self.now),
        )
        webhooks.apply(callback_id=stored.id, now=self.now)
        return CallbackProcessing.objects.get(callback_id=stored.id).status


def signed(body: bytes, *, at: datetime) -> Arrived:
    """Return a message of the provider's own making, signed as it signs."""
    stamp = int(at.timestamp())
    digest = hmac.new(SECRET.encode(), b"%d." % stamp + body, hashlib.sha256).hexdigest()
    return Arrived("", body, {"Stripe-Signature": f"t={stamp},v1={digest}"})


def is_of(message: Arrived, kind: str) -> bool:
    """Say whether a message is of a type, as either provider names it."""
    return any(f'type"{colon}"{kind}"'.encode() in message.body for colon in (":", ": "))
