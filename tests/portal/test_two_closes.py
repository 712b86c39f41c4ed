"""Two people at once: dialogs of a period are sent from two connections in the same moment."""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.approvals.models import ApprovalRequest
from apps.jobs.models import Job
from apps.kit import clock
from apps.ledger.contracts import PERIOD_REOPEN, AccountRole, PeriodState
from apps.ledger.models import Book, Period, SignOff
from apps.ledger.services import verification
from tests.dialogs import hidden, open_at
from tests.factories import access, approvals, ledger
from tests.factories import jobs as job_factory
from tests.factories import periods as make
from tests.factories.approvals import ONE_APPROVER
from tests.factories.periods import LATER

SOON = LATER + timedelta(minutes=10)
PEOPLE = ("amina@example.test", "daniel@example.test")
type Send = Callable[[str], list[Any]]


@pytest.fixture
def send_at_once(committed_acme) -> Send:
    """
    Return a function that opens a dialog as two people, sends both in the same moment, and returns the answers.

    January 2026 has something to close and is ready for it.
    """
    access.head_office()
    access.portal()
    branch = ledger.branch()
    refs = ledger.ref(AccountRole.CASH, branch.id), ledger.ref(AccountRole.REVENUE, branch.id)
    ledger.post(ledger.transfer(*refs, 1_00, effective_date=date(2026, 1, 14)))
    make.months()
    browsers = []
    for email in PEOPLE:
        access.member("controller", email)
        browsers.append(Client(headers={"host": "acme.testserver"}))
        assert browsers[-1].login(username=email, password=access.PASSWORD)
        connection.set_tenant(committed_acme)

    def send(url: str, **fields: str) -> list[Any]:
        forms = []
        for browser in browsers:
            with clock.fixed(SOON):
                forms.append({**hidden(open_at(browser, url)), **fields})
        gate, answers = threading.Barrier(len(browsers)), {}

        def post(browser: Client, form: dict[str, str]) -> None:
            try:
                with clock.fixed(SOON):
                    gate.wait(30)
                    answers[browser] = browser.post(url, form, headers={"hx-request": "true"})
            finally:
                connection.close()

        threads = [threading.Thread(target=post, args=pair) for pair in zip(browsers, forms, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        connection.set_tenant(committed_acme)
        return sorted((answers[browser] for browser in browsers), key=lambda answer: answer.status_code)

    return send


def deed(name: str, period: Period, *kind: str) -> str:
    return reverse(f"portal-period-{name}", args=[period.uid, *kind])


@pytest.mark.parametrize("round_", range(3))
def test_one_close_begins_and_the_other_person_is_told(send_at_once, round_):
    make.make_ready(make.month(1))

    began, refused = send_at_once(deed("close", make.month(1)), typed_text="2026-01", note="")

    assert (began.status_code, refused.status_code) == (204, 409)
    assert "Somebody is closing a period already. Nothing was started" in refused.content.decode()
    job_factory.work(Job.objects.get(), now=SOON)
    assert make.month(1).state == PeriodState.CLOSED
    assert Book.objects.get().closed_through == date(2026, 1, 31)
    make.seal(now=SOON)
    assert verification.verify().findings == ()


def test_two_workers_close_it_once(send_at_once, committed_acme):
    make.make_ready(make.month(1))
    send_at_once(deed("close", make.month(1)), typed_text="2026-01", note="")
    job = Job.objects.get()

    def work() -> None:
        connection.set_tenant(committed_acme)
        try:
            job_factory.work(job, now=SOON)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    january = make.month(1)
    assert (january.state, january.revision) == (PeriodState.CLOSED, 1)
    assert january.checkpoints.count() == 2


def test_one_reopening_is_asked_for(send_at_once):
    approvals.rule(kind=PERIOD_REOPEN.name, currency="", minimum_minor=None, steps=ONE_APPROVER)
    january = make.close_through(1)

    asked, other = send_at_once(deed("reopen", january), reason="An invoice came late")

    assert asked.status_code == 204
    assert other.status_code in {204, 409}
    assert ApprovalRequest.objects.count() == 1
    assert make.month(1).state == PeriodState.CLOSED


def test_both_signatures_stay_and_the_last_one_counts(send_at_once):
    answers = send_at_once(deed("sign-off", make.month(1), "reconciliation"), note="Counted")

    signed = [answer for answer in answers if answer.status_code == 204]
    assert SignOff.objects.count() == len(signed) > 0
