"""One organisation, its partner, its provider, its broker and its workers in one process, behind all of it one seed."""

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from django.conf import settings
from django.core.cache import cache as kept
from django.db import OperationalError, connection
from django.test import Client, override_settings

from apps.integrations.contracts import MPESA, Environment, ShortCodeType
from apps.integrations.models import ProviderAccount
from apps.kit import circuits, clock, faults, http, ids, jobs, rate_limits
from apps.simulator import server
from apps.simulator.contracts import AnswerKind, Request
from apps.simulator.services import credentials
from apps.simulator.store import write_setting
from apps.tenancy.models import Organisation
from tests.factories import access, integrations
from tests.simulation.books import Books
from tests.simulation.interruptions import Crash, Interruptions
from tests.simulation.reviewed import Reviewed
from tests.simulation.watching import Watch, is_lock_timeout

STARTS_AT = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
WEB = "http://127.0.0.1:8000"
PROVIDER = "http://127.0.0.1:4010"
HERE = "127.0.0.1"
PATIENCE_MS = 30_000
"""For so long we wait for an answer of the provider: one that is later counts for none."""
HOST = {"host": urlsplit(PROVIDER).netloc}
SLUG = "acme"
SHORT_CODES = ("600101", "600102")
STORE, TILL = "600103", "600193"
"""A store and its till: of what is asked for there no message but the callback, and no list, tells the payment."""
STRIPE = "acct_1Simulated"
LISTENS_TO = ("payment_success", "payment_partially_paid", "payment_failed", "payment_in_review")
RENDERING_LANE = "documents"
RENDERING_SEEDS = 200
"""Every so many seeds PDFs are rendered: one takes longer than a whole seed without."""
SETTINGS = {
    "PUBLIC_URL": WEB,
    "SANDBOX_INBOX_PREFIX": f"{WEB}/sandbox/",
    "SIMULATOR_URL": PROVIDER,
    "POLL_PLAN": [3, 8, 20],
    "SENDING_TIMEOUT": 6,
    "FAULT_PATH": "",
}
"""Shorter plans than in earnest: the same code passes through them in fewer steps."""


class Broken(Exception):
    """What the simulation holds to be true is not; the message says what."""


@dataclass(order=True)
class Message:
    """A job in the broker, or a callback on the wire, and from when on it may arrive."""

    due_at: datetime
    number: int
    content: Any = field(compare=False)


@dataclass(frozen=True)
class Reply:
    """What the partner or the provider got back over HTTP."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass
class Asked:
    """A request of the partner, with what it needs to be repeated word for word."""

    path: str
    body: Any
    key: str
    reply: Reply | None = None


class World:
    """Everything that lives for one seed. Enter ``running()``, then let actions act and ``settle`` at the end."""

    def __init__(self, *, seed: int, folder: Path, hits: Counter[str]) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.folder = folder
        self.hits = hits
        self.now = STARTS_AT
        self.steps: list[str] = []
        self.problems: list[str] = []
        self.broker: list[Message] = []
        self.wire: list[Message] = []
        self.asked: list[Asked] = []
        self.payments: list[str] = []
        self.answered: set[int] = set()
        self.stopped: list[tuple[UUID, str]] = []
        self.forged: set[str] = set()
        self.takes_parts = False
        self.reviewed = Reviewed()
        self.merchants: dict[UUID, str] = {}
        self.links: dict[UUID, str] = {}
        self.asked_again: Counter[UUID] = Counter()
        self.interruptions = Interruptions(self)
        self.token = self.decider_token = ""
        self.books: Books | None = None
        self._numbers = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hold clock, ids, jobs, HTTP and fault points of this process while the world lives."""
        kept.clear()
        circuits.forget()
        rate_limits.forget()
        self.organisation = Organisation.objects.get(slug=SLUG)
        connection.set_tenant(self.organisation)
        self.simulator = server.build(store_path=self.folder / f"{self.seed}.sqlite3", seed=self.seed)
        with ExitStack() as stack:
            stack.callback(self._close_simulator)
            stack.enter_context(override_settings(TREASURY={**settings.TREASURY, **SETTINGS}))
            stack.enter_context(ids.seeded(self.seed))
            self._sent = stack.enter_context(jobs.held())
            stack.enter_context(http.carried(self.carry))
            stack.enter_context(faults.hooked(self.interruptions.reach))
            with clock.fixed(self.now):
                self._furnish()
            yield
        connection.set_schema_to_public()

    def _close_simulator(self) -> None:
        self.simulator.store.close()

    def _furnish(self) -> None:
        with self.simulator.store.transaction() as tx:
            for name, value in key_pair().items():
                write_setting(tx=tx, key=name, value=value)
        self.control("POST", "/clock", {"at": self.now.isoformat(), "stopped": True})
        self.control("POST", "/callbacks/hold", {"hold": True})
        self.interruptions.is_calm = True
        self.token = access.issued().secret
        from tests.simulation import cards, deciding, refunding, transferring, unasked, wallets  # noqa: PLC0415 (their deeds know the world)

        refunding.furnish(self)
        places = zip(SHORT_CODES, (access.head_office(), access.branch()), (unasked.LARGE, None), strict=True)
        for short_code, branch, confirm_from in places:
            integrations.provider_account(
                branch,
                environment=Environment.SIMULATOR,
                base_url=f"{PROVIDER}/daraja",
                short_code=short_code,
                certificate=key_pair()[credentials.CERTIFICATE],
                is_pull_enabled=True,
                pull_number="0722000000",
                confirm_from_minor=confirm_from,
            )
            side = integrations.simulators_side(payer_form=self.rng.choice(("plain", "masked", "hashed")))
            self.control("PUT", f"/accounts/{short_code}", side)
        self._furnish_till()
        deciding.furnish(self)
        unasked.furnish(self)
        cards.furnish(self)
        wallets.furnish(self)
        transferring.furnish(self)
        inbox = self.call("POST", "/sandbox-inboxes", {"label": "Partner"})
        self.inbox_id = inbox.body["id"]
        self.call("POST", "/webhook-endpoints", {"url": inbox.body["url"], "event_types": list(LISTENS_TO)})
        self.branch_ids = [ids.encode("br", account.branch_id) for account in self.accounts()]
        self.interruptions.is_calm = False

    def _furnish_till(self) -> None:
        integrations.provider_account(
            access.branch("MSA", "Mombasa"),
            environment=Environment.SIMULATOR,
            base_url=f"{PROVIDER}/daraja",
            short_code=STORE,
            short_code_type=ShortCodeType.TILL,
            till_number=TILL,
            certificate=key_pair()[credentials.CERTIFICATE],
            is_pull_enabled=True,
            pull_number="0722000000",
        )
        form = self.rng.choice(("plain", "masked", "hashed"))
        self.control("PUT", f"/accounts/{STORE}", integrations.simulators_side())
        till = integrations.simulators_side(payer_form=form, type="till", store=STORE)
        self.control("PUT", f"/accounts/{TILL}", till)

    @property
    def renders(self) -> bool:
        """Say whether this seed renders PDFs."""
        return self.seed % RENDERING_SEEDS == 0

    def accounts(self) -> list[ProviderAccount]:
        """Return the accounts of M-Pesa by short code."""
        return list(ProviderAccount.objects.filter(provider=MPESA).order_by("short_code"))

    def numbers(self) -> list[str]:
        """Return what may be paid unasked: paybills, and the till of the store."""
        return [account.till_number or account.short_code for account in self.accounts()]

    def note(self, text: str) -> None:
        """Write down what happened: it is printed for a failing seed and goes into the hash."""
        self.steps.append(f"{(self.now - STARTS_AT).total_seconds():>7.0f}s  {text}")

    def hit(self, *names: str) -> None:
        """Count what the table of coverage shows."""
        self.hits.update(names)

    def chance(self, share: float) -> bool:
        """Say yes with this probability."""
        return self.rng.random() < share

    def next_number(self) -> int:
        """Number what has to be told apart."""
        self._numbers += 1
        return self._numbers

    # -- HTTP, both ways ------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, body: Any = None, *, key: str = "", token: str = "") -> Reply:
        """Call the API as the partner, or by another key; only a crash passes, as an answer that does not come."""
        headers = {
            **access.bearer(token or self.token),
            "Idempotency-Key": key or f"key-{self.next_number()}",
        }
        return self._web(method, f"/v1/{SLUG}{path}", json.dumps(body or {}).encode(), headers)

    def _web(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], *, source: str = HERE
    ) -> Reply:
        """Hand a request to Django's own stack, and enter the organisation again, which a request leaves."""
        client = Client(raise_request_exception=False)
        sent = {
            name: value
            for name, value in headers.items()
            if name.lower() not in ("content-type", "content-length")
        }
        try:
            answer = client.generic(
                method, path, body, content_type="application/json", headers=sent, REMOTE_ADDR=source
            )
        finally:
            connection.set_tenant(self.organisation)
            self.collect_jobs()
        is_json = "json" in answer.headers.get("Content-Type", "")
        content = answer.json() if is_json and answer.content else answer.content
        return Reply(answer.status_code, content, dict(answer.headers))

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the simulator's control interface, which must agree."""
        status, answer = self.controlled(method, path, body)
        if status >= 400:
            raise Broken(f"control {path} answered {status}: {answer}")
        return answer

    def controlled(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Call the simulator's control interface; return the status with what it said."""
        split = urlsplit(f"/__control{path}")
        content = b"" if body is None else json.dumps(body).encode()
        request = Request(
            method=method, path=split.path, query=dict(parse_qsl(split.query)), headers=HOST, body=content
        )
        answer = server.route(world=self.simulator, request=request)
        return answer.status, json.loads(answer.body) if answer.body else None

    def carry(self, method: str, url: str, headers: Mapping[str, str], content: bytes) -> http.Answer:
        """Stand for the network between our processes and everybody's servers."""
        if url.startswith(f"{WEB}/"):
            try:
                reply = self._web(method, url.removeprefix(WEB), content, headers)
            except Crash as crash:
                raise http.NoAnswer("connection", "the server ended") from crash
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            return http.Answer(reply.status, reply.headers, body, 0, "127.0.0.1")
        if not url.startswith(f"{PROVIDER}/"):
            raise http.NotSent("connect", f"nobody answers at {url}")
        self.interruptions.before_network()
        split = urlsplit(url)
        request = Request(
            method=method,
            path=split.path,
            query=dict(parse_qsl(split.query)),
            headers={name.lower(): value for name, value in headers.items()} | HOST,
            body=content,
        )
        answer = server.route(world=self.simulator, request=request)
        self.collect_callbacks()
        if answer.kind is AnswerKind.HANG or answer.delay_ms > PATIENCE_MS:
            raise http.NoAnswer("timeout")
        if answer.kind is AnswerKind.RESET:
            raise http.NoAnswer("connection")
        self.interruptions.after_network()
        told = {"content-type": answer.content_type} | {name.lower(): one for name, one in answer.headers}
        return http.Answer(answer.status, told, answer.body, 0, "127.0.0.1")

    # -- broker and wire ------------------------------------------------------------------------------------------

    def collect_jobs(self) -> None:
        """Move what was enqueued into the broker."""
        while self._sent:
            job = self._sent.pop(0)
            if job.arguments.get("lane") == RENDERING_LANE and not self.renders:
                continue
            due_at = self.now + timedelta(seconds=job.countdown)
            self.broker.append(Message(due_at, self.next_number(), job))

    def collect_callbacks(self) -> None:
        """Take what the provider sends; one that comes before an answer is delivered at once."""
        for taken in self.control("POST", "/callbacks/take", {})["callbacks"]:
            if taken["before_response"]:
                self.hit("network:callback_before_response")
                self.deliver(taken)
            else:
                self.wire.append(Message(self.now, self.next_number(), taken))

    def deliver(self, taken: Mapping[str, Any]) -> Reply | None:
        """Bring a callback to our address, and a validation's answer back; None where our process ended before it answered."""
        body = taken["text"] if "text" in taken else json.dumps(taken["body"])
        reply = None
        try:
            reply = self._web(
                "POST",
                urlsplit(taken["url"]).path,
                body.encode(),
                taken.get("headers", {}),
                source=taken.get("source") or HERE,
            )
        except Crash:
            self.recover()
        if taken.get("kind") == "validation" and taken["id"] not in self.answered:
            self.answered.add(taken["id"])
            answer = {"status": reply.status, "body": json.dumps(reply.body)} if reply else {"status": None}
            self.control("POST", f"/callbacks/{taken['id']}/answer", answer)
            self.collect_callbacks()
        return reply

    def due_jobs(self) -> list[Message]:
        """Return the jobs whose countdown has ended."""
        return [message for message in self.broker if message.due_at <= self.now]

    def run_job(self, job: jobs.Job) -> str:
        """Do a job as a worker would and say how it ended: done, failed, blocked, or where the process ended."""
        outcome = "failed"
        with self.watched(f"job {job.name}"):
            try:
                jobs.run(job)
                outcome = "done"
            except Crash as crash:
                outcome = f"crashed at {crash}"
            except OperationalError as blocked:
                if not is_lock_timeout(blocked):
                    raise
                outcome = "blocked"
        if outcome != "done":
            self.recover()
        self.collect_jobs()
        return outcome

    def watched(self, what: str) -> Watch:
        """Make a problem of whatever the block raises: no deed of the system may fail that nobody has foreseen."""
        return Watch(self.problems, what)

    def recover(self) -> None:
        """A process ended: its connection is gone, and with it whatever was not committed. Another one takes over."""
        connection.close()
        connection.set_tenant(self.organisation)

    # -- time -----------------------------------------------------------------------------------------------------

    def tick(self, seconds: int) -> None:
        """Let time pass for everybody."""
        self.now += timedelta(seconds=seconds)
        self.control("POST", "/tick", {"seconds": seconds})
        self.collect_callbacks()

    def restart_simulator(self) -> None:
        """End the provider's process and start it again from what it has written."""
        self.simulator.store.close()
        self.simulator = server.build(store_path=self.folder / f"{self.seed}.sqlite3", seed=self.seed)


@cache
def key_pair() -> dict[str, str]:
    """Return the provider's key pair: made once per process, for a new one takes longer than a seed may."""
    with server.build(store_path=Path(":memory:"), seed=0).store.transaction() as tx:
        certificate = credentials.certificate(tx=tx)
        private_key = tx.execute("SELECT value FROM setting WHERE key = ?", (credentials.KEY,)).fetchone()[0]
    return {credentials.KEY: private_key, credentials.CERTIFICATE: certificate}
