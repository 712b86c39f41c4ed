"""Rights over periods: who may only read, of one branch, or of another organisation."""

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.jobs.models import Job
from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.ledger.contracts import LateItems, PeriodState
from apps.ledger.models import Book
from apps.ledger.selectors import preconditions
from apps.ledger.selectors.preconditions import Question
from apps.ledger.services import periods
from tests.factories import access, ledger
from tests.factories import periods as make
from tests.portal.periods.steps import LIST, SOON, acme_again, deed, html, open_at, send, show

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
