"""Period pages: the list, the steps of a close, the close by a worker, and the reopening by two people."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.approvals.models import ApprovalRequest
from apps.events.services import relay
from apps.jobs.contracts import JobStatus
from apps.jobs.models import Job
from apps.jobs.services import jobs as job_services
from apps.jobs.services import runs
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import PERIOD_REOPEN, AccountRole, LateItems, PeriodState
from apps.ledger.models import Book, Checkpoint, Period, SignOff, Transaction
from apps.ledger.selectors import preconditions
from apps.ledger.selectors.preconditions import Question
from apps.ledger.services import holds, periods, refusals
from apps.ledger.services.holds import Promise
from apps.tenancy.selectors import organisations
from tests import dialogs
from tests.dialogs import hidden
from tests.factories import access, approvals, fx, ledger
from tests.factories import jobs as job_factory
from tests.factories import periods as make
from tests.factories.approvals import ONE_APPROVER
from tests.factories.periods import LATER

LIST = "/portal/ledger/periods/"
OCTOBER = date(2026, 10, 14)
SOON = LATER + timedelta(minutes=10)


@pytest.fixture(autouse=True)
def soon(acme):
    access.head_office()
    access.portal()
    with clock.fixed(SOON):
        yield


@pytest.fixture
def booked(acme):
    """Money that arrived in January, a fee that was paid from it, and a year of periods."""
    branch = access.head_office()
    balance = ledger.ref(AccountRole.PROVIDER_BALANCE, branch.id, owner_id=ids.new(), name="M-Pesa Westlands")
    fees = ledger.ref(AccountRole.PROVIDER_FEES, branch.id)
    sales = ledger.ref(AccountRole.REVENUE, branch.id)
    ledger.post(ledger.transfer(balance, sales, 70_00, effective_date=date(2026, 1, 14)))
    ledger.post(ledger.transfer(fees, balance, 4_00, effective_date=date(2026, 1, 15)))
    make.months()
    return balance, fees


@pytest.fixture
def controller(enter, booked):
    client = enter("controller")
    connection.set_tenant(acme_again())
    return client


def html(client, url):
    response = client.get(url)
    connection.set_tenant(acme_again())
    assert response.status_code == 200, url
    return response.content.decode()


def open_at(client, url):
    response = dialogs.open_at(client, url)
    connection.set_tenant(acme_again())
    return response


def send(client, url, **fields):
    response = dialogs.send(client, url, **fields)
    connection.set_tenant(acme_again())
    return response


def post(client, url, form):
    response = client.post(url, form, headers={"hx-request": "true"})
    connection.set_tenant(acme_again())
    return response


def acme_again():
    """Return the organisation that a request has left."""
    return organisations.everything().get(slug="acme")


def show(period):
    return reverse("portal-period", args=[period.uid])


def deed(name, period, *kind):
    return reverse(f"portal-period-{name}", args=[period.uid, *kind])


def close(client, number, **fields):
    month = make.month(number)
    return send(client, deed("close", month), typed_text=f"2026-{number:02d}", note="", **fields)


def work() -> Job:
    """Let a worker do what waits, as the queue would."""
    job = Job.objects.order_by("id").last()
    job_factory.work(job, now=SOON)
    return job_factory.reloaded(job)


def test_the_list_says_what_is_open_what_is_closed_and_by_whom(controller):
    make.close_through(1)

    page = html(controller, LIST)

    assert page.index("January 2026") < page.index("December 2026")
    for word in (
        "Treasury",
        "About to close",
        "Closed",
        "Open",
        "11 periods have ended and are still open, the first is February 2026.",
    ):
        assert (word in page) is (word != "About to close"), word
    assert bytes(make.month(1).checkpoint_hash).hex()[:12] in page
    assert "open from 1 Feb 2026 on" in page
    assert "What comes late is refused." in page


def test_years_are_tabs_and_the_one_with_work_is_open(controller):
    make.months(2027)

    assert "January 2026" in html(controller, LIST)
    later = html(controller, f"{LIST}?year=2027-01")
    assert ("January 2027" in later, "January 2026</a>" in later) == (True, False)
    assert "January 2026" in html(controller, f"{LIST}?year=nonsense")


def test_the_page_names_every_precondition_and_what_mends_it(controller):
    page = html(controller, show(make.month(2)))

    for name in (
        "ended",
        "previous_closed",
        "holds",
        "requests",
        "suspense",
        "sealed",
        "revaluation",
        "reconciliation",
    ):
        assert f'data-step="{name}"' in page
    assert "1 earlier period is open." in page
    assert f'href="{show(make.month(1))}"' in page
    assert "2 transactions are not sealed yet." in page
    assert "3 things are left to do." in page
    assert deed("sign-off", make.month(2), "reconciliation") in page
    assert deed("sign-off", make.month(2), "suspense") not in page
    assert deed("close", make.month(2)) not in page


def test_what_is_vouched_for_keeps_the_name_and_can_be_taken_back(controller):
    january = make.month(1)
    opened = open_at(controller, deed("sign-off", january, "reconciliation")).content.decode()
    assert "1 cash account waits for its reconciliation." in opened

    assert (
        send(controller, deed("sign-off", january, "reconciliation"), note="Statement 7").status_code == 204
    )
    page = html(controller, show(january))
    assert "Statement 7" in page
    assert deed("take-back", january, "reconciliation") in page
    assert send(controller, deed("sign-off", january, "reconciliation"), note="Again").status_code == 409

    assert send(controller, deed("take-back", january, "reconciliation"), reason="no").status_code == 422
    assert SignOff.objects.count() == 1
    assert (
        send(controller, deed("take-back", january, "reconciliation"), reason="Wrong statement").status_code
        == 204
    )
    assert list(SignOff.objects.order_by("id").values_list("is_signed", "note")) == [
        (True, "Statement 7"),
        (False, "Wrong statement"),
    ]
    assert "Taken back by" in html(controller, show(january))


def test_what_was_booked_since_is_signed_anew_in_the_same_words(controller, booked):
    january = make.month(1)
    sign = deed("sign-off", january, "reconciliation")
    assert send(controller, sign, note="").status_code == 204
    with clock.fixed(SOON + timedelta(minutes=1)):
        ledger.post(ledger.transfer(*booked, 1, effective_date=date(2026, 1, 20)), now=clock.now())
        assert "Something was booked after it was signed off." in html(controller, show(january))
        assert send(controller, sign, note="").status_code == 204

    with clock.fixed(SOON + timedelta(minutes=2)):
        assert sign not in html(controller, show(january))
    assert SignOff.objects.count() == 2


def test_nobody_signs_what_he_has_not_seen(controller, booked):
    january = make.month(1)
    form = hidden(open_at(controller, deed("sign-off", january, "suspense")))
    suspense = ledger.ref(AccountRole.SUSPENSE, access.head_office().id)
    ledger.post(ledger.transfer(booked[0], suspense, 5_00, effective_date=date(2026, 1, 20)))

    answer = post(controller, deed("sign-off", january, "suspense"), {**form, "note": ""})

    assert answer.status_code == 409
    assert SignOff.objects.exists() is False


def test_an_unknown_sign_off_is_not_there(controller):
    answer = open_at(controller, deed("sign-off", make.month(1), "weather"))

    assert answer.status_code == 404


def test_a_close_is_announced_and_the_announcement_taken_back(controller):
    january = make.month(1)

    assert send(controller, deed("announce", january)).status_code == 204
    assert "About to close" in html(controller, show(january))
    assert send(controller, deed("announce", january)).status_code == 409
    assert send(controller, deed("resume", january)).status_code == 204

    assert make.month(1).state == PeriodState.OPEN
    assert "Announcement of the close taken back" in html(controller, show(january))


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


@pytest.fixture
def dollars(booked):
    """A sale of USD 100.00 at 129.5, and the rate of the end of January."""
    branch = access.head_office()
    fx.rate("129.5", as_of=datetime(2026, 1, 13, tzinfo=UTC))
    refs = fx.bank("USD", branch.id), ledger.ref(AccountRole.REVENUE, branch.id, "USD")
    ledger.post(
        ledger.transfer(*refs, 100_00, effective_date=date(2026, 1, 14)),
        now=datetime(2026, 1, 14, 9, tzinfo=UTC),
    )
    return fx.rate("131", as_of=datetime(2026, 1, 31, 9, tzinfo=UTC))


def test_foreign_money_is_revalued_from_its_step(enter, dollars):
    client = enter("owner")
    connection.set_tenant(acme_again())
    january = make.month(1)
    assert deed("revalue", january) in html(client, show(january))
    opened = open_at(client, deed("revalue", january)).content.decode()
    for word in ("KES 131", "150.00", "A day is revalued once."):
        assert word in opened, word

    assert send(client, deed("revalue", january)).status_code == 204
    assert send(client, deed("revalue", january)).status_code == 204

    assert Transaction.objects.filter(kind="REVALUATION").count() == 1
    page = html(client, show(january))
    assert deed("revalue", january) not in page
    assert "Foreign currency is revalued on its last day." in page


def test_a_revaluation_without_a_rate_says_so_and_books_nothing(enter, dollars):
    client = enter("owner")
    connection.set_tenant(acme_again())
    march = make.month(3)

    opened = open_at(client, deed("revalue", march)).content.decode()
    refused = send(client, deed("revalue", march))

    assert "A rate is missing" in opened
    assert refused.status_code == 409
    assert Transaction.objects.filter(kind="REVALUATION").exists() is False


def test_who_exchanges_nothing_revalues_nothing(controller, dollars):
    january = make.month(1)

    assert deed("revalue", january) not in html(controller, show(january))
    assert open_at(controller, deed("revalue", january)).status_code == 403


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


def rule():
    approvals.rule(kind=PERIOD_REOPEN.name, currency="", minimum_minor=None, steps=ONE_APPROVER)


def test_two_people_open_it_again(controller, enter):
    rule()
    january = make.close_through(1)
    assert "is reversed" not in open_at(controller, deed("reopen", january)).content.decode()

    answer = send(
        controller,
        deed("reopen", january),
        behind=f"http://testserver{show(january)}",
        reason="An invoice came late",
    )
    assert answer.status_code == 204
    request = ApprovalRequest.objects.get()
    page = html(controller, show(january))
    assert "has asked to open it again. Another person decides." in page
    assert reverse("portal-approval", args=[request.id]) in page
    assert deed("reopen", january) not in page
    assert f'href="{show(january)}"' in html(controller, reverse("portal-approval", args=[request.id]))

    checker = enter("approver", email="brian@example.test")
    connection.set_tenant(acme_again())
    approve = reverse("admin:approvals_approvalrequest_approve", args=[request.id])
    assert send(controller, approve).status_code == 403
    assert send(checker, approve).status_code == 204
    while relay.run_next(queue="events", now=SOON):
        pass

    again = make.month(1)
    assert (again.state, again.revision) == (PeriodState.OPEN, 2)
    page = html(controller, show(again))
    assert "this is close 2" in page
    assert "Opened again, agreed by" in page
    assert deed("sign-off", again, "reconciliation") in page


def test_a_reopening_that_cannot_be_says_why(controller):
    make.close_through(2)
    first, last = make.month(1), make.month(2)

    assert deed("reopen", first) not in html(controller, show(first))
    refused = send(controller, deed("reopen", first), reason="An invoice came late")
    assert "Only the last closed period can be opened again." in refused.content.decode()
    nobody = send(controller, deed("reopen", last), reason="An invoice came late")
    assert "Make an approval rule" in nobody.content.decode()
    assert send(controller, deed("reopen", last), reason="no").status_code == 422
    assert ApprovalRequest.objects.exists() is False
    rule()
    assert send(controller, deed("reopen", last), reason="An invoice came late").status_code == 204
    other = send(controller, deed("reopen", last), reason="For another reason")
    assert other.status_code == 409
    assert ApprovalRequest.objects.count() == 1


def test_late_items_are_decided_and_shown_behind_the_period(controller, booked):
    url = reverse("portal-book-late-items")
    make.close_through(1)
    assert send(controller, url, policy="NEXT_OPEN", reason="Decided by the CFO").status_code == 204
    assert Book.objects.get().late_items == LateItems.NEXT_OPEN
    late = ledger.post(ledger.transfer(*booked, 1_00, effective_date=date(2026, 1, 20)), now=SOON)

    page = html(controller, show(make.month(1)))

    assert reverse("portal-transaction", args=[late.id]) in page
    assert "came after the close and are dated behind it" in page
    row = html(controller, LIST).partition("January 2026</a>")[2].partition("</tr>")[0]
    assert row.endswith('<td class="r">1</td>')
    assert send(controller, url, policy="SOMETIMES", reason="Decided by the CFO").status_code == 422


def test_a_year_is_opened_once_and_follows_the_last_one(controller):
    url = reverse("portal-book-open-year")
    assert 'value="2027"' in open_at(controller, url).content.decode()

    assert send(controller, url, year="2029").status_code == 409
    assert send(controller, url, year="soon").status_code == 422
    assert send(controller, url, year="2027").status_code == 204
    assert send(controller, url, year="2027").status_code == 204

    assert Period.objects.count() == 24


def test_the_first_year_says_in_which_month_years_begin(enter):
    client = enter("controller")
    connection.set_tenant(acme_again())
    url = reverse("portal-book-open-year")
    assert "No periods yet" in html(client, LIST)
    assert open_at(client, url).status_code == 404
    branch = access.head_office()
    ledger.post(
        ledger.transfer(
            ledger.ref(AccountRole.CASH, branch.id), ledger.ref(AccountRole.REVENUE, branch.id), 1
        )
    )

    assert send(client, url, year="2026", first_month="13").status_code == 422
    assert send(client, url, year="2026", first_month="7").status_code == 204

    assert Book.objects.get().fiscal_year_start == 7
    assert str(Period.objects.order_by("start_date").first()) == "2026-07-01 to 2026-07-31"
    assert "2026/27" not in html(client, LIST)  # one year needs no tabs


def test_the_first_page_says_what_has_ended(controller, enter):
    home = reverse("portal-cash-position")

    assert "12 periods have ended and are still open" in html(controller, home)
    assert "have ended and are still open" not in html(enter("accountant", email="b@example.test"), home)


DIALOGS = [
    ("portal-period-announce", ()),
    ("portal-period-close", ()),
    ("portal-period-sign-off", ("reconciliation",)),
]


@pytest.mark.parametrize("role", ["treasury_officer", "approver", "accountant", "auditor"])
def test_who_may_read_sees_no_button_and_opens_no_dialog(enter, booked, role):
    client = enter(role)
    connection.set_tenant(acme_again())
    january = make.month(1)

    assert "/do/" not in html(client, show(january))
    assert "/do/" not in html(client, LIST)
    for name, kind in DIALOGS:
        answer = open_at(client, reverse(name, args=[january.uid, *kind]))
        assert answer.status_code == 403
        assert "ledger.close" in answer.content.decode()
    for kind in ("late-items", "open-year"):
        assert open_at(client, reverse(f"portal-book-{kind}")).status_code == 403


@pytest.mark.parametrize("role", ["support", "developer", "compliance"])
def test_who_may_not_read_the_ledger_sees_no_period(enter, booked, role):
    client = enter(role)
    connection.set_tenant(acme_again())
    january = make.month(1)

    for url in (LIST, show(january), reverse("portal-period-progress", args=[january.uid])):
        assert client.get(url).status_code == 403


def test_a_controller_of_one_branch_reads_his_part_and_decides_nothing(enter, booked):
    make.close_through(1)
    make.make_ready(make.month(2))
    client = enter("controller", branches=(access.branch(),))
    connection.set_tenant(acme_again())
    january, february = make.month(1), make.month(2)

    assert "your branches only" in html(client, show(january))
    assert "74.00" not in html(client, show(january))
    assert deed("close", february) not in html(client, show(february))
    for url, fields in (
        (deed("close", february), {"typed_text": "2026-02", "note": ""}),
        (deed("sign-off", make.month(3), "reconciliation"), {"note": ""}),
        (deed("announce", february), {}),
        (deed("reopen", january), {"reason": "An invoice came late"}),
        (reverse("portal-book-late-items"), {"policy": "NEXT_OPEN", "reason": "Decided by me"}),
        (reverse("portal-book-open-year"), {"year": "2027"}),
    ):
        answer = send(client, url, **fields)
        assert answer.status_code == 403, url
        assert "This is about the books of all branches." in answer.content.decode()
    assert Job.objects.exists() is False
    assert make.month(2).state == PeriodState.OPEN
    assert Book.objects.get().late_items == LateItems.REJECT


def test_periods_of_another_organisation_are_not_there(enter, booked, zuri, in_organisation):
    in_organisation("acme")
    january = make.month(1)
    in_organisation("zuri")
    access.head_office()
    access.portal()
    access.member("owner", "zawadi@example.test")
    stranger = Client(headers={"host": "zuri.testserver"})
    assert stranger.login(username="zawadi@example.test", password=access.PASSWORD)

    assert stranger.get(show(january)).status_code == 404
    assert open_at(stranger, deed("close", january)).status_code == 404
    assert b"January 2026" not in stranger.get(LIST).content
    in_organisation("acme")
    assert make.month(1).state == PeriodState.OPEN


@pytest.mark.parametrize("role", ["controller", "owner"])
def test_no_dialog_tells_somebody_of_one_branch_what_the_whole_book_has_earned(enter, dollars, role):
    make.close_through(1)
    client = enter(role, branches=(access.branch(),))
    connection.set_tenant(acme_again())
    of_period = [
        deed(name, make.month(number))
        for name in ("announce", "resume", "close", "reopen")
        for number in (1, 2, 12)
    ]
    of_slot = [deed(name, make.month(2), "reconciliation") for name in ("sign-off", "take-back")]
    of_book = [reverse(f"portal-book-{name}") for name in ("late-items", "open-year")]
    revalue = [deed("revalue", make.month(2))] if role == "owner" else []

    for url in (*of_period, *of_slot, *of_book, *revalue):
        answer = open_at(client, url)
        said = answer.content.decode()
        assert (url, answer.status_code) == (url, 403)
        assert "This is about the books of all branches." in said
        assert "KES" not in said


def test_a_reader_of_one_branch_is_told_no_count_of_the_others(enter, booked):
    make.close_through(1)
    periods.set_late_items(policy=LateItems.NEXT_OPEN, reason="Decided by the CFO", actor=SYSTEM, now=SOON)
    late = ledger.post(ledger.transfer(*booked, 1_00, effective_date=date(2026, 1, 20)), now=SOON)
    client = enter("accountant", branches=(access.branch(),))
    connection.set_tenant(acme_again())
    january, february = make.month(1), make.month(2)
    found = preconditions.of(Question(february, SOON))

    open_page = html(client, show(february))
    assert "The books of all branches decide it." in open_page
    for condition in found:
        assert condition.sentence not in open_page
    assert reverse("portal-transaction", args=[late.id]) not in html(client, show(january))
    row = html(client, LIST).partition("January 2026</a>")[2].partition("</tr>")[0]
    assert row.endswith('<td class="r">0</td>')


def test_who_may_not_decide_does_not_learn_which_periods_there_are(enter, booked):
    client = enter("auditor")
    connection.set_tenant(acme_again())

    for period_id in (make.month(1).uid, ids.new()):
        answer = open_at(client, reverse("portal-period-close", args=[period_id]))
        assert answer.status_code == 403
        assert "ledger.close" in answer.content.decode()
