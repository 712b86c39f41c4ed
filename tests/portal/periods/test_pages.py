"""Period pages: the list, the page of one with what is signed there, and the years."""

from datetime import date, timedelta

from django.db import connection
from django.urls import reverse

from apps.kit import clock
from apps.ledger.contracts import AccountRole, LateItems, PeriodState
from apps.ledger.models import Book, Period, SignOff
from tests.dialogs import hidden
from tests.factories import access, ledger
from tests.factories import periods as make
from tests.portal.periods.steps import LIST, SOON, acme_again, deed, html, open_at, post, send, show


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
