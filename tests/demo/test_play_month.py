"""Play month: a few days of the demo organisation, lived through the services on the simulator's clock."""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from celery import Task
from django.conf import settings

from apps.accounts.models import User
from apps.events.models import EventDelivery, OutboxEvent, WebhookDelivery
from apps.jobs.models import Job
from apps.kit.money import Money
from apps.ledger.models import Entry, Transaction
from apps.ledger.selectors import explanations, plain_text
from apps.ledger.selectors.plain_text import Syntax
from apps.ledger.selectors.reports import trial_balance
from apps.payments.contracts import Choice, Method, NewIntent
from apps.payments.models import PaymentIntent, Refund
from apps.payments.services import intents
from apps.simulator import server
from tests.conftest import truncate
from tests.ledger.test_second_opinion import read_by_beancount, read_by_hledger
from treasury.demo import books, control, organisation, people, seeding, story
from treasury.demo.deeds import Deeds
from treasury.demo.endings import Ending
from treasury.demo.people import PHONE
from treasury.demo.seeding import Month
from treasury.demo.story import Verdict

ENDS_AT = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)
SMALL = Month(seed=7, days=3, orders=30)


@pytest.fixture
def simulators(tmp_path: Path, settings) -> Iterator[Callable[[], server.Running]]:
    """Return what starts a new simulator, always the same one, and points the treasury to it."""
    running: list[server.Running] = []

    def start() -> server.Running:
        store = tmp_path / f"{len(running)}.sqlite3"
        running.append(server.serve(host="127.0.0.1", port=0, store_path=store, seed=3))
        settings.TREASURY = {**settings.TREASURY, "SIMULATOR_URL": running[-1].url}
        return running[-1]

    yield start
    for each in running:
        each.close()


STATES = dict.fromkeys(Ending, "SUCCEEDED") | {
    Ending.CANCELLED: "FAILED",
    Ending.WRONG_PIN: "FAILED",
    Ending.BALANCE_LOW: "FAILED",
    Ending.UNREACHABLE: "FAILED",
    Ending.SLOW: "FAILED",
    Ending.NEVER_KNOWN: "UNKNOWN",
    Ending.WRONG_SUM: "IN_REVIEW",
    Ending.WITHDRAWN: "CANCELLED",
    Ending.CALLED_OFF: "CANCELLED",
    Ending.FORGOTTEN: "REQUIRES_CONFIRMATION",
    Ending.CARD_REFUSED: "EXPIRED",
    Ending.CARD_HELD: "REQUIRES_CAPTURE",
}
"""Where each ending leaves the payment in a story of three days."""


RETURNED = dict.fromkeys(Verdict, "SUCCEEDED") | {
    Verdict.REFUSED: "CANCELLED",
    Verdict.WAITING: "AWAITING_APPROVAL",
}


def silent(_: str) -> None:
    """Say nothing of the seeding."""


def play(month: Month = SMALL) -> str:
    """Fill and play in the organisation that was entered; return a digest of all its events and entries."""
    seeding.furnish(now=ENDS_AT, month=month, say=silent)
    digest = hashlib.sha256()
    events = OutboxEvent.objects.order_by("seq").values_list(
        "id", "type", "aggregate_id", "aggregate_version", "data", "occurred_at"
    )
    for *facts, data, at in events:
        digest.update(repr([str(fact) for fact in facts]).encode())
        said = json.dumps(data, sort_keys=True).replace(
            settings.TREASURY["SIMULATOR_URL"], "http://simulator"
        )
        digest.update(said.encode() + at.isoformat().encode())
    entries = Entry.objects.order_by("transaction_id", "seq").values_list(
        "transaction__uid", "account__uid", "direction", "amount", "net_after", "effective_date"
    )
    for entry in entries:
        digest.update(repr([str(fact) for fact in entry]).encode())
    return digest.hexdigest()


def endings(told: story.Story) -> dict[str, Ending]:
    return {order.reference: order.ending for order in told.orders}


def test_tells_the_same_story_from_the_same_seed():
    first = story.tell(seed=1, ends_at=ENDS_AT, days=30, count=400)
    again = story.tell(seed=1, ends_at=ENDS_AT, days=30, count=400)
    other = story.tell(seed=2, ends_at=ENDS_AT, days=30, count=400)

    assert first == again
    verdicts = Counter(returned.verdict for returned in first.returns)
    assert verdicts[Verdict.NOT_ASKED] >= 5
    assert (verdicts[Verdict.APPROVED], verdicts[Verdict.REFUSED], verdicts[Verdict.WAITING]) == (3, 1, 1)
    assert first.orders != other.orders
    assert {order.ending for order in first.orders} == set(Ending)
    assert len({order.reference for order in first.orders}) == 400
    assert all(first.starts_at < order.at < ENDS_AT for order in first.orders)
    assert not any(order.customer.phone.startswith("+254700000") for order in first.orders)


def test_plays_the_same_month_twice_and_another_from_another_seed(
    committed_acme, in_organisation, simulators
):
    digests = []
    for seed in (7, 7, 8):
        simulators()
        digests.append(play(Month(seed, SMALL.days, SMALL.orders)))
        truncate()
        in_organisation("acme")

    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_every_order_ends_as_told_and_the_books_foot(committed_acme, simulators, monkeypatch, tmp_path):
    simulator = simulators()
    lines: list[str] = []
    sent: list[str] = []
    monkeypatch.setattr(Task, "apply_async", lambda task, *_, **__: sent.append(task.name))

    seeding.furnish(now=ENDS_AT, month=SMALL, say=lines.append)

    house = organisation.enter()
    told = endings(story.tell(seed=SMALL.seed, ends_at=ENDS_AT, days=SMALL.days, count=SMALL.orders))
    stood = dict(PaymentIntent.objects.values_list("reference", "status"))
    assert {reference: (told[reference], status) for reference, status in stood.items()} == {
        reference: (ending, STATES[ending]) for reference, ending in told.items()
    }
    told_returns = story.tell(seed=SMALL.seed, ends_at=ENDS_AT, days=SMALL.days, count=SMALL.orders).returns
    assert dict(Refund.objects.values_list("intent__reference", "status")) == {
        returned.order.reference: RETURNED[returned.verdict] for returned in told_returns
    }
    assert {returned.verdict for returned in told_returns} >= {Verdict.NOT_ASKED, Verdict.WAITING}
    assert list(Job.objects.values_list("kind", "status")) == [("export", "SUCCEEDED")]
    verdict = books.check(house)
    assert verdict.do_foot, str(verdict)
    assert verdict.untold.is_zero
    assert_a_second_program_agrees(tmp_path / "month.beancount")
    if shutil.which("hledger"):  # script/test installs it where root may
        assert_a_third_program_agrees(tmp_path / "month.journal")
    assert list(explanations.without_evidence(as_of=ENDS_AT.date())) == []
    assert verdict.held.is_positive
    assert str(verdict) in lines[0]
    assert simulator.world.clock.is_stopped is False
    assert abs(simulator.world.clock.offset_ms) < 1000
    assert sent == []
    assert WebhookDelivery.objects.filter(next_attempt_at__isnull=False).exists()
    assert set(EventDelivery.objects.filter(status="PENDING").values_list("queue", flat=True)) == {
        "documents"
    }


def assert_a_second_program_agrees(path: Path) -> None:
    """Let beancount read the month: no error, and no account on which it finds another sum."""
    asked = {"as_of": ENDS_AT.date(), "known_at": ENDS_AT + timedelta(hours=1)}
    path.write_text("\n".join([*plain_text.export(Syntax.BEANCOUNT, **asked), ""]))

    found = read_by_beancount(path)

    assert found["errors"] == []
    rows = trial_balance.read(**asked).rows
    assert {key: Decimal(net) for key, net in found["sums"].items()} == {
        f"{plain_text.name(row)} {row.currency}": row.net.decimal for row in rows
    }
    assert found["transactions"] == Transaction.objects.count() >= 10


def assert_a_third_program_agrees(path: Path) -> None:
    """Let hledger read the month."""
    asked = {"as_of": ENDS_AT.date(), "known_at": ENDS_AT + timedelta(hours=1)}
    path.write_text("\n".join([*plain_text.export(Syntax.HLEDGER, **asked), ""]))

    rows = trial_balance.read(**asked).rows
    assert read_by_hledger(path) == {plain_text.name(row): row.net.decimal for row in rows}


def test_goes_on_where_it_was_interrupted(committed_acme, simulators, monkeypatch):
    simulators()
    orders: list[str] = []

    def until_the_tenth(deeds: Deeds, order: story.Order, *, now: datetime) -> None:
        orders.append(order.reference)
        ask(deeds, order, now=now)
        if len(orders) == 10:
            raise KeyboardInterrupt

    ask = Deeds.ask
    monkeypatch.setattr(Deeds, "ask", until_the_tenth)
    with pytest.raises(KeyboardInterrupt):
        seeding.furnish(now=ENDS_AT, month=SMALL, say=silent)
    monkeypatch.setattr(Deeds, "ask", ask)

    passwords, _ = seeding.furnish(now=ENDS_AT + timedelta(hours=1), month=SMALL, say=silent)

    told = endings(story.tell(seed=SMALL.seed, ends_at=ENDS_AT, days=SMALL.days, count=SMALL.orders))
    stood = dict(PaymentIntent.objects.values_list("reference", "status"))
    assert stood == {reference: STATES[ending] for reference, ending in told.items()}
    assert books.check(organisation.enter()).do_foot
    assert User.objects.get(email=people.OWNER.email).check_password(passwords.by_email[people.OWNER.email])


def test_makes_the_organisation_alone_where_no_month_is_wanted(committed_acme, simulators):
    simulators()

    _, access = seeding.furnish(now=ENDS_AT, month=None, say=silent)

    assert PaymentIntent.objects.exists() is False
    assert organisation.is_complete(organisation.enter())
    assert access.api_key.startswith("tsk_test_")


def test_says_which_account_does_not_foot(committed_acme, simulators):
    simulator = simulators()
    play()
    extra = {"action": "statement_extra", "amount": "100.00", "kind": "payment", "details": "Somebody else"}
    cancelled = {"action": "result", "code": "1032", "ms": 0}
    control.script(phone=PHONE, actions=[cancelled, extra], times=None)
    house = organisation.enter()
    request = NewIntent(
        money=Money(50_000, "KES"),
        branch_id=house.branches[story.CENTRE],
        application_id=house.application_id,
        choice=Choice(Method.MPESA, PHONE),
    )
    intent = intents.create(request=request, actor=house.till, now=ENDS_AT)
    intents.request(intent_id=intent.id, now=ENDS_AT)
    simulator.world.tick(seconds=1)

    verdict = books.check(house)

    assert not verdict.do_foot
    assert "account 600987: the statement says" in str(verdict)
