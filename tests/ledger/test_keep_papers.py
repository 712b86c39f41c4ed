"""Keep papers: one file a voucher, as it came, and nothing that is no paper."""

import hashlib

import pytest

from apps.audit.models import AuditRecord
from apps.documents.models import Artifact
from apps.kit import errors
from apps.ledger.contracts import JOURNAL
from apps.ledger.services import papers
from apps.ledger.services.papers import PaperInvalid, PaperKept
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

    assert attach() == kept == papers.of_voucher("JV-0012")
    assert (kept.sha256, kept.content_type) == (hashlib.sha256(SCAN).hexdigest(), "application/pdf")
    assert papers.read(kept.id) == SCAN
    assert AuditRecord.objects.filter(action="journal.paper_kept").count() == 1


def test_another_paper_does_not_take_its_place():
    kept = attach()

    with pytest.raises(PaperKept):
        attach(b"%PDF-1.7 another invoice")

    assert papers.of_voucher("JV-0012") == kept


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

    assert (papers.of_voucher("JV-7777"), Artifact.objects.count()) == (None, 0)
