"""Explain pages: from a figure to what it rests on, what nothing proves, and what changed since a report was made."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from apps.kit import clock
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Account, Transaction
from tests.factories import access, ledger
from tests.portal.test_report_pages import LATER, again, book, html

BELOW = "/portal/ledger/reports/"
DATES = "as_of=2026-11-30&known_at=2026-11-24T12:00:00"


@pytest.fixture
def branch(acme):
    return access.head_office()


@pytest.fixture
def mombasa(branch):
    return ledger.branch(name="Mombasa")


@pytest.fixture
def books(branch, mombasa):
    """Sales of two branches that nobody has proved."""
    book(900_00, date(2026, 11, 3), branch)
    book(70_00, date(2026, 11, 5), mombasa)
    access.portal()
    with clock.fixed(LATER):
        yield


def explain(name: str = "Head office") -> str:
    account = Account.objects.get(role=AccountRole.CASH, branch__name=name)
    return reverse("portal-explain-account", args=[account.uid])


def test_a_payment_is_explained_down_to_the_bytes_of_the_provider(story, enter):
    client = enter("owner")
    account = Account.objects.filter(role=AccountRole.PROVIDER_BALANCE).order_by("id").first()
    again()

    page = html(
        client, f"{reverse('portal-explain-account', args=[account.uid])}?as_of=2026-12-31&since=2026-01-01"
    )

    assert "How the balance is made up" in page
    assert "What happened" in page
    assert reverse("portal-payment", args=[story.paid]) in page


def test_a_balance_is_made_up_of_its_entries(books, enter):
    page = html(enter("accountant"), f"{explain()}?{DATES}")

    assert "Opening 1 Nov" in page
    assert 'data-minor="90000"' in page
    assert "that it names does not exist." in page


def test_what_was_posted_later_is_not_a_part_of_what_was_known(books, branch, enter):
    client = enter("accountant")
    before = html(client, f"{explain()}?{DATES}")

    book(5_00, date(2026, 11, 2), branch, now=LATER - timedelta(minutes=1))

    later = Transaction.objects.order_by("id").last()
    known, now = html(client, f"{explain()}?{DATES}"), html(client, f"{explain()}?as_of=2026-11-30")
    assert (later.number in before, later.number in known, later.number in now) == (False, False, True)


def test_pages_follow_one_another_at_the_same_instant(books, branch, enter):
    for day in range(6, 26):
        for _ in range(3):
            book(day, date(2026, 11, day), branch)
    client = enter("accountant")

    first = html(client, f"{explain()}?{DATES}")
    cursor = first.split("&amp;after=")[1].split('"')[0]
    second = html(client, f"{explain()}?{DATES}&after={cursor}")

    assert "First page" in second
    assert 'href="?since=2026-11-01&amp;as_of=2026-11-30&amp;known_at=2026-11-24T12%3A00%3A00"' in second
    assert html(client, f"{explain()}?{DATES}&after=nonsense")


def test_a_transaction_is_explained_by_itself(books, enter):
    client = enter("accountant")
    uid = Transaction.objects.order_by("id").first().uid

    assert "Written by" in html(client, reverse("portal-explain-transaction", args=[uid]))


def test_what_nothing_proves_is_listed_and_says_what_it_lacks(books, branch, enter):
    client = enter("accountant")
    first, second = Transaction.objects.order_by("id")

    page = html(client, f"{BELOW}without-evidence/?{DATES}")
    earlier = html(client, f"{BELOW}without-evidence/?as_of=2026-11-04&known_at=2026-11-24T12:00:00")

    assert (first.number in page, second.number in page) == (True, True)
    assert (first.number in earlier, second.number in earlier) == (True, False)


def test_what_was_posted_since_is_listed_and_nothing_else(books, branch, enter):
    client = enter("accountant")
    unchanged = html(client, f"{BELOW}changes/?{DATES}")
    book(5_00, date(2026, 11, 2), branch, now=LATER - timedelta(minutes=1))
    added = Transaction.objects.order_by("id").last()

    page = html(client, f"{BELOW}changes/?{DATES}")

    assert "Nothing has changed" in unchanged
    assert added.number in page
    assert page.count(f'href="{reverse("portal-transaction", args=[added.uid])}"') == 2
    assert Transaction.objects.order_by("id").first().number not in page
    assert added.number not in html(client, f"{BELOW}changes/?{DATES}&until=2026-11-24T12:00:30")
    assert "Since when?" in html(client, f"{BELOW}changes/")


@pytest.mark.parametrize("query", ["as_of=never", "known_at=2026-12-24T00:00:00"])
def test_dates_that_cannot_be_read_are_refused(books, enter, query):
    client = enter("accountant")

    for url in (f"{BELOW}changes/", f"{BELOW}without-evidence/", explain()):
        again()
        html(client, f"{url}?{query}", 422)


def test_branches_see_their_own(books, branch, mombasa, enter):
    client = enter("accountant", branches=(mombasa,))
    first, second = Transaction.objects.order_by("id")
    here, there = explain("Mombasa"), explain()

    page = html(client, f"{BELOW}without-evidence/?{DATES}")
    since = html(client, f"{BELOW}changes/?as_of=2026-11-30&known_at=2026-11-01T00:00:00")

    assert (first.number in page + since, second.number in page, second.number in since) == (
        False,
        True,
        True,
    )
    html(client, here)
    html(client, there, 404)
    html(client, reverse("portal-explain-transaction", args=[first.uid]), 404)


@pytest.mark.parametrize("role", ["developer", "support", "compliance"])
def test_who_may_not_see_the_books_explains_nothing(books, enter, role):
    client = enter(role)
    uid = Transaction.objects.order_by("id").first().uid
    urls = (
        f"{BELOW}changes/",
        f"{BELOW}without-evidence/",
        explain(),
        reverse("portal-explain-transaction", args=[uid]),
    )

    for url in urls:
        html(client, url, 403)


def test_what_a_role_may_not_read_is_not_told(story, enter):
    client = enter("accountant")
    account = Account.objects.filter(role=AccountRole.PROVIDER_BALANCE).order_by("id").first()

    page = html(
        client, f"{reverse('portal-explain-account', args=[account.uid])}?as_of=2026-12-31&since=2026-01-01"
    )

    assert "/events/outboxevent/" not in page
