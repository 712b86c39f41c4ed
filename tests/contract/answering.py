"""Scenarios of what we say to disputes: evidence, that they are given up, and appeals; said until the provider has it, and heard once."""

from collections.abc import Callable

import pytest

from apps.integrations.ports import DisputeStage, Evidence
from apps.integrations.services import providers
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.payments.contracts import DisputeStatus
from apps.payments.models import Dispute
from apps.payments.models.answered import APPEAL_DROPPED
from apps.payments.services import dispute_answers, dispute_evidence
from tests.contract.catalogue import Capability, scenario
from tests.contract.disputing import (
    OPENED,
    OVER,
    booked,
    decide,
    disputed,
    heard,
    heard_of,
    hears,
    is_won,
    paid,
    row,
    said_of,
)
from tests.contract.rails import Killed, Rail, die
from tests.contract.signing import come
from tests.payments.test_two_connections import at_once

REASON = "Not worth the work"
SAID = "Here is who signed for it."
UNREAD = (
    {"action": "hang"},
    {"action": "status", "status": 500},
    {"action": "malformed_json"},
)
UNCLEAR = [
    *(({**answer, "processed": is_done}, is_done) for is_done in (True, False) for answer in UNREAD),
    ({"action": "rate_limit", "code": "429"}, False),
]
"""Answers that tell nothing of what was ordered, and whether that was carried out."""

type Order = Callable[[Rail, Dispute], object]

appeals = lambda name: scenario(Capability.APPEAL, name, Capability.DISPUTE)  # noqa: E731 (an abbreviation)


def lost(rail: Rail) -> Dispute:
    """Return a dispute that is lost, of which we have something to say."""
    ticket = rail.words.lose(rail, paid(rail))
    rail.rest()
    return written(rail, row(ticket))


def written(rail: Rail, dispute: Dispute) -> Dispute:
    """Draft what we say."""
    return dispute_evidence.write(dispute_id=dispute.id, texts={"text": SAID}, actor=SYSTEM, now=rail.now)


def submit(rail: Rail, dispute: Dispute) -> Dispute:
    written(rail, dispute)
    return dispute_answers.submit(dispute_id=dispute.id, actor=SYSTEM, now=rail.now)


def accept(rail: Rail, dispute: Dispute) -> Dispute:
    return dispute_answers.accept(dispute_id=dispute.id, reason=REASON, actor=SYSTEM, now=rail.now)


def appeal(rail: Rail, dispute: Dispute) -> Dispute:
    rail.let_pass_seconds(1)
    return dispute_answers.appeal(dispute_id=dispute.id, actor=SYSTEM, now=rail.now)


def said(rail: Rail, kind: str, order: Order, dispute: Dispute, answer: object, *, is_done: bool) -> str:
    """
    Say something to a dispute while the provider answers so and its messages are lost; return what is wrong, or nothing: it is
    said again only where the provider still waits for it.
    """
    before = rail.sent(kind)
    rail.spoil(kind, answer)
    with rail.impatient(), clock.fixed(rail.now):
        order(rail, dispute)
        rail.work()
    waits = row(dispute.ticket)
    come(rail)
    rail.rest()
    found = (waits.answer_due_at is not None, rail.sent(kind) - before, row(dispute.ticket).answer_due_at)
    wanted = (True, 1 if is_done else 2, None)
    return "" if found == wanted else f"{answer}: {found} in place of {wanted}"


@hears(
    "evidence without a clear answer, heard or not: submitted again only where the provider still asks, and heard once"
)
def evidence_unanswered(rail: Rail) -> None:
    for answer, is_done in UNCLEAR:
        dispute = heard_of(rail)
        assert said(rail, "evidence", submit, dispute, answer, is_done=is_done) == ""
        assert row(dispute.ticket).status == DisputeStatus.UNDER_REVIEW
        assert heard(rail, dispute.ticket) == 1, answer
        decide(rail, dispute.ticket, "win")
        rail.rest()
        assert is_won(dispute.ticket)


@hears(
    "a dispute is given up without a clear answer, done or not: told again only where the provider still asks; lost once"
)
def acceptance_unanswered(rail: Rail) -> None:
    for answer, is_done in UNCLEAR:
        dispute = heard_of(rail)
        assert said(rail, "accept", accept, dispute, answer, is_done=is_done) == ""
        ended = row(dispute.ticket)
        assert (ended.status, ended.lost_minor) == (DisputeStatus.ACCEPTED, ended.withdrawn_minor)
        assert (booked(ended), said_of(ended)) == ({"withdrawal": 1, "loss": 1}, [*OPENED, "lost"])


@hears("the same evidence again, past every guard of ours: heard once")
def evidence_repeated(rail: Rail) -> None:
    dispute, code = heard_of(rail), ids.code()
    port = providers.dispute(rail.account.id, now=rail.now)
    for _ in range(2):
        assert port.submit(dispute.ticket, Evidence(SAID), code=code).stage is DisputeStage.UNDER_REVIEW
    assert heard(rail, dispute.ticket) == 1
    rail.rest()
    assert row(dispute.ticket).status == DisputeStatus.UNDER_REVIEW


@hears("the job that submits evidence comes five times at once: submitted once")
def job_doubled(rail: Rail) -> None:
    dispute = heard_of(rail)
    submit(rail, dispute)
    rail.drop_jobs()
    at_once(*[lambda: dispute_answers.send(dispute_id=dispute.id, now=rail.now)] * 5)
    rail.rest()
    assert (heard(rail, dispute.ticket), rail.sent("evidence")) == (1, 1)
    assert row(dispute.ticket).status == DisputeStatus.UNDER_REVIEW


@hears("a worker dies once evidence was submitted: the provider is asked, and it is not submitted again")
def answering_dies(rail: Rail) -> None:
    dispute = heard_of(rail)
    submit(rail, dispute)
    with pytest.raises(Killed), rail.at("payments.after_dispute_answer", die):
        rail.work()
    assert row(dispute.ticket).status == DisputeStatus.SUBMITTED
    come(rail)
    rail.rest(seconds=60)
    assert row(dispute.ticket).status == DisputeStatus.UNDER_REVIEW
    assert (heard(rail, dispute.ticket), rail.sent("evidence")) == (1, 1)


@hears("a dispute is decided before our evidence comes: it is refused and taken back, and the end stands")
def evidence_too_late(rail: Rail) -> None:
    dispute = heard_of(rail)
    submit(rail, dispute)
    decide(rail, dispute.ticket, "lose")
    rail.let_pass_seconds(3)
    rail.kept_back()
    rail.rest()
    ended = row(dispute.ticket)
    assert (ended.status, ended.answer_due_at, heard(rail, ended.ticket)) == (DisputeStatus.LOST, None, 0)
    assert (bool(ended.answer_refusal), rail.sent("evidence")) == (True, 1)
    assert (booked(ended), said_of(ended)) == ({"withdrawal": 1, "loss": 1}, [*OPENED, "lost"])


@scenario(
    Capability.DISPUTE,
    "the token expires while a dispute is read, listed and answered: another one is fetched, and we are heard once",
    Capability.TOKEN,
)
def token_expires(rail: Rail) -> None:
    ticket = disputed(rail)
    for kind in ("dispute_query", "dispute_list", "evidence"):
        rail.spoil(kind, "expire_token")
    rail.list_disputes()
    dispute = row(ticket)
    submit(rail, dispute)
    rail.rest()
    assert (heard(rail, ticket), rail.sent("evidence")) == (1, 2)
    assert row(ticket).status == DisputeStatus.UNDER_REVIEW


@appeals(
    "an appeal without a clear answer, heard or not: made again only where the provider still takes it, and heard once"
)
def appeal_unanswered(rail: Rail) -> None:
    for answer, is_done in UNCLEAR:
        dispute = lost(rail)
        assert said(rail, "appeal", appeal, dispute, answer, is_done=is_done) == ""
        assert row(dispute.ticket).status == DisputeStatus.UNDER_REVIEW
        assert heard(rail, dispute.ticket) == 1, answer
        decide(rail, dispute.ticket, "lose")
        rail.rest()
        ended = row(dispute.ticket)
        assert (ended.status, ended.lost_minor) == (DisputeStatus.LOST, ended.withdrawn_minor)
        assert booked(ended) == {"withdrawal": 1, "loss": 3}  # lost, open again, and lost again


@appeals("an appeal is refused: taken back, and it may be made again")
def appeal_refused(rail: Rail) -> None:
    dispute = lost(rail)
    rail.spoil("appeal", rail.words.refusals[0][0])
    appeal(rail, dispute)
    rail.rest()
    refused = row(dispute.ticket)
    assert (refused.status, refused.is_appealable, heard(rail, refused.ticket)) == ("LOST", True, 0)
    assert (bool(refused.answer_refusal), refused.answer) == (True, "")
    appeal(rail, refused)
    rail.rest()
    assert (row(dispute.ticket).status, heard(rail, dispute.ticket)) == (DisputeStatus.UNDER_REVIEW, 1)


@appeals(
    "an appeal comes when the provider takes none any more: lost as before, and people are told that it may not have been heard"
)
def appeal_too_late(rail: Rail) -> None:
    dispute = lost(rail)
    appeal(rail, dispute)
    rail.drop_jobs()
    rail.let_pass(OVER)
    dispute_answers.send(dispute_id=dispute.id, now=rail.now)
    rail.rest()
    ended = row(dispute.ticket)
    assert (ended.status, ended.answer_due_at, heard(rail, ended.ticket)) == (DisputeStatus.LOST, None, 0)
    assert (ended.answer_refusal, rail.sent("appeal")) == (APPEAL_DROPPED, 0)
    assert (booked(ended), said_of(ended)) == ({"withdrawal": 1, "loss": 1}, [*OPENED, "lost"])


@appeals("the same appeal again, past every guard of ours: heard once")
def appeal_repeated(rail: Rail) -> None:
    dispute, code = lost(rail), ids.code()
    port = providers.appeal(rail.account.id, now=rail.now)
    for _ in range(2):
        assert port.appeal(dispute.ticket, Evidence(SAID), code=code).stage is DisputeStage.UNDER_REVIEW
    assert heard(rail, dispute.ticket) == 1


@appeals("a worker dies once an appeal was made: the provider is asked, and it is not made again")
def appealing_dies(rail: Rail) -> None:
    dispute = lost(rail)
    appeal(rail, dispute)
    with pytest.raises(Killed), rail.at("payments.after_dispute_answer", die):
        rail.work()
    assert row(dispute.ticket).is_appealing
    come(rail)
    rail.rest(seconds=60)
    assert (row(dispute.ticket).status, heard(rail, dispute.ticket)) == (DisputeStatus.UNDER_REVIEW, 1)
    assert rail.sent("appeal") == 1
