"""Scenarios of disputes that are heard of, asked after and recorded: each step is booked and told once, whatever is lost, doubled or late."""

from collections import Counter
from datetime import timedelta

import pytest

from apps.ledger.models import Transaction
from apps.payments.contracts import DisputeStatus
from apps.payments.models import Dispute, PullCursor
from apps.payments.services import dispute_queries
from tests.contract.catalogue import Capability, scenario
from tests.contract.rails import Killed, Rail, die
from tests.contract.signing import HARMLESS, come
from tests.payments.conftest import told
from tests.payments.test_two_connections import at_once

AGAIN = timedelta(hours=6)
"""After this an open dispute is asked after again, at the latest."""
OVER = timedelta(days=11)
"""After this no provider takes an answer any more, nor an appeal."""
OPENED = ["opened", "funds_withdrawn"]
WON = [*OPENED, "funds_reinstated", "won"]
UNREAD = (
    {"action": "reset"},
    {"action": "status", "status": 500},
    {"action": "html_error"},
    {"action": "malformed_json"},
    {"action": "rate_limit", "code": "429"},
)

hears = lambda name: scenario(Capability.DISPUTE, name)  # noqa: E731 (an abbreviation)


def paid(rail: Rail) -> str:
    """Return the receipt of a payment that is paid."""
    intent = rail.ask()
    rail.rest()
    return rail.attempt(intent).provider_receipt


def disputed(rail: Rail) -> str:
    """Have a payer dispute what he paid; return its ticket, of which nobody has told us yet."""
    return rail.words.dispute(rail, paid(rail))


def heard_of(rail: Rail) -> Dispute:
    """Return a dispute that waits for what we say."""
    ticket = disputed(rail)
    rail.rest()
    return row(ticket)


def decide(rail: Rail, ticket: str, deed: str) -> None:
    rail.control("POST", f"/{rail.words.face}/disputes/{ticket}/{deed}", {})


def row(ticket: str) -> Dispute:
    return Dispute.objects.get(ticket=ticket)


def is_known(ticket: str) -> bool:
    return Dispute.objects.filter(ticket=ticket).exists()


def heard(rail: Rail, ticket: str) -> int:
    """Return how often the provider has heard us about a dispute, as it has it itself."""
    listed = rail.control("GET", f"/{rail.words.face}/disputes")["disputes"]
    return next(rail.words.heard(one) for one in listed if ticket in (one.get("id"), one.get("dispute_id")))


def said_of(dispute: Dispute) -> list[str]:
    """Return what was told of a dispute, but for what goes on in between."""
    names = [name.removeprefix("payment_dispute_") for name in told(dispute.id)]
    return [name for name in names if name not in ("updated", "due_soon")]


def booked(dispute: Dispute) -> Counter[str]:
    """Return how often each step of a dispute was booked."""
    keys = Transaction.objects.filter(source_id=dispute.id).values_list("idem_key", flat=True)
    return Counter(key.partition(":")[0].removeprefix("dispute-") for key in keys)


def is_won(ticket: str) -> bool:
    """Say whether a dispute is won, all of its money is back, each step was booked and told once, and nobody has to look at it."""
    dispute = row(ticket)
    is_whole = dispute.withdrawn_minor == dispute.reinstated_minor == dispute.amount_minor
    is_once = (booked(dispute), said_of(dispute)) == ({"withdrawal": 1, "reinstatement": 1}, WON)
    return is_whole and is_once and (dispute.status, dispute.flag) == (DisputeStatus.WON, "")


@hears(
    "every message of a dispute is lost: the list finds it, the question how it ends; booked once at each step"
)
def messages_lost(rail: Rail) -> None:
    ticket = disputed(rail)
    assert come(rail)
    rail.rest()
    assert not is_known(ticket)
    rail.list_disputes()
    rail.list_disputes()
    assert (row(ticket).status, said_of(row(ticket))) == (DisputeStatus.NEEDS_RESPONSE, OPENED)
    decide(rail, ticket, "win")
    assert come(rail)
    rail.let_pass(AGAIN)
    rail.rest()
    assert is_won(ticket)


@hears(
    "messages of a dispute come five times at once, and all once more when it is over: booked once at each step"
)
def messages_doubled(rail: Rail) -> None:
    ticket = disputed(rail)
    every = []
    for deed in ("", "win"):
        if deed:
            decide(rail, ticket, deed)
        came = come(rail)
        every += came
        stored = [rail.store(one) for one in came for _ in range(5)]
        at_once(*[lambda uid=uid: rail.read(uid) for uid in stored])
        at_once(*[lambda: dispute_queries.read(account_id=rail.account.id, ticket=ticket, now=rail.now)] * 5)
        rail.rest()
        assert {rail.verdict(uid) for uid in stored} <= HARMLESS
    assert is_won(ticket)
    rail.let_pass(AGAIN)
    for message in every:
        assert rail.deliver(message) in HARMLESS | {
            "FORGED"
        }  # too old by now, where that is told by its time
    rail.rest()
    assert is_won(ticket)


@hears(
    "a dispute is over before anybody tells that it was opened, and its messages come the other way about: won"
)
def messages_overtake(rail: Rail) -> None:
    ticket = disputed(rail)
    decide(rail, ticket, "win")
    came = come(rail)
    assert len(came) > 1
    assert {rail.deliver(one) for one in reversed(came)} <= HARMLESS
    rail.rest()
    assert is_won(ticket)


@hears("an answer that is older than what is known comes late: the end of the dispute stands")
def answer_crosses(rail: Rail) -> None:
    dispute = heard_of(rail)

    def end() -> None:
        rail.let_pass_seconds(1)
        decide(rail, dispute.ticket, "win")
        dispute_queries.read(account_id=rail.account.id, ticket=dispute.ticket, now=rail.now)

    rail.let_pass(AGAIN)
    with rail.at("payments.after_dispute", end):
        dispute_queries.query(dispute_id=dispute.id, now=rail.now)
    assert is_won(dispute.ticket)
    rail.rest()
    assert is_won(dispute.ticket)


@hears("a message of a dispute that cannot be read or proves nothing opens none: the list does")
def messages_garbled(rail: Rail) -> None:
    ticket = disputed(rail)
    message = come(rail)[0]
    assert rail.deliver({**message, "headers": {}}) == "FORGED"
    for body in (b"", b"[]", b'{"object": "event"}', b"\xff\xfe"):
        assert rail.deliver({**message, "body": body}) in {"FORGED", "MALFORMED"}
    rail.rest()
    assert not is_known(ticket)
    rail.list_disputes()
    assert row(ticket).status == DisputeStatus.NEEDS_RESPONSE


@hears("questions about a dispute are not answered: it is found by the list, and asked after again")
def question_unanswered(rail: Rail) -> None:
    for answer in UNREAD:
        ticket = disputed(rail)
        with rail.spoiled("dispute_query", answer):
            rail.let_pass_seconds(3)
            rail.take()
            assert not is_known(ticket), answer
        rail.list_disputes()
        assert said_of(row(ticket)) == OPENED
        decide(rail, ticket, "win")
        with rail.spoiled("dispute_query", answer):
            rail.let_pass_seconds(3)
            rail.take()
            assert row(ticket).status == DisputeStatus.NEEDS_RESPONSE, answer
        rail.let_pass(dispute_queries.ASK_AGAIN)
        rail.rest()
        assert is_won(ticket)


@hears(
    "the list of disputes does not come: what is known stays, and the next reading begins where this one did"
)
def list_fails(rail: Rail) -> None:
    rail.list_disputes()
    ticket = disputed(rail)
    assert come(rail)
    until = PullCursor.objects.get(provider_account=rail.account).disputes_until
    rail.let_pass(timedelta(hours=1))
    for answer in UNREAD:
        rail.spoil("dispute_list", answer)
        with rail.impatient():
            rail.list_disputes()
        cursor = PullCursor.objects.get(provider_account=rail.account)
        assert (is_known(ticket), cursor.disputes_until) == (False, until), answer
    rail.list_disputes()
    assert row(ticket).status == DisputeStatus.NEEDS_RESPONSE
    assert PullCursor.objects.get(provider_account=rail.account).disputes_until == rail.now


@hears(
    "a worker dies while a dispute is recorded: nothing of it is kept, and it is recorded by the next who asks"
)
def recording_dies(rail: Rail) -> None:
    ticket = disputed(rail)
    rail.let_pass_seconds(3)
    with pytest.raises(Killed), rail.at("payments.before_dispute_posting", die):
        rail.take()
    assert not is_known(ticket)
    rail.list_disputes()
    decide(rail, ticket, "win")
    rail.rest()
    assert is_won(ticket)


@hears("nobody answers a dispute in time: lost, and what it took is a loss, booked and told once")
def never_answered(rail: Rail) -> None:
    dispute = heard_of(rail)
    rail.let_pass(OVER)
    rail.kept_back()
    rail.rest()
    ended = row(dispute.ticket)
    assert ended.status in (DisputeStatus.LOST, DisputeStatus.EXPIRED)
    assert (ended.lost_minor, heard(rail, ended.ticket)) == (ended.withdrawn_minor, 0)
    assert (booked(ended), said_of(ended)) == ({"withdrawal": 1, "loss": 1}, [*OPENED, "lost"])
