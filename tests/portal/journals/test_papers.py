"""Papers of a journal: attached, downloaded, or refused in words."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse as url

from apps.approvals.models import ApprovalRequest
from apps.kit import ids
from apps.ledger.services import adjustments, papers
from tests.portal.journals.steps import SCAN, send, typed, wrong


def test_papers_are_attached_downloaded_and_refused_in_words(books, visit):
    maker = visit()
    send(maker, typed(books))
    address = url("portal-journal-papers", args=[adjustments.subject_of("JV-0012")])

    kept = maker.post(
        address, {"papers": [SimpleUploadedFile("a.pdf", SCAN), SimpleUploadedFile("b", b"\xff\xd8\xff")]}
    )
    page_ = maker.post(address, {"papers": SimpleUploadedFile("page.pdf", b"<html>")})
    none = maker.post(address, {})

    assert kept.status_code == 302
    assert (page_.status_code, none.status_code) == (422, 422)
    assert "PDF, PNG or JPEG" in wrong(page_, "papers")
    files = papers.of_voucher("JV-0012")
    assert [file.content_type for file in files] == ["application/pdf", "image/jpeg"]
    got = maker.get(url("portal-journal-paper", args=[adjustments.subject_of("JV-0012"), files[0].id]))
    assert got.content == SCAN
    assert got.headers["Content-Disposition"] == 'attachment; filename="JV-0012-1.pdf"'
    assert (
        maker.get(
            url("portal-journal-paper", args=[adjustments.subject_of("JV-0012"), ids.new()])
        ).status_code
        == 404
    )
    assert maker.get(url("portal-journal", args=[ids.new()])).status_code == 404


def test_a_file_that_is_no_paper_asks_nobody(books, visit):
    answer = send(visit(), typed(books), papers=SimpleUploadedFile("scan.pdf", b"MZ"))

    assert answer.status_code == 422
    assert "PDF, PNG or JPEG" in wrong(answer, "papers")
    assert not ApprovalRequest.objects.exists()


def test_more_papers_than_a_voucher_has_ask_nobody(books, visit):
    files = [SimpleUploadedFile(f"{number}.pdf", SCAN) for number in range(papers.PAPERS_MAX + 1)]

    answer = send(visit(), typed(books), papers=files)

    assert answer.status_code == 409
    assert "10 papers at most" in answer.content.decode()
    assert not ApprovalRequest.objects.exists()
