"""Close pages: a worker does it once, and every refusal is told."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.urls import reverse
from kombu.transport.memory import Channel

from apps.jobs.contracts import JobStatus
from apps.jobs.models import Job
from apps.jobs.services import jobs as job_services
from apps.jobs.services import runs, sweeps
from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import PeriodState
from apps.ledger.models import Checkpoint, Transaction
from apps.ledger.selectors import preconditions
from apps.ledger.services import holds, periods, refusals
from apps.ledger.services.holds import Promise
from tests.dialogs import hidden
from tests.factories import access, ledger
from tests.factories import jobs as job_factory
from tests.factories import periods as make
from tests.portal.periods.steps import SOON, acme_again, close, deed, html, open_at, post, send, show, work


def test_a_worker_closes_it_and_the_page_shows_what_was_kept(controller):
    make.make_ready(make.month(1))
    opened = open_at(controller, deed("close", make.month(1))).content.decode()
    assert "Only two people together open it again." in opened
    assert "Let open holds" not in opened

    answer = close(controller, 1)

    assert answer.headers["HX-Redirect"] == show(make.month(1))
    page = html(controller, show(make.month(1)))
    assert "It waits for a worker." in page
    assert deed("close", make.month(1)) not in page
    under_way = controller.get(reverse("portal-period-progress", args=[make.month(1).uid]))
    connection.set_tenant(acme_again())
    assert "HX-Refresh" not in under_way.headers
    assert b"A close is one step" in under_way.content

    assert work().status == JobStatus.SUCCEEDED

    january = make.month(1)
    assert (january.state, january.closed_by) == (PeriodState.CLOSED, f"user:{access.user().id}")
    done = controller.get(reverse("portal-period-progress", args=[january.uid]))
    connection.set_tenant(acme_again())
    assert done.headers["HX-Refresh"] == "true"
    page = html(controller, show(january))
    for word in ("What was kept at its close", "74.00", "Amina", bytes(january.checkpoint_hash).hex()):
        assert word in page, word
    assert deed("reopen", january) in page


def test_a_close_behind_which_postings_wait_does_not_stand_behind_other_work(
    controller, django_capture_on_commit_callbacks
):
    """Found by a test under load: whoever does the other jobs has only the processor time that nobody else wants."""
    make.make_ready(make.month(1))

    with django_capture_on_commit_callbacks(execute=True):
        close(controller, 1)
    assert called_in("default")

    connection.set_tenant(acme_again())
    with django_capture_on_commit_callbacks(execute=True):
        sweeps.run(now=Job.objects.get().locked_until + timedelta(seconds=1))
    assert called_in("default")


def called_in(name: str) -> bool:
    """Say whether a worker of this queue alone is called to a job, and forget it."""
    queues = {key: each.queue for key, each in Channel.queues.items()}
    called = {
        key for key, sent in queues.items() if any(one["headers"]["task"] == "jobs.run" for one in sent)
    }
    Channel.queues.clear()
    return called == {name}


def test_every_refusal_is_told_in_the_dialog_and_starts_nothing(controller):
    answer = close(controller, 2)

    assert answer.status_code == 409
    for sentence in (
        "1 earlier period is open.",
        "2 transactions are not sealed yet.",
        "1 cash account waits for its reconciliation.",
    ):
        assert sentence in answer.content.decode()
    assert Job.objects.exists() is False
    assert make.month(2).state == PeriodState.OPEN


def test_the_month_is_typed_before_it_is_closed(controller):
    make.make_ready(make.month(1))

    answer = send(controller, deed("close", make.month(1)), typed_text="2026-02", note="")

    assert answer.status_code == 422
    assert Job.objects.exists() is False


def test_a_second_close_gets_a_clear_answer(controller, enter):
    other = enter("owner", email="daniel@example.test")
    connection.set_tenant(acme_again())
    make.make_ready(make.month(1))
    url, fields = deed("close", make.month(1)), {"typed_text": "2026-01", "note": ""}
    form = hidden(open_at(other, url))

    assert close(controller, 1).status_code == 204
    second = post(other, url, {**form, **fields})
    assert second.status_code == 409
    assert "Somebody is closing a period already" in second.content.decode()

    work()
    third = post(other, url, {**form, **fields})
    assert third.status_code == 409
    assert "It is not in a state for this" in third.content.decode()
    assert Job.objects.count() == 1
    assert Checkpoint.objects.filter(period=make.month(1)).count() == 3


def test_what_the_books_refuse_at_the_last_moment_is_told_on_the_page(controller, booked):
    make.make_ready(make.month(1))
    assert close(controller, 1).status_code == 204
    ledger.post(ledger.transfer(*booked, 1, effective_date=date(2026, 1, 30)))

    job = work()

    assert job.status == JobStatus.FAILED
    page = html(controller, show(make.month(1)))
    assert "was not done. Nothing was changed." in page
    assert "1 transaction is not sealed yet." in page
    assert make.month(1).state == PeriodState.OPEN
    assert Checkpoint.objects.exists() is False


def test_a_close_that_ends_while_the_page_is_read_is_asked_for_again(controller, monkeypatch):
    make.make_ready(make.month(1))
    close(controller, 1)
    asked = preconditions.of

    def ask_slowly(question):
        found = asked(question)
        work()
        return found

    monkeypatch.setattr(preconditions, "of", ask_slowly)
    page = html(controller, show(make.month(1)))
    monkeypatch.undo()

    assert make.month(1).state == PeriodState.CLOSED
    assert reverse("portal-period-progress", args=[make.month(1).uid]) in page
    assert "/do/" not in page


def test_a_close_that_finds_the_ledger_busy_says_so(controller, monkeypatch):
    make.make_ready(make.month(1))
    assert close(controller, 1).status_code == 204

    def busy():
        raise refusals.LedgerBusy("Another booking holds the same accounts. Try again.")

    monkeypatch.setattr(periods, "fence", busy)

    assert work().status == JobStatus.FAILED
    assert "A posting did not end in time" in html(controller, show(make.month(1)))


def test_a_close_that_is_stopped_while_it_waits_closes_nothing(controller):
    make.make_ready(make.month(1))
    close(controller, 1)
    job = Job.objects.get()
    job_services.cancel(job_id=job.id, actor=SYSTEM, now=SOON)

    assert job_factory.work(job, now=SOON) == 0
    assert make.month(1).state == PeriodState.OPEN
    assert close(controller, 1).status_code == 204


def test_a_close_that_a_worker_is_at_is_not_stopped(enter, controller):
    make.make_ready(make.month(1))
    close(controller, 1)
    job = Job.objects.get()
    stop = reverse("admin:jobs_job_stop", args=[job.id])
    page = reverse("portal-job", args=[job.id])
    assert stop in html(controller, page)

    with runs.taken_up(job_id=job.id, now=SOON) as run:
        assert runs.go_on(run, read_clock=lambda: SOON)
        assert stop not in html(controller, page)
        assert runs.go_on(run, read_clock=lambda: SOON)
        assert make.month(1).state == PeriodState.CLOSED
        with pytest.raises(job_services.JobUnstoppable, match="cannot be stopped half-way"):
            job_services.cancel(job_id=job.id, actor=SYSTEM, now=SOON)
        assert runs.go_on(run, read_clock=lambda: SOON) is False

    assert job_factory.reloaded(job).status == JobStatus.SUCCEEDED


def test_a_second_worker_that_waited_in_vain_finds_it_closed(controller, monkeypatch):
    make.make_ready(make.month(1))
    close(controller, 1)
    close_period = periods.close

    def closed_by_another(**facts):
        close_period(**facts)
        raise refusals.LedgerBusy("Another booking holds the same accounts. Try again.")

    monkeypatch.setattr(periods, "close", closed_by_another)

    assert work().status == JobStatus.SUCCEEDED
    assert make.month(1).state == PeriodState.CLOSED


def test_a_worker_that_takes_it_up_again_finds_it_closed(controller):
    make.make_ready(make.month(1))
    close(controller, 1)
    make.close(make.month(1), now=SOON)

    assert work().status == JobStatus.SUCCEEDED
    assert make.month(1).closed_by == "system:treasury"


def test_holds_go_on_in_the_next_period_where_he_says_so(controller, booked):
    promise = Promise(
        key="test:promise",
        payer=booked[0],
        payee=booked[1],
        money=Money(5_00, "KES"),
        description="Payout to a rider",
        source_type="payout",
        source_id=ids.new(),
    )
    holds.place(promise=promise, actor=SYSTEM, now=datetime(2026, 1, 20, 9, tzinfo=UTC))
    make.make_ready(make.month(1))
    assert deed("close", make.month(1)) in html(controller, show(make.month(1)))
    assert "Let open holds" in open_at(controller, deed("close", make.month(1))).content.decode()

    refused = close(controller, 1)
    assert "1 hold is open: capture or release it, or carry it over." in refused.content.decode()
    assert Job.objects.exists() is False
    assert close(controller, 1, is_carrying_holds="on").status_code == 204
    assert work().status == JobStatus.SUCCEEDED


def test_the_year_goes_into_retained_earnings(controller):
    make.close_through(11)
    make.make_ready(make.month(12))
    opened = open_at(controller, deed("close", make.month(12))).content.decode()
    assert "go into retained earnings" in opened
    assert "66.00" in opened

    assert close(controller, 12).status_code == 204
    work()

    closing = Transaction.objects.get(kind="CLOSING")
    page = html(controller, show(make.month(12)))
    assert "Closings of the year" in page
    assert reverse("portal-transaction", args=[closing.uid]) in page
    assert "Ends the year" in page


def test_nothing_is_kept_when_the_closing_of_the_year_is_refused(controller, booked):
    make.close_through(11)
    key = f"ledger:closing:{make.month(12).uid}:1:KES:{booked[1].branch_id}"
    ledger.post(ledger.transfer(*booked, 1, key=key, effective_date=date(2026, 12, 2)))
    make.make_ready(make.month(12))

    close(controller, 12)
    job = work()

    assert job.status == JobStatus.FAILED
    assert "The key was used for another booking." in html(controller, show(make.month(12)))
    assert make.month(12).state == PeriodState.OPEN
    assert Transaction.objects.filter(kind="CLOSING").exists() is False
