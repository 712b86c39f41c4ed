"""Keep papers: the files of a voucher, as they came, and nothing that is no paper."""

import hashlib

import pytest

from apps.audit.models import AuditRecord
from apps.documents.models import Artifact
from apps.kit import errors
from apps.ledger.contracts import JOURNAL
from apps.ledger.services import papers
from apps.ledger.services.papers import PaperInvalid, TooManyPapers
from tests.factories import approvals, ledger
from tests.factories.approvals import ONE_APPROVER
from tests.ledger.test_adjust_books import ask, prepare

SCAN = b"%PDF-1.7 invoice of the landlord"


@pytest.fixture(autouse=True)
def asked_for(acme):
    approvals.rule(kind=JOURNAL.name, currency="", minimum_minor=None, steps=ONE_APPROVER)
    ask(prepare())


def attach(content: bytes = SCAN, voucher: str = "JV-0012"):
    return papers.attach(voucher=voucher, content=content, actor=approvals.maker(), now=ledger.NOW)


def test_is_kept_once_with_its_checksum():
    kept = attach()

    assert attach() == kept
    assert papers.of_voucher("JV-0012") == [kept]
    assert (kept.sha256, kept.content_type) == (hashlib.sha256(SCAN).hexdigest(), "application/pdf")
    assert papers.read(kept.id) == SCAN
    assert AuditRecord.objects.filter(action="journal.paper_kept").count() == 1


def test_several_papers_stand_beside_each_other_in_their_order():
    kept = [attach(b"%PDF-1.7 page " + str(number).encode()) for number in range(papers.PAPERS_MAX)]

    assert papers.of_voucher("JV-0012") == kept
    assert attach(b"%PDF-1.7 page 3") == kept[3]
    with pytest.raises(TooManyPapers):
        attach(b"%PDF-1.7 one too many")
    assert Artifact.objects.count() == papers.PAPERS_MAX


def test_a_paper_that_somebody_keeps_meanwhile_takes_no_others_place(monkeypatch):
    first = attach()
    monkeypatch.setattr(papers, "of_voucher", lambda _: [])

    second = attach(b"%PDF-1.7 another invoice")

    monkeypatch.undo()
    assert papers.of_voucher("JV-0012") == [first, second]


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"MZ\x90", b"%PDF-" + b"x" * papers.BYTES_MAX],
    ids=["empty", "html", "exe", "large"],
)
def test_what_is_no_paper_is_refused(content):
    with pytest.raises(PaperInvalid) as refusal:
        attach(content)

    assert refusal.value.errors[0].pointer == "/file"
    assert not Artifact.objects.exists()


def test_a_voucher_that_nobody_asked_for_has_no_paper():
    with pytest.raises(errors.NotFound):
        attach(voucher="JV-7777")

    assert (papers.of_voucher("JV-7777"), Artifact.objects.count()) == ([], 0)
