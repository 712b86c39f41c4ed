"""The ledger explorer: the chart as a tree, one account between dates, each step a link, each sum the same."""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.urls import reverse

from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, AccountType
from apps.ledger.selectors import accounts, chart
from apps.ledger.selectors.chart import Part
from apps.ledger.services import accounts as opened
from apps.ledger.services import charts, holds
from apps.ledger.services.holds import Promise
from apps.portal.selectors import account as account_pages
from apps.portal.selectors import chart_of_accounts
from apps.tenancy.selectors import organisations
from tests.factories import access, ledger
from tests.portal.story import NOW

LATER = NOW + timedelta(hours=1)
TODAY = date(2026, 11, 24)
CHART = "/portal/ledger/accounts/"


def account(role, branch):
    return next(a for a in accounts.with_balances(role=role) if a.branch_id == branch.id)


def page_of(shown):
    return reverse("portal-account", args=[shown.uid])


def read(client, url, query=None, *, status=200, at=LATER):
    with clock.fixed(at):
        response = client.get(url, query or {})
    connection.set_tenant(organisations.everything().get(slug="acme"))
    assert response.status_code == status, url
    return response.content.decode()


def late(office, minor=5_00, day=date(2026, 11, 2)):
    """Book something that is dated back, after everybody has looked."""
    cash, suspense = (ledger.ref(role, office.id) for role in (AccountRole.CASH, AccountRole.SUSPENSE))
    return ledger.post(ledger.transfer(cash, suspense, minor, effective_date=day), now=LATER)


def test_leads_from_balance_to_entry_to_source(story, enter):
    client = enter("owner")
    shown = account(AccountRole.PROVIDER_BALANCE, story.head_office)

    assert page_of(shown) in read(client, CHART)

    page = read(client, page_of(shown))
    links = re.findall(r'href="(/portal/ledger/transactions/[^"]+)"', page)
    transaction = read(client, links[-1])

    assert "NLJ7RT61SV" in transaction
    assert reverse("portal-payment", args=[story.paid]) in transaction
    assert "Balanced, KES" in transaction


def test_running_balance_ends_with_the_balance(story, enter):
    client = enter("owner")
    shown = account(AccountRole.PROVIDER_BALANCE, story.head_office)

    html = read(client, page_of(shown))

    assert 'data-amount="14925.00"' in html
    assert "14,925.00" in html
    assert "1,492.50" in html
    assert re.search(r'title="Against [0-9]+ Unapplied collections"', html)


def test_footing_leads_from_the_opening_to_the_balance_of_debit_and_credit_accounts(story):
    owner = access.member().user
    for shown in accounts.with_balances():
        for since in (date(2026, 11, 1), TODAY, date(2026, 11, 25)):
            asked = {"since": since, "as_of": max(since, TODAY), "known_at": None}
            page = account_pages.page(shown.uid, owner, **asked)
            change = page.footing.money_in - page.footing.money_out

            assert page.footing.opening + (change if shown.is_debit_normal else -change) == (
                page.footing.balance
            )
            assert page.account.balance == page.footing.balance == shown.balance


def test_books_balance_over_all_branches_and_prove_nothing_for_one(story):
    owner = access.member().user
    clerk = access.member("accountant", "brian@example.test", branches=(story.other_branch,)).user
    asked = {"as_of": TODAY, "known_at": None, "part": chart.ALL}

    (proof,) = chart_of_accounts.page(owner, **asked).proof

    assert proof.difference.is_zero
    assert proof.debits.text == "17500.00"
    assert chart_of_accounts.page(clerk, **asked).proof == ()


def test_each_heading_sums_what_stands_beneath_it_per_currency(story):
    charts.install(actor=SYSTEM, now=NOW)
    dollars = [
        ledger.ref(role, story.other_branch.id, "USD") for role in (AccountRole.CASH, AccountRole.REVENUE)
    ]
    ledger.post(ledger.transfer(*dollars, 7_00, effective_date=TODAY))

    tops = {node.code: node for node in chart.tree(as_of=TODAY)}

    assets = tops["1"]
    assert [sum_.text for sum_ in assets.totals] == ["17412.50", "7.00"]
    assert [
        (child.code, [str(money) for money in child.totals]) for child in assets.children if child.totals
    ] == [
        ("10", ["KES 17,412.50"]),
        ("12", ["USD 7.00"]),
    ]
    for node in tops.values():
        assert node.totals == chart.totals(money for child in node.children for money in child.totals)
    assert {one.uid for node in tops.values() for one in node.below} == {
        one.uid for one in accounts.with_balances()
    }


def test_the_chart_is_there_before_anything_is_booked_and_its_lines_are_quiet(acme, enter):
    charts.install(actor=SYSTEM, now=NOW)

    html = read(enter("owner"), CHART)

    assert "Property, plant and equipment" in html
    assert "no account" in html
    assert "<details open" not in html
    assert "Unfold all" not in html


def test_the_chart_stands_at_a_day_and_as_known_at_an_instant(story, enter):
    client = enter("owner")
    known = {"as_of": "2026-11-24", "known_at": "2026-11-24T11:30:00"}
    before = read(client, CHART, known)
    assert "At the end of 24 Nov 2026, as known at 24 Nov 2026, 11:30:00 EAT" in before
    assert "17,412.50" in before
    assert "17,412.50" not in read(client, CHART, {"as_of": "2026-11-23"})

    late(story.head_office)

    later = LATER + timedelta(hours=2)
    again = read(client, CHART, known, at=later)
    assert sums(again) == sums(before)
    assert "13,505.00" in read(client, CHART, {"as_of": "2026-11-24"}, at=later)
    assert "13,505.00" not in again


def sums(html):
    """Return every amount of a page in its order."""
    return re.findall(r'data-minor="(-?\d+)"', html)


@pytest.mark.parametrize(
    ("filters", "there", "absent"),
    [
        ({"role": "SUSPENSE"}, "13,500.00", "M-Pesa paybill"),
        ({"type": "ASSET"}, "M-Pesa paybill", "Unapplied collections"),
        ({"currency": "KES"}, "M-Pesa paybill CBD", "Property, plant"),
        ({"branch": "other"}, "M-Pesa paybill CBD", "14,925.00"),
    ],
)
def test_filters_narrow_the_chart_to_what_has_accounts(story, enter, filters, there, absent):
    if "branch" in filters:
        filters = {"branch": str(story.other_branch.id)}

    html = read(enter("owner"), CHART, filters)

    tree = html[html.index("data-tree") :]
    assert there in tree
    assert absent not in tree
    assert "The books balance" not in html


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"as_of": "yesterday"}, "Enter a day, as 2026-11-24."),
        ({"as_of": "2026-02-30"}, "Enter a day, as 2026-11-24."),
        ({"as_of": "0001-01-01"}, "Enter a year from 1900 to 2999."),
        ({"as_of": "2026-11-24\x00"}, "Enter a day, as 2026-11-24."),
        ({"known_at": "noon"}, "Enter a day and a time, as 2026-11-24T10:41:00."),
        ({"known_at": "9999-12-31T23:59:59-12:00"}, "Enter a year from 1900 to 2999."),
        ({"known_at": "2026-11-24T18:00:00"}, "This is still to come"),
    ],
)
@pytest.mark.parametrize("place", ["chart", "account"])
def test_dates_that_are_none_are_refused_at_their_field(story, enter, query, sentence, place):
    shown = account(AccountRole.PROVIDER_BALANCE, story.head_office)

    html = read(enter("owner"), CHART if place == "chart" else page_of(shown), query, status=422)

    (name,) = query
    assert re.search(rf'id="wrong_{name}">{re.escape(sentence)}', html)
    assert "14,925.00" not in html


def test_a_filter_that_is_none_is_refused_rather_than_left_out(story, enter):
    client = enter("accountant", branches=(story.other_branch,))

    for query in ({"role": "NONSENSE"}, {"currency": "XXX"}, {"branch": str(story.head_office.id)}):
        assert "Nothing is shown" in read(client, CHART, query, status=422)


def test_days_that_run_backwards_are_refused_at_their_field(story, enter):
    shown = account(AccountRole.PROVIDER_BALANCE, story.head_office)

    html = read(enter("owner"), page_of(shown), {"since": "2026-11-25"}, status=422)

    assert 'id="wrong_since">The first day is after the last one.' in html


def test_an_account_between_days_as_known_at_an_instant_stays_the_same(story, enter):
    client = enter("owner")
    shown = account(AccountRole.SUSPENSE, story.head_office)
    asked = {"since": "2026-11-01", "as_of": "2026-11-24", "known_at": "2026-11-24T11:30:00"}
    before = read(client, page_of(shown), asked)

    late(story.head_office)

    later = LATER + timedelta(hours=2)
    assert sums(read(client, page_of(shown), asked, at=later)) == sums(before)
    del asked["known_at"]
    now_known = read(client, page_of(shown), asked, at=later)
    assert 'data-amount="13505.00"' in now_known
    assert "1 Nov 2026 to 24 Nov 2026, as known now" in now_known
    of_the_day = read(client, page_of(shown), {"since": "2026-11-02", "as_of": "2026-11-02"}, at=later)
    assert 'data-amount="5.00"' in of_the_day


def test_what_was_known_within_the_minute_is_provisional(story, enter):
    client = enter("owner")
    asked = {"known_at": "2026-11-24T11:40:30"}

    assert "Something may still be booked" in read(client, CHART, asked)
    assert "Something may still be booked" not in read(client, CHART, asked, at=LATER + timedelta(minutes=2))


def test_older_entries_are_on_the_next_page_with_the_dates_kept(story, enter):
    client = enter("owner")
    shown = account(AccountRole.SUSPENSE, story.head_office)
    for number in range(60):
        late(story.head_office, minor=100 + number, day=date(2026, 10, 1))

    month = read(client, page_of(shown), {"as_of": "2026-11-24"}, at=LATER + timedelta(hours=1))
    (whole,) = re.findall(r'href="([^"]+)">All entries, from 1 Oct 2026<', month)
    first = read(client, page_of(shown) + whole.replace("&amp;", "&"), at=LATER + timedelta(hours=1))
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    assert "since=2026-10-01&amp;as_of=2026-11-24&amp;before=" in older
    assert "All entries, from" not in first
    second = read(client, page_of(shown) + older.replace("&amp;", "&"), at=LATER + timedelta(hours=1))

    rows = [re.findall(r"/portal/ledger/transactions/([^\"]+)", html) for html in (first, second)]
    assert [len(set(own)) for own in rows] == [50, 11]
    assert not set(rows[0]) & set(rows[1])
    assert 'rel="prev"' in second


def test_cursor_that_is_none_starts_at_the_newest(story, enter):
    client = enter("owner")
    shown = account(AccountRole.PROVIDER_BALANCE, story.head_office)

    assert "NLJ7RT61SV" in read(client, page_of(shown), {"before": "1;drop"})


def test_what_is_held_and_limited_is_said_beside_what_was_posted(story, enter):
    client = enter("owner")
    shown = account(AccountRole.SUSPENSE, story.head_office)
    payer = ledger.ref(AccountRole.SUSPENSE, story.head_office.id)
    payee = ledger.ref(AccountRole.CASH, story.head_office.id)
    assert "What binds it now" not in read(client, page_of(shown))

    holds.place(
        promise=Promise(
            key="test:hold", payer=payer, payee=payee, money=Money(4_00, "KES"), description="Order 7",
            source_type="order", source_id=ids.new(),
        ),
        actor=SYSTEM, now=LATER,
    )  # fmt: skip
    opened.set_limits(ref=payer, net_floor=None, net_ceiling=Money(0, "KES"), actor=SYSTEM, now=LATER)
    opened.freeze(ref=payer, reason="Looked into", actor=SYSTEM, now=LATER)

    html = read(client, page_of(shown))
    binds = html[html.index("What binds it now") : html.index("by their day")]
    assert "Held, to be debited" in binds
    assert "4.00" in binds
    assert "Not below" in binds
    assert "Frozen" in binds
    assert 'data-amount="13500.00"' in html
    assert "Order 7" not in html


def test_a_branch_sees_its_own_accounts_and_nobody_the_others(story, enter):
    client = enter("accountant", branches=(story.other_branch,))
    foreign = account(AccountRole.PROVIDER_BALANCE, story.head_office)
    own = account(AccountRole.PROVIDER_BALANCE, story.other_branch)

    html = read(client, CHART)
    page = read(client, page_of(own))

    assert page_of(own) in html
    assert page_of(foreign) not in html + page
    assert "14,925.00" not in html + page
    assert "2,487.50" in html
    read(client, page_of(foreign), status=404)


def test_many_accounts_of_one_line_are_counted_and_listed_elsewhere(story, enter, monkeypatch):
    monkeypatch.setattr(chart_of_accounts, "SHOWN", 1)

    html = read(enter("owner"), CHART)

    assert "1 more account" in html
    assert "?role__exact=PROVIDER_BALANCE" in html
    assert "17,412.50" in html


def test_a_part_of_the_chart_names_only_what_has_accounts(story):
    charts.install(actor=SYSTEM, now=NOW)

    found = chart.tree(as_of=TODAY, part=Part(type=AccountType.LIABILITY))

    assert [node.code for node in found] == ["2"]
    assert all(child.below for child in found[0].children)
    assert chart.tree(as_of=TODAY, part=Part(within=frozenset(), currency="KES")) == ()
