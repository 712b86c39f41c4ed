"""What tests of payments stand on: the books, the events told, and a rail that is the simulator over real HTTP."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.db import transaction

from apps.events.models import OutboxEvent
from apps.integrations.contracts import Environment
from apps.integrations.models import CallbackProcessing, ProviderAccount
from apps.integrations.services import callbacks as inbox
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Entry, Transaction
from apps.ledger.selectors import accounts, balances
from apps.payments.services import callbacks
from apps.simulator import server
from apps.tenancy.models import Organisation
from tests.callbacks import Arrived, listening
from tests.factories import payments
from tests.loopback import NO_TLS
from tests.payments import cards as cardrail
from tests.payments import wallets as walletrail
from tests.payments.cards import CardRail
from tests.payments.wallets import WalletRail

PUSH = "/mpesa/stkpush/v1/processrequest"


def told(intent_id: UUID) -> list[str]:
    """Return the events of an intent in the order of publication."""
    events = OutboxEvent.objects.filter(aggregate_id=intent_id).order_by("aggregate_version")
    return list(events.values_list("type", flat=True))


def balance(role: AccountRole, currency: str = "KES") -> Money:
    """Return the balance of all accounts of a role, on its normal side."""
    found = [line.balance for line in balances.by_role(role) if line.balance.currency == currency]
    return sum(found, Money.zero(currency))


def every_balance() -> dict[AccountRole, Money]:
    """Return the balance of each role in KES, on its normal side: one query for all of them."""
    found = {role: Money.zero("KES") for role in AccountRole}
    for line in accounts.with_balances(currency="KES"):
        found[AccountRole(line.role)] += line.balance
    return found


def books() -> dict[str, str]:
    """Return every balance that is not zero, in KES."""
    return {role.value: money.text for role, money in every_balance().items() if not money.is_zero}


def bookings() -> int:
    return Transaction.objects.count()


def is_untouched() -> bool:
    """Say whether nothing has been booked."""
    return not Transaction.objects.exists() and not Entry.objects.exists()


@dataclass
class Rail:
    """The simulator and our callback address; nothing is recorded of a callback until the test delivers it."""

    url: str
    account: ProviderAccount
    arrived: list[Arrived] = field(default_factory=list)
    delivered: int = 0

    def control(self, method: str, path: str, body: object = None) -> httpx.Response:
        with httpx.Client(base_url=self.url, trust_env=False, timeout=10, verify=NO_TLS) as client:
            answer = client.request(method, f"/__control{path}", json=body)
        assert answer.is_success, answer.text
        return answer

    def tick(self, seconds: int) -> None:
        self.control("POST", "/tick", {"seconds": seconds})

    def script(self, *actions: object, times: int | None = 1, path: str = PUSH) -> None:
        self.control("POST", "/scripts", {"match": {"path": path}, "times": times, "actions": list(actions)})

    def prompts(self) -> list[dict[str, Any]]:
        return self.control("GET", "/prompts").json()["prompts"]

    def decide(self, decision: str) -> None:
        """Answer the newest prompt: approve, cancel or wrong-pin."""
        self.control("POST", f"/prompts/{self.prompts()[0]['id']}/{decision}")

    def statement(self) -> dict[str, Any]:
        return self.control("GET", f"/statement?shortcode={self.account.short_code}").json()

    def wait(self, count: int) -> None:
        """Wait until so many callbacks have come in all."""
        until = time.monotonic() + 5
        while len(self.arrived) < count:
            assert time.monotonic() < until, f"{len(self.arrived)} of {count} callbacks came"
            time.sleep(0.01)

    def deliver(self, count: int = 1) -> list[str]:
        """Store and apply the next callbacks as they came, and return the verdicts."""
        self.wait(self.delivered + count)
        verdicts = []
        for callback in self.arrived[self.delivered : self.delivered + count]:
            _, token, kind = callback.path.rsplit("/", 2)
            verdicts.append(deliver(token, kind, callback.body))
        self.delivered += count
        return verdicts


def deliver(token: str, kind: str, body: object) -> str:
    """Store a callback, apply it in a transaction as the relay does, and return its verdict."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    stored = inbox.store(
        token=token, kind=kind, body=raw, headers={}, remote_ip="196.201.214.200", now=payments.NOW
    )
    with transaction.atomic():
        callbacks.apply(callback_id=stored.id, now=payments.NOW)
    return CallbackProcessing.objects.get(callback_id=stored.id).status


@dataclass(frozen=True, slots=True)
class Street:
    """A simulator and the address where its callbacks come, for all tests of a session."""

    simulator: server.Running
    callback_url: str
    certificate: str
    arrived: list[Arrived]


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    arrived: list[Arrived] = []
    store_path = tmp_path_factory.mktemp("payments") / "simulator.sqlite3"
    simulator = server.serve(host="127.0.0.1", port=0, store_path=store_path, seed=7)
    with httpx.Client(trust_env=False, verify=NO_TLS) as client:
        certificate = client.get(f"{simulator.url}/__control/certificate").text
    with listening(arrived) as callback_url:
        yield Street(simulator, callback_url, certificate, arrived)
    simulator.close()


@pytest.fixture
def cards(committed_acme: Organisation, settings, street: Street) -> CardRail:
    """Open a shop that takes cards at the simulator, which has forgotten the tests before."""
    url = street.simulator.url
    settings.TREASURY = {**settings.TREASURY, "PUBLIC_URL": street.callback_url, "SIMULATOR_URL": url}
    account = cardrail.account(environment=Environment.SIMULATOR, base_url=f"{url}/stripe")
    street.arrived.clear()
    rail = CardRail(url, account, committed_acme, street.arrived)
    rail.control("POST", "/reset", {"accounts": True})
    rail.open(street.callback_url)
    return rail


@pytest.fixture
def wallets(committed_acme: Organisation, settings, street: Street) -> WalletRail:
    """Open a shop that takes PayPal at the simulator, which has forgotten the tests before."""
    url = street.simulator.url
    settings.TREASURY = {**settings.TREASURY, "PUBLIC_URL": street.callback_url, "SIMULATOR_URL": url}
    account = walletrail.account(environment=Environment.SIMULATOR, base_url=f"{url}/paypal")
    street.arrived.clear()
    rail = WalletRail(url, account, committed_acme, street.arrived)
    rail.control("POST", "/reset", {"accounts": True})
    rail.open(street.callback_url)
    return rail


@pytest.fixture
def rail(committed_acme: Organisation, settings, street: Street) -> Rail:
    """Open a new paybill at the simulator, which has forgotten the tests before."""
    url = street.simulator.url
    settings.TREASURY = {
        **settings.TREASURY,
        "PUBLIC_URL": street.callback_url,
        "SIMULATOR_URL": url,
    }
    account = payments.account(
        environment=Environment.SIMULATOR, base_url=f"{url}/daraja", certificate=street.certificate
    )
    street.arrived.clear()
    rail = Rail(url, account, street.arrived)
    rail.control("POST", "/reset", {"accounts": True})
    credentials = payments.CREDENTIALS
    rail.control(
        "PUT",
        f"/accounts/{account.short_code}",
        {
            "type": "paybill",
            "name": "Savanna Kitchens Ltd",
            "consumer_key": credentials.consumer_key,
            "consumer_secret": credentials.consumer_secret,
            "passkey": credentials.passkey,
            "initiator": credentials.initiator,
            "initiator_password": credentials.initiator_password,
            "charge_bps": account.fee_bps,
        },
    )
    return rail
