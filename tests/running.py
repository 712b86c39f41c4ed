"""A whole treasury in processes of its own, as script/server runs it, and what the tests do and see there."""

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.db import connection

from apps.events.models import EventDelivery, SandboxRequest, WebhookDelivery
from apps.integrations.models import ProviderAccount, ProviderCallback
from apps.kit import ids
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole
from apps.ledger.models import Transaction
from apps.ledger.selectors import balances
from apps.ledger.services import verification
from apps.payments.models import PaymentAttempt
from apps.tenancy.models import Organisation
from script.devkit.ephemeral import RunningTreasury

PATIENCE = 120.0
PUSH = "/mpesa/stkpush/v1/processrequest"
SHORT_CODE = "600986"
CBD_SHORT_CODE = "600987"
ENVIRONMENT = {
    "TREASURY_POLL_PLAN": "3,5,7,9,11,14,17,20,30,60",
    "TREASURY_SENDING_TIMEOUT": "6",
    "TREASURY_LIMIT_TEST_KEY": "0",
    "TREASURY_LIMIT_MONEY": "0",
    "TREASURY_LIMIT_STRANGERS": "0",
    "TREASURY_LIMIT_SIGN_INS": "0",
}
"""Shorter plans than in earnest, so that a test waits seconds for what takes minutes; tests ask more often than anybody."""


def wait_for[T](look: Callable[[], T], *, what: str, seconds: float = PATIENCE) -> T:
    """Look until it is there, and say what was missing when it does not come."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.2)


@dataclass
class World:
    """The API as a partner sees it, the simulator's control, and the database behind both."""

    treasury: RunningTreasury
    http: httpx.Client
    webhook_secret: str = ""
    inbox_id: str = ""
    payments: list[str] = field(default_factory=list)

    def call(
        self, method: str, path: str, body: Any = None, *, key: str = "", **headers: str
    ) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self.treasury.demo['api_key']}", **headers}
        if method == "POST":
            sent["Idempotency-Key"] = key or str(uuid.uuid4())
        return self.http.request(method, f"{self.treasury.demo['api_base']}{path}", json=body, headers=sent)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"{self.treasury.simulator_url}/__control{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def connect_inbox(self) -> None:
        """Make an inbox and an endpoint that points to it, as a partner developer would."""
        inbox = self.call("POST", "/sandbox-inboxes", {"label": "Tests"}).json()
        endpoint = self.call("POST", "/webhook-endpoints", {"url": inbox["url"]})
        assert endpoint.status_code == 201, endpoint.text
        self.inbox_id, self.webhook_secret = inbox["id"], endpoint.json()["secret"]

    def pay(self, phone: str, amount: str = "1500.00", **extra: Any) -> str:
        """Ask for money through the API and return the payment's id."""
        body = {
            "amount": {"amount": amount, "currency": "KES"},
            "method": "mpesa",
            "payer": {"phone": phone, "name": "Njeri Kamau"},
            **extra,
        }
        answer = self.call("POST", "/payments", body)
        assert answer.status_code == 201, answer.text
        self.payments.append(answer.json()["id"])
        return answer.json()["id"]

    def payment(self, payment_id: str) -> dict[str, Any]:
        answer = self.call("GET", f"/payments/{payment_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wait_status(self, payment_id: str, *wanted: str, seconds: float = PATIENCE) -> dict[str, Any]:
        seen: dict[str, Any] = {}

        def look() -> bool:
            seen.update(self.payment(payment_id))
            return seen["status"] in wanted

        wait_for(look, what=f"{payment_id} to be {' or '.join(wanted)}", seconds=seconds)
        return seen

    def tick(self, seconds: int) -> None:
        self.control("POST", "/tick", {"seconds": seconds})

    def prompt_of(self, payment_id: str) -> dict[str, Any]:
        """Return the simulator's prompt of a payment once it is there."""

        def look() -> dict[str, Any] | None:
            codes = {attempt.code for attempt in self.attempts(payment_id)}
            prompts = self.control("GET", "/prompts")["prompts"]
            return next((prompt for prompt in prompts if prompt["reference"] in codes), None)

        return wait_for(look, what=f"the prompt of {payment_id}")

    def decide(self, payment_id: str, decision: str) -> None:
        self.control("POST", f"/prompts/{self.prompt_of(payment_id)['id']}/{decision}")

    def latest_id(self) -> str:
        """The newest payment's id, "" before the first: compare it to see that nothing was made."""
        newest = self.call("GET", "/payments?limit=1").json()["data"]
        return newest[0]["id"] if newest else ""

    def attempts(self, payment_id: str) -> list[PaymentAttempt]:
        return list(PaymentAttempt.objects.filter(intent_id=ids.decode("pi", payment_id)).order_by("number"))

    def sends(self, payment_id: str) -> int:
        """How many push requests the simulator has received for a payment."""
        codes = {attempt.code for attempt in self.attempts(payment_id)}
        calls = [entry for entry in self.control("GET", "/log")["entries"] if entry.get("path") == PUSH]
        return sum(call["body"]["AccountReference"] in codes for call in calls)

    def movements(self, payment_id: str) -> list[str]:
        """The sums that the simulator's statement shows for a payment, charges left out."""
        codes = {attempt.code for attempt in self.attempts(payment_id)}
        rows = [row for row in self.statement(SHORT_CODE)["rows"] if row["kind"] == "payment"]
        return [row["paid_in"] for row in rows if row["account_reference"] in codes]

    def statement(self, short_code: str) -> dict[str, Any]:
        return self.control("GET", f"/statement?shortcode={short_code}")

    def bookings(self, payment_id: str) -> list[Transaction]:
        return list(Transaction.objects.filter(source_id=str(ids.decode("pi", payment_id))))

    def callbacks(self, payment_id: str) -> list[str]:
        """What came of each callback of a payment, in the order in which they came."""
        tokens = [attempt.callback_token for attempt in self.attempts(payment_id)]
        stored = ProviderCallback.objects.filter(token__in=tokens).select_related("processing").order_by("id")
        return [callback.processing.status for callback in stored]

    def webhooks(self, payment_id: str) -> Counter[str]:
        """How often each event type about a payment has arrived at the inbox."""
        arrived = [json.loads(bytes(request.body)) for request in self.requests()]
        return Counter(event["type"] for event in arrived if event["data"]["object"]["id"] == payment_id)

    def requests(self) -> list[SandboxRequest]:
        return list(SandboxRequest.objects.filter(inbox_id=ids.decode("inb", self.inbox_id)).order_by("id"))

    def settle_down(self) -> None:
        """Wait until every event and webhook has been delivered; one whose sender was killed waits for its lease first."""

        def is_quiet() -> bool:
            is_pending = EventDelivery.objects.filter(status="PENDING").exists()
            return (
                not is_pending and not WebhookDelivery.objects.filter(next_attempt_at__isnull=False).exists()
            )

        wait_for(is_quiet, what="events and webhooks to be delivered", seconds=2 * PATIENCE)

    def provider_balance(self, short_code: str = SHORT_CODE) -> Money:
        account = ProviderAccount.objects.get(short_code=short_code)
        return balances.of(
            AccountRef(AccountRole.PROVIDER_BALANCE, "KES", account.branch_id, owner_id=account.id)
        )

    def assert_foots(self) -> None:
        """The ledger is clean, and what it says the provider holds is the provider's own statement, charges included."""
        self.settle_down()
        verdict = verification.verify()
        assert verdict.is_clean, verdict.findings
        for short_code in (SHORT_CODE, CBD_SHORT_CODE):
            statement = self.statement(short_code)
            rows = [
                Money.parse(row["paid_in"] or "0", "KES") - Money.parse(row["withdrawn"] or "0", "KES")
                for row in statement["rows"]
            ]
            closing = sum(rows, Money.zero("KES"))
            assert closing == Money.parse(statement["closing_balance"], "KES")
            assert self.provider_balance(short_code) == closing


@contextmanager
def look_into(treasury: RunningTreasury) -> Iterator[None]:
    """Point this process' ORM at the running treasury's database, inside the demo organisation, as the app role."""
    url = urlsplit(treasury.variables["TREASURY_POSTGRES_URL"])
    there = {
        "HOST": url.hostname,
        "PORT": str(url.port),
        "NAME": url.path.lstrip("/"),
        "USER": "treasury_app",
        "PASSWORD": treasury.variables["TREASURY_POSTGRES_APP_PASSWORD"],
    }
    here = {name: connection.settings_dict[name] for name in there}
    master_key = settings.TREASURY["MASTER_KEY"]
    connection.close()
    connection.settings_dict.update(there)
    settings.TREASURY["MASTER_KEY"] = treasury.variables["TREASURY_MASTER_KEY"]
    try:
        enter()
        yield
    finally:
        connection.close()
        connection.settings_dict.update(here)
        connection.set_schema_to_public()
        settings.TREASURY["MASTER_KEY"] = master_key


def enter() -> None:
    connection.set_schema_to_public()
    connection.set_tenant(Organisation.objects.get(slug="savanna"))
