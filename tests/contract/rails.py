"""
A rail as the contract plays it: an account at its simulator over real HTTP, and our whole side, whose time a scenario moves.

Callbacks wait at the simulator until they are taken; each is brought to our address through Django's own stack and read
as a worker would. Nothing happens by itself, so nothing has to be waited for.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Min
from django.test import Client, override_settings

from apps.integrations.contracts import CallbackStatus
from apps.integrations.models import CallbackProcessing, ProviderAccount, ProviderCall
from apps.integrations.ports import CollectionRequest
from apps.integrations.services import providers
from apps.kit import circuits, clock, faults, ids, jobs
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.kit.sweep import JOB_GRACE
from apps.ledger.contracts import AccountRole
from apps.payments.contracts import AttemptStatus, CollectionTerms, IntentStatus, RefundStatus
from apps.payments.contracts.saving import SavedMethodStatus
from apps.payments.models import (
    Dispute,
    InboundReceipt,
    PaymentAttempt,
    PaymentIntent,
    Refund,
    SavedMethod,
)
from apps.payments.services import callbacks, dispute_queries, intents, policies, pulls, sweeps, webhooks
from apps.tenancy.models import Organisation
from tests.contract.catalogue import Capability, Words
from tests.factories import payments
from tests.payments.conftest import balance

ROUNDS = 60
BETWEEN = timedelta(hours=25)
"""Between two scenarios, so that no rule about the last day joins them."""
OURS = ("payments.", "integrations.")
"""The jobs that a rail is about; events, webhooks and documents are tried elsewhere."""


WEB = "http://testserver"
PLAN = [3, 8, 20]
"""Seconds after which is asked: a shorter plan than in earnest, through the same code."""
UNTOLD = (SavedMethodStatus.REQUESTED, SavedMethodStatus.UNKNOWN, SavedMethodStatus.FORGETTING)
"""Ways to pay of which the provider is to be told something; what only its payer can go on with waits for him."""
PATIENCE = 0.4
"""Seconds for an answer that never comes."""


class Killed(BaseException):
    """The process ended at a named point."""


@dataclass(slots=True, kw_only=True)
class Rail:
    """One account of an organisation, from the world's beginning; ``begin`` starts a scenario."""

    words: Words
    simulator: httpx.Client
    organisation: Organisation
    account: ProviderAccount
    asked_for: list[jobs.Job]
    now: datetime = payments.NOW
    verdicts: list[str] = field(default_factory=list)
    _waiting: list[tuple[datetime, jobs.Job]] = field(default_factory=list)
    _read: set[UUID] = field(default_factory=set)
    _early: list[UUID] = field(default_factory=list)
    _seen: int = 0
    _calls: Counter[str] = field(default_factory=Counter)
    _held: Money = field(init=False)
    _ours: Money = field(init=False)
    unseen: Money = field(init=False)
    """What moved in this scenario and nobody can know."""

    # -- the beginning and the end of a scenario -------------------------------------------------------------------

    def begin(self) -> None:
        """Leave what was before behind: from here on only what moves is counted."""
        self.control("DELETE", "/scripts")
        self.asked_for.clear()
        self._waiting.clear()
        self.let_pass(BETWEEN)
        self.take()
        self.verdicts.clear()
        self.unseen = self.money(0)
        kept = self.control("GET", f"/statement?shortcode={self.account.short_code}")
        self._seen, self._held = len(kept["rows"]), self._stated()
        self._calls, self._ours = _calls(), balance(AccountRole.PROVIDER_BALANCE, self.words.currency)

    def hold(self, play: Callable[["Rail"], None]) -> None:
        """Play a scenario to its end: what it says holds, and the books are even with the provider's statement."""
        play(self)
        assert self.is_even(), "the books differ from the provider's statement"

    def rows(self, kind: str = "") -> list[dict[str, Any]]:
        """Return what the provider's statement shows since the scenario began."""
        found = self.control("GET", f"/statement?shortcode={self.account.short_code}")["rows"][self._seen :]
        return [row for row in found if not kind or row["kind"] == kind]

    def is_even(self) -> bool:
        """Say whether what we booked at the provider since the scenario began is what its balance says."""
        moved = self._stated() - self._held
        return balance(AccountRole.PROVIDER_BALANCE, self.words.currency) - self._ours == moved - self.unseen

    def _stated(self) -> Money:
        """Return what the provider's statements say that we hold."""
        kept = [self.control("GET", f"/statement?shortcode={number}") for number in self.words.numbers]
        return sum((Money.parse(one["closing_balance"], self.words.currency) for one in kept), self.money(0))

    def money(self, minor: int) -> Money:
        """Return a sum in the currency in which the rail is played."""
        return Money(minor, self.words.currency)

    def sent(self, kind: str) -> int:
        """Return how many requests of a kind left since the scenario began."""
        return (_calls() - self._calls)[self.words.kinds[kind]]

    # -- the provider ----------------------------------------------------------------------------------------------

    def control(self, method: str, path: str, body: object = None) -> Any:
        told = self.simulator.request(method, f"/__control{path}", json=body)
        assert told.is_success, told.text
        return told.json()

    def spoil(self, kind: str, *actions: object, times: int | None = 1, body: object = None) -> None:
        """Have the next calls of a kind go wrong so."""
        method, _, path = self.words.paths[kind].rpartition(" ")
        match = {"path": path, "face": "phone" if kind == "pay" else self.words.face}
        match |= ({"method": method} if method else {}) | ({"body": body} if body else {})
        self.control("POST", "/scripts", {"match": match, "times": times, "actions": list(actions)})

    @contextmanager
    def spoiled(self, kind: str, *actions: object) -> Iterator[None]:
        """Have every call of a kind go wrong so meanwhile, and wait for no answer long."""
        self.spoil(kind, *actions, times=None)
        with self.impatient():
            yield
        self.control("DELETE", "/scripts")

    def pay(self, reference: str, shillings: int = 1500, *, business: str = "") -> dict[str, Any]:
        """Have a person pay of himself, and bring what is told of it; return the payment as the provider has it then."""
        made = self._pay(reference, shillings, business=business)
        self.take()
        made_since = self.control("GET", "/payments")["payments"]
        return next(one for one in made_since if one["receipt"] == made["receipt"])

    def pay_kept_back(self, reference: str, shillings: int = 1500) -> list[dict[str, Any]]:
        """Have a person pay of himself; answer the check, and return the confirmations without bringing them."""
        self._pay(reference, shillings)
        for check in self.kept_back():
            self.deliver(check)
        return self.kept_back()

    def pay_unread(self, reference: str, shillings: int = 1500) -> list[UUID]:
        """Have a person pay of himself; bring the confirmations, and return them unread."""
        return [self.store(one) for one in self.pay_kept_back(reference, shillings)]

    def show_payers(self, form: str) -> None:
        """Have the provider tell who pays in this form from now on."""
        self.control("PUT", f"/accounts/{self.account.short_code}", self.words.payer_forms[form])

    def _pay(self, reference: str, shillings: int, *, business: str = "") -> dict[str, Any]:
        order = {
            "shortcode": business or self.account.short_code,
            "msisdn": self.words.payer,
            "amount": f"{shillings}.00",
            "reference": reference,
        }
        return dict(self.control("POST", "/payments", order))

    # -- our side --------------------------------------------------------------------------------------------------

    def create(self, **facts: Any) -> PaymentIntent:
        """Ask for 1,500.00, without sending yet."""
        facts.setdefault("money", self.money(1500_00))
        facts.setdefault("choice", self.words.choice(facts.pop("payer", self.words.payer)))
        with clock.fixed(self.now):
            return intents.create(request=payments.wanted(**facts), actor=SYSTEM, now=self.now)

    def ask(self, **facts: Any) -> PaymentIntent:
        """Ask for 1,500.00 and send the request."""
        intent = self.create(**facts)
        self.work()
        return self.again(intent)

    def again(self, intent: PaymentIntent) -> PaymentIntent:
        """Return an intent as it stands now."""
        return payments.reload(intent.id)

    def attempt(self, intent: PaymentIntent) -> PaymentAttempt:
        return PaymentAttempt.objects.filter(intent_id=intent.id).order_by("-number")[0]

    def inbound(self, receipt: str) -> InboundReceipt:
        return InboundReceipt.objects.get(receipt=receipt)

    def work(self) -> None:
        """Do every job of the rail that is due, as workers would."""
        while job := self._next_job():
            with clock.fixed(self.now):
                jobs.run(job)

    def _next_job(self) -> jobs.Job | None:
        while self.asked_for:
            job = self.asked_for.pop(0)
            if job.name.startswith(OURS):
                self._waiting.append((self.now + timedelta(seconds=job.countdown), job))
        due = next((one for one in self._waiting if one[0] <= self.now), None)
        if due is None:
            return None
        self._waiting.remove(due)
        return due[1]

    def take(self) -> list[str]:
        """Bring the callbacks that are due in the order in which they fell due; return what became of them."""
        early, self._early = self._early, []
        for callback_id in early:
            self.apply(callback_id)
        self.work()
        verdicts = []
        while came := self.control("POST", "/callbacks/take", {})["callbacks"]:
            verdicts += [self.deliver(one) for one in came]
        self.verdicts += verdicts
        return verdicts

    def kept_back(self) -> list[dict[str, Any]]:
        """Take the callbacks that are due and do not bring them yet."""
        return list(self.control("POST", "/callbacks/take", {})["callbacks"])

    def deliver(self, callback: Mapping[str, Any]) -> str:
        """Bring one callback to our address, read it, and answer a check; return what became of it."""
        with clock.fixed(self.now):
            reply = self._post(callback)
            processing = CallbackProcessing.objects.exclude(callback_id__in=self._read).get()
            self._read.add(processing.callback_id)
            if processing.status == CallbackStatus.RECEIVED:
                self.apply(processing.callback_id)
                processing.refresh_from_db()
        if callback["kind"] == "validation":
            self.control("POST", f"/callbacks/{callback['id']}/answer", {"status": 200, "body": reply})
        self.work()
        return str(processing.status)

    def store(self, callback: Mapping[str, Any]) -> UUID:
        """Bring one callback to our address and leave it unread; return its id."""
        with clock.fixed(self.now):
            self._post(callback)
        kept = CallbackProcessing.objects.exclude(callback_id__in=self._read).get()
        self._read.add(kept.callback_id)
        return kept.callback_id

    def verdict(self, callback_id: UUID) -> str:
        return CallbackProcessing.objects.get(callback_id=callback_id).status

    def own(self, intent: PaymentIntent, came: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the callback that came to the address of an intent's attempt."""
        token = self.attempt(intent).callback_token
        return next(one for one in came if token in one["url"])

    def list_movements(self) -> None:
        """Read what the provider lists, as is done from time to time, where it lists anything."""
        if not self.has(Capability.STATEMENT):
            return
        self.let_pass(pulls.LEASE + timedelta(seconds=1))
        pulls.pull(account_id=self.account.id, clock=lambda: self.now)
        self.work()

    def list_disputes(self) -> None:
        """Read what the provider lists of disputes, as is done every hour."""
        dispute_queries.read_list(account_id=self.account.id, now=self.now)
        self.work()

    def apply(self, callback_id: UUID) -> None:
        """Read a stored message; one that overtook what it is about is read again when time has passed."""
        try:
            self.read(callback_id)
        except webhooks.NotYetMatched:
            self._early.append(callback_id)

    def read(self, callback_id: UUID) -> None:
        """Read a stored message as a worker would, by the kind of its address."""
        reader = webhooks if self.has(Capability.WEBHOOK) else callbacks
        reader.apply(callback_id=callback_id, now=self.now)

    def has(self, capability: Capability) -> bool:
        return capability not in self.words.lacks

    @contextmanager
    def terms(self, terms: CollectionTerms) -> Iterator[None]:
        """Let the organisation say this of money that comes otherwise than asked, and afterwards nothing."""
        policies.choose(terms=terms, reason="contract", actor=SYSTEM, now=self.now)
        yield
        policies.choose(terms=CollectionTerms(), reason="contract", actor=SYSTEM, now=self.now)

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Wait for no answer longer than the simulator hangs, and count no failures of calls."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(providers, "READ_TIMEOUT", PATIENCE)
            patch.setattr(circuits, "note", lambda *_, **__: None)
            yield

    def send_twice(self) -> list[str]:
        """Send one request twice, past every guard of ours, and return the tickets: only the provider can tell that it is the same."""
        self.spoil("collect", "drop_callback", times=2)
        address = f"{WEB}/hooks/nowhere"
        payer = self.words.choice(self.words.decides)
        request = CollectionRequest(
            self.money(1500_00),
            f"+{payer.phone}" if payer.phone else "",
            ids.code(),
            "Contract",
            address,
            email=payer.email,
            return_url=f"{WEB}/back",
        )
        port = providers.collection(self.account.id, now=self.now)
        return [port.request(request).value for _ in range(2)]

    def forget_circuits(self) -> None:
        """Count no failures that were: each fault of a scenario is met by an account that is well."""
        circuits.forget()

    def drop_jobs(self) -> None:
        """Lose every job that was asked for."""
        self.asked_for.clear()
        self._waiting.clear()

    def _post(self, callback: Mapping[str, Any]) -> str:
        body = callback["body"]
        is_as_sent = not isinstance(body, bytes) and json.loads(callback["text"]) == body
        content = callback["text"].encode() if is_as_sent else body
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = dict(callback.get("headers", {}))
        try:
            answer = Client().post(
                urlsplit(callback["url"]).path,
                content,
                content_type="application/json",
                headers=headers,
                REMOTE_ADDR=callback.get("source") or "127.0.0.1",
            )
        finally:
            connection.set_tenant(self.organisation)
        assert answer.status_code == 200, answer.content
        return answer.content.decode()

    # -- time ------------------------------------------------------------------------------------------------------

    def let_pass_seconds(self, seconds: int) -> None:
        self.let_pass(timedelta(seconds=seconds))

    def let_pass(self, time: timedelta) -> None:
        """Let time pass for the provider and for us; nobody does anything meanwhile."""
        self.now += time
        self.control("POST", "/tick", {"seconds": int(time.total_seconds())})

    def rest(self, *, seconds: int = 3) -> None:
        """Let time pass until nobody has anything to do: jobs, questions by the plan, callbacks that are owed."""
        self.let_pass(timedelta(seconds=seconds))
        for _ in range(ROUNDS):
            self.take()
            with clock.fixed(self.now):
                sweeps.run(now=self.now)
            self.work()
            due = self._next_due()
            if due is None:
                return
            self.let_pass(timedelta(seconds=max(1, int((due - self.now).total_seconds()) + 1)))
        raise AssertionError("it does not come to rest")

    def _next_due(self) -> datetime | None:
        owed = self.control("GET", "/state")["next_callback_at"]
        live, refunds = PaymentAttempt.objects.live(), Refund.objects.live()
        processing = PaymentIntent.objects.filter(status=IntentStatus.PROCESSING)
        untold = SavedMethod.objects.filter(status__in=UNTOLD)
        known = [
            *untold.aggregate(follow=Min("next_query_at")).values(),
            *Dispute.objects.aggregate(answer=Min("answer_due_at") + JOB_GRACE).values(),
            *live.aggregate(query=Min("next_query_at")).values(),
            *live.filter(status=AttemptStatus.SENDING).aggregate(sending=Min("created_at")).values(),
            *processing.aggregate(request=Min("next_request_at")).values(),
            *refunds.aggregate(request=Min("next_request_at"), query=Min("next_query_at")).values(),
            *refunds.filter(status=RefundStatus.SENDING).aggregate(sending=Min("sent_at")).values(),
            *(at for at, _ in self._waiting),
            datetime.fromisoformat(owed) if owed else None,
        ]
        return min((at for at in known if at is not None), default=None)

    @contextmanager
    def at(self, point: str, deed: Callable[[], None]) -> Iterator[None]:
        """Do something where the code passes a named point, the first time."""
        left = [point]

        def reach(name: str) -> None:
            if name in left:
                left.remove(name)
                deed()

        with faults.hooked(reach):
            yield
        assert not left, f"{point} was never passed"


def settings_of(simulator: httpx.Client) -> override_settings:
    """Return the settings under which a rail is played."""
    url = str(simulator.base_url).rstrip("/")
    changed = {"PUBLIC_URL": WEB, "SIMULATOR_URL": url, "POLL_PLAN": PLAN, "SENDING_TIMEOUT": 6}
    return override_settings(TREASURY={**settings.TREASURY, **changed})


def stopped(simulator: httpx.Client) -> None:
    """Have a simulator forget everything, stop its clock where ours begins, and keep its messages until they are taken."""
    for path, body in (
        ("/reset", {"accounts": True}),
        ("/clock", {"at": payments.NOW.isoformat(), "stopped": True}),
        ("/callbacks/hold", {"hold": True}),
    ):
        assert simulator.post(f"/__control{path}", json=body).is_success


def edited(callback: Mapping[str, Any], old: object, new: object) -> dict[str, Any]:
    """Return a callback that tells another value wherever it told this one."""

    def change(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: change(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [change(inner) for inner in value]
        return new if value == old or (str(value) in (f"{old}.00", f"{old}.0")) else value

    return {**callback, "body": change(callback["body"])}


def die() -> None:
    """End the process that passes."""
    raise Killed


def _calls() -> Counter[str]:
    return Counter(ProviderCall.objects.values_list("kind", flat=True))
