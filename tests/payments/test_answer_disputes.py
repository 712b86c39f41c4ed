"""Answer disputes: drafted, submitted once or given up, and told to the provider until it says so."""

from datetime import timedelta

import pytest

from apps.approvals.contracts import Decided
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import requests
from apps.audit.models import AuditRecord
from apps.documents.services import artifacts
from apps.events.models import OutboxEvent
from apps.integrations.models import ProviderCall
from apps.kit.actors import SYSTEM, person
from apps.kit.sweep import JOB_GRACE
from apps.payments.contracts import DISPUTE_ACCEPTANCE, DisputeStatus, EvidencePurpose
from apps.payments.models import Dispute
from apps.payments.services import dispute_answers, dispute_evidence, dispute_queries
from apps.payments.services.attempts import InvalidState
from tests.factories import access, approvals
from tests.factories import disputes as made
from tests.payments.conftest import books
from tests.payments.test_disputes import books as books_in_dollars
from tests.payments.test_disputes import dispute, is_statement_met, read, told
from tests.payments.test_two_connections import at_once

WINNING = "winning_evidence"
DISPUTES = "/v1/customer/disputes"


@pytest.fixture
def row(cards):
    attempt = cards.paid()
    return read(cards, dispute(cards, attempt))


def write(cards, row, **texts):
    return dispute_evidence.write(dispute_id=row.id, texts=texts, actor=SYSTEM, now=cards.now)


def attach(cards, row, purpose=EvidencePurpose.RECEIPT, content=made.PDF, name="C:\\bills\\bill.pdf"):
    return dispute_evidence.attach(
        dispute_id=row.id, purpose=purpose, name=name, content=content, actor=SYSTEM, now=cards.now
    )


def submit(cards, row):
    return dispute_answers.submit(dispute_id=row.id, actor=SYSTEM, now=cards.now)


def send(cards, row, after=timedelta(0)):
    cards.now += after
    dispute_answers.send(dispute_id=row.id, now=cards.now)
    row.refresh_from_db()
    return row


def calls(kind):
    return ProviderCall.objects.filter(kind=kind).count()


def test_evidence_is_submitted_once_and_wins(cards, row):
    with pytest.raises(dispute_answers.EvidenceMissing):
        submit(cards, row)
    write(cards, row, text="It was him.", product="Lunch", service_date=cards.now.date())
    write(cards, row, text=WINNING, product="")
    attach(cards, row)
    file = attach(cards, row, content=made.PDF + b"\n")
    attach(cards, row, EvidencePurpose.OTHER)
    dispute_evidence.detach(dispute_id=row.id, purpose=EvidencePurpose.OTHER, actor=SYSTEM, now=cards.now)

    submitted = submit(cards, row)

    assert (submitted.status, submitted.next_reminder_at, file.name) == ("SUBMITTED", None, "bill.pdf")
    assert artifacts.read(file_id=file.file_id) == made.PDF + b"\n"
    with pytest.raises(InvalidState):
        submit(cards, row)
    with pytest.raises(InvalidState):
        write(cards, row, text="More")

    row = send(cards, row)
    send(cards, row, after=timedelta(minutes=5))

    assert (row.status, row.answer, row.answer_due_at) == ("WON", "EVIDENCE", None)
    [sent] = cards.objects("disputes")
    assert sent["evidence"]["uncategorized_text"] == WINNING
    assert sent["evidence"]["product_description"] is None
    assert sent["evidence"]["receipt"].startswith("file_")
    assert (calls("evidence"), calls("file")) == (1, 1)
    assert told() == ["opened", "funds_withdrawn", "updated", "funds_reinstated", "won"]
    assert AuditRecord.objects.filter(action="dispute.submitted").count() == 1


def test_an_answer_that_got_lost_is_asked_after_before_it_is_given_again(cards, row):
    write(cards, row, text="It was him.")
    submit(cards, row)
    cards.script({"action": "reset", "processed": True}, path=f"/v1/disputes/{row.ticket}")

    assert send(cards, row).status == DisputeStatus.SUBMITTED
    cards.now = row.answer_due_at + JOB_GRACE
    assert send(cards, row).status == DisputeStatus.UNDER_REVIEW

    assert calls("evidence") == 1
    assert send(cards, row, after=timedelta(hours=1)).answer_tries == 2


def test_an_inquiry_that_becomes_a_chargeback_asks_for_another_answer(cards):
    row = read(cards, dispute(cards, cards.paid(), reason="inquiry"))
    write(cards, row, text="It was him.")
    submit(cards, row)
    cards.script({"action": "reset"}, path=f"/v1/disputes/{row.ticket}")
    assert send(cards, row).status == DisputeStatus.SUBMITTED
    cards.act("disputes", row.ticket, "escalate")
    cards.now = row.answer_due_at + JOB_GRACE

    row = send(cards, row)

    assert (row.status, row.is_inquiry, row.answer) == ("NEEDS_RESPONSE", False, "")
    assert row.next_reminder_at is not None
    assert calls("evidence") == 1
    submit(cards, row)
    assert send(cards, row).status == DisputeStatus.UNDER_REVIEW
    assert calls("evidence") == 2


def test_an_answer_that_got_lost_is_none_to_what_the_next_step_asks(wallets):
    claim = {"reason": "UNAUTHORISED", "stage": "CHARGEBACK"}
    wallets.paid()
    wallets.work()
    taken = wallets.act("captures", wallets.objects("captures")[0]["id"], "dispute", **claim)
    row = read(wallets, taken["dispute_id"])
    write(wallets, row, text="It was him.")
    submit(wallets, row)
    wallets.script({"action": "reset", "processed": True}, path=f"{DISPUTES}/{row.ticket}/provide-evidence")
    assert send(wallets, row).status == DisputeStatus.SUBMITTED
    wallets.act("disputes", row.ticket, "escalate")
    wallets.now = row.answer_due_at + JOB_GRACE

    row = send(wallets, row)

    assert (row.status, row.question, row.answer) == ("NEEDS_RESPONSE", "PRE_ARBITRATION", "")
    assert (calls("evidence"), row.next_reminder_at is None) == (1, False)
    write(wallets, row, text="It was him, and the bank knows it.")
    submit(wallets, row)
    assert send(wallets, row).status == DisputeStatus.UNDER_REVIEW
    [theirs] = wallets.objects("disputes")
    assert [one["notes"] for one in theirs["evidences"]] == [
        "It was him.",
        "It was him, and the bank knows it.",
    ]


def test_a_refused_answer_is_taken_back_and_the_truth_asked(cards, row):
    write(cards, row, text="It was him.")
    submit(cards, row)
    cards.act("disputes", row.ticket, "lose")

    row = send(cards, row)
    assert (row.status, row.answer, bool(row.answer_refusal)) == ("NEEDS_RESPONSE", "", True)
    cards.now += timedelta(seconds=1)
    dispute_queries.query(dispute_id=row.id, now=cards.now)

    assert Dispute.objects.get().status == DisputeStatus.LOST
    assert is_statement_met(cards)


def test_many_submit_and_one_is_sent(cards, row):
    write(cards, row, text="It was him.")

    found = at_once(*[lambda: submit(cards, row)] * 3)

    assert [type(one) for one in found].count(Dispute) == 1
    at_once(*[lambda: dispute_answers.send(dispute_id=row.id, now=cards.now)] * 3)
    assert calls("evidence") == 1


def test_giving_up_needs_a_second_person_where_a_rule_says_so(cards, row):
    approvals.rule(kind=DISPUTE_ACCEPTANCE.name, currency="USD", minimum_minor=1_00)
    maker = person(access.member("treasury_officer").user_id)

    def accept():
        return dispute_answers.accept(dispute_id=row.id, reason="Not worth it", actor=maker, now=cards.now)

    asked = accept()
    assert (asked.status, asked.approval_id is None) == ("NEEDS_RESPONSE", False)
    write(cards, row, text="It was him.")
    for again in (accept, lambda: submit(cards, row)):
        with pytest.raises(dispute_answers.AcceptanceWaits):
            again()

    request = ApprovalRequest.objects.get(id=asked.approval_id)
    requests.approve(
        request_id=request.id, payload_hash=request.payload_hash, actor=approvals.person(), now=cards.now
    )
    decided = Decided.read(OutboxEvent.objects.get(type="approval_decided").data)
    for _ in range(2):
        dispute_answers.decide(decided=decided, now=cards.now)
    row = send(cards, row)

    assert (row.status, row.answer, row.approval_id) == ("ACCEPTED", "ACCEPTANCE", None)
    assert books_in_dollars()["CHARGEBACK_LOSS"] == "25.00"
    assert told()[-1] == "lost"
    assert is_statement_met(cards)
    assert books() == {}


def test_no_other_files_are_taken(acme):
    row = made.opened()

    def attach(content, purpose=EvidencePurpose.RECEIPT):
        return dispute_evidence.attach(
            dispute_id=row.id, purpose=purpose, name="a", content=content, actor=SYSTEM, now=made.NOW
        )

    for content in (b"", b"MZ\x90", made.PDF[:-8], made.PDF + b" " * 2_000_000):
        with pytest.raises(dispute_evidence.EvidenceInvalid):
            attach(content)
    with pytest.raises(dispute_evidence.EvidenceInvalid, match="10,000"):
        dispute_evidence.write(dispute_id=row.id, texts={"text": "x" * 10_001}, actor=SYSTEM, now=made.NOW)
    with pytest.raises(dispute_answers.AnswerTooLate):
        dispute_answers.submit(dispute_id=row.id, actor=SYSTEM, now=row.due_by)
