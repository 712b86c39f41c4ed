"""Jobs in the portal: a list is taken away by a dialog, its job is watched, stopped and downloaded."""

from datetime import timedelta

import pytest
from django.urls import reverse

from apps.jobs.contracts import JobStatus
from apps.jobs.models import Job
from apps.kit import clock, ids
from tests.dialogs import open_at, send
from tests.factories import access, payments
from tests.factories import jobs as make

LIST = "/portal/payments/paymentintent/"
EXPORT = f"{LIST}do/export/"


@pytest.fixture(autouse=True)
def office(acme):
    access.head_office()
    access.portal()


def test_the_list_offers_its_export_with_its_filters(enter):
    html = enter("accountant").get(f"{LIST}?status=FAILED").content.decode()

    assert f'hx-get="{EXPORT}?status=FAILED"' in html
    assert "Export…" in html


def test_what_is_asked_for_is_shown_and_becomes_a_job(enter, in_organisation):
    browser = enter("accountant")
    url = f"{EXPORT}?view=all&status__in=FAILED,UNKNOWN&created_at_from=2026-11-01&q=ORD-1"

    shown = open_at(browser, url).content.decode()
    answer = send(browser, url, file_format="CSV", with_bom="on")

    assert "Failed, Unknown" in shown
    assert "2026-11-01 to today" in shown
    in_organisation("acme")
    job = Job.objects.get()
    assert answer.headers["HX-Redirect"] == reverse("portal-job", args=[job.id])
    assert (job.kind, job.parameters["format"], job.parameters["with_bom"]) == ("export", "CSV", True)
    assert job.parameters["choices"] == {"status": ["FAILED", "UNKNOWN"]}
    assert (job.parameters["from_date"], job.parameters["search"]) == ("2026-11-01", "ORD-1")


@pytest.mark.parametrize(
    "query", ["payer_phone=0712345678", "branch=nowhere", "created_at_from=soon", "status=GONE"]
)
def test_a_filter_that_cannot_be_kept_exports_nothing(enter, in_organisation, query):
    browser = enter("accountant")

    answer = send(browser, f"{EXPORT}?{query}", file_format="CSV")

    assert answer.status_code == 422
    in_organisation("acme")
    assert Job.objects.count() == 0


def test_a_role_that_may_not_export_is_not_offered_it(enter, in_organisation):
    browser = enter("approver")

    assert "do/export" not in browser.get(LIST).content.decode()
    assert send(browser, EXPORT, file_format="CSV").status_code == 403
    in_organisation("acme")
    assert Job.objects.count() == 0


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("/portal/invoicing/document/do/export/", "receipts"),
        ("/portal/ledger/do/export/?role=SUSPENSE", "ledger_entries"),
    ],
)
def test_receipts_and_entries_are_exported_too(enter, in_organisation, url, source):
    answer = send(enter("controller"), url, file_format="XLSX")

    assert answer.status_code == 204
    in_organisation("acme")
    assert Job.objects.get().parameters["source"] == source


def mine(browser_role="accountant", **facts):
    membership = access.member(browser_role, "owner-of-job@example.test")
    return make.waiting(starter_id=membership.id, **facts)


def test_a_page_shows_how_far_it_is_and_asks_again(enter, acme, in_organisation):
    browser = enter("controller")
    in_organisation("acme")
    job = mine(now=clock.now())
    make.work(job, chunks=1, now=clock.now())

    page = browser.get(reverse("portal-job", args=[job.id])).content.decode()

    assert "1 of 3" in page
    assert 'value="33"' in page
    assert 'hx-trigger="every 2s"' in page
    assert "You can leave this page" in page
    assert browser.get("/portal/jobs/job/").status_code == 200


def test_progress_alone_slows_down_and_ends_with_the_page(enter, in_organisation):
    browser = enter("controller")
    in_organisation("acme")
    job = mine(now=clock.now() - timedelta(minutes=2))
    address = reverse("portal-job-progress", args=[job.id])

    slow = browser.get(address)
    in_organisation("acme")
    make.work(job, now=clock.now())
    over = browser.get(address)

    assert b"every 5s" in slow.content
    assert "HX-Refresh" not in slow.headers
    assert b"hx-trigger" not in over.content
    assert over.headers["HX-Refresh"] == "true"


def test_the_file_is_a_download_with_its_checksum(enter, in_organisation):
    browser = enter("controller")
    in_organisation("acme")
    job = mine(kind=make.FILING, now=clock.now())
    make.work(job, now=clock.now())
    digest = make.reloaded(job).result_sha256

    page = browser.get(reverse("portal-job", args=[job.id])).content.decode()
    answer = browser.get(reverse("portal-job-result", args=[job.id]))

    assert digest in page
    assert b"".join(answer.streaming_content) == b"line 0\nline 1\nline 2\n"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="lines.txt"'
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_file_that_is_gone_is_said_to_be(enter, in_organisation):
    browser = enter("controller")
    in_organisation("acme")
    long_ago = clock.now() - timedelta(days=8)
    job = mine(kind=make.FILING, now=long_ago)
    make.work(job, now=long_ago)

    page = browser.get(reverse("portal-job", args=[job.id])).content.decode()
    answer = browser.get(reverse("portal-job-result", args=[job.id]))

    assert "Download" not in page
    assert answer.status_code == 410
    assert b"kept for 7 days" in answer.content


def test_another_persons_job_is_not_found(enter, in_organisation):
    browser = enter("accountant")
    in_organisation("acme")
    job = mine(kind=make.FILING)
    make.work(job)

    for name in ("portal-job", "portal-job-progress", "portal-job-result"):
        for key in (job.id, ids.new()):
            assert browser.get(reverse(name, args=[key])).status_code == 404
    assert "Count to three" not in browser.get("/portal/jobs/job/").content.decode()


def test_stopping_asks_first(enter, in_organisation):
    browser = enter("controller")
    in_organisation("acme")
    job = mine()

    page = browser.get(reverse("portal-job", args=[job.id])).content.decode()
    stop = f"/portal/jobs/job/{job.id}/do/stop/"
    answer = send(browser, stop)

    assert f'hx-get="{stop}"' in page
    assert answer.status_code == 204
    in_organisation("acme")
    assert make.reloaded(job).status == JobStatus.CANCELLED


def test_who_sees_a_job_need_not_be_able_to_stop_it(enter, in_organisation):
    browser = enter("auditor")
    in_organisation("acme")
    job = mine()

    page = browser.get(reverse("portal-job", args=[job.id])).content.decode()
    answer = send(browser, f"/portal/jobs/job/{job.id}/do/stop/")

    assert "do/stop" not in page
    assert answer.status_code == 403
    in_organisation("acme")
    assert make.reloaded(job).status == JobStatus.QUEUED


def test_an_export_reads_what_the_person_sees(enter, in_organisation):
    in_organisation("acme")
    cbd = access.branch()
    payments.account(branch_id=cbd.id)
    browser = enter("accountant", branches=(cbd,))

    send(browser, EXPORT, file_format="CSV")

    in_organisation("acme")
    assert Job.objects.get().branch_ids == [cbd.id]
