"""The cash position: it foots to the cent, counts only what is booked and shows only what the reader may see."""

from datetime import timedelta
from itertools import pairwise

from django.urls import reverse
from django.utils import timezone

from apps.kit import clock
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.portal.pages import chart
from apps.portal.selectors import cash_position
from tests.factories import access, ledger
from tests.portal.story import NOW

LATER = NOW + timedelta(hours=1)


def kes(minor: int) -> Money:
    return Money(minor, "KES")


def of_owner(now=LATER):
    return cash_position.of(access.member().user, now=now)


def test_balance_is_what_arrived_less_the_providers_fees(story):
    position = of_owner()

    assert position.total.balance == kes(14_925_00 + 2_487_50)
    assert [line.today.balance for line in position.lines] == [kes(14_925_00), kes(2_487_50)]
    assert [line.account.branch_name for line in position.lines] == ["Head office", "City centre"]


def test_every_line_and_total_foots(story):
    position = of_owner()

    for footing in [line.today for line in position.lines] + list(position.totals):
        assert footing.opening + footing.money_in - footing.money_out == footing.balance
    assert position.total.opening == kes(0)
    assert position.total.money_in == position.total.balance


def test_tomorrow_opens_with_what_today_closed(story):
    position = of_owner(now=NOW + timedelta(days=1))

    assert position.total.opening == kes(17_412_50)
    assert position.total.money_in == kes(0)


def test_what_stands_behind_the_balance_adds_up_to_it(story):
    parts = {part.name: part.amount for part in of_owner().parts}

    assert parts == {
        "Unapplied collections": kes(1_500_00 + 2_500_00),
        "Suspense": kes(13_500_00),
        "Provider fees": kes(-87_50),
    }


def test_pending_and_unknown_are_told_and_not_counted(story):
    position = of_owner()

    assert (position.expected.count, position.expected.sums) == (1, (kes(1_500_00),))
    assert (position.unknown.count, position.unknown.sums) == (1, (kes(1_500_00),))
    assert (position.in_review.count, position.in_review.sums) == (1, (kes(15_000_00),))
    assert position.suspense == (kes(13_500_00),)


def test_thirty_days_end_with_the_balance_of_today(story):
    days = of_owner().days

    assert len(days) == 30
    assert days[-1].day == timezone.localdate(LATER)
    assert days[-1].closing == kes(17_412_50)
    assert days[0].closing == kes(0)
    for before, after in pairwise(days):
        assert before.closing + after.money_in - after.money_out == after.closing


def test_currencies_are_never_added(story):
    branch = story.head_office
    dollars = ledger.ref(AccountRole.PROVIDER_BALANCE, branch.id, "USD", owner_id=story.inbox)
    ledger.post(
        ledger.transfer(dollars, ledger.ref(AccountRole.UNAPPLIED_COLLECTIONS, branch.id, "USD"), 12_34)
    )

    totals = {total.balance.currency: total.balance for total in of_owner().totals}

    assert totals == {"KES": kes(17_412_50), "USD": Money(12_34, "USD")}


def test_branch_sees_its_own_money_and_no_half_equation(story):
    member = access.member("accountant", "brian@example.test", branches=(story.other_branch,))

    position = cash_position.of(member.user, now=LATER)

    assert position.total.balance == kes(2_487_50)
    assert position.unknown.count == 0
    assert position.suspense == ()
    assert sum(part.amount.minor for part in position.parts) in {0, position.total.balance.minor}


def test_without_payments_nothing_of_them_is_read(story):
    position = cash_position.of(access.member().user, now=LATER, may_see_payments=False)

    assert position.expected.count == position.unknown.count == 0


def test_page_shows_the_balance_and_links_what_waits(story, enter):
    client = enter("owner")

    with clock.fixed(LATER):
        html = client.get(reverse("portal-cash-position")).content.decode()

    assert 'data-amount="17412.50"' in html
    assert "1 payment unknown" in html
    assert "status=UNKNOWN" in html
    assert "As of" in html
    assert "Show as table" in html
    assert '<svg class="t-chart"' in html


def test_empty_organisation_says_what_will_appear(acme, enter):
    access.head_office()
    client = enter("owner")

    html = client.get(reverse("portal-cash-position")).content.decode()

    assert "No money has moved yet" in html
    assert "<svg" not in html


def test_chart_is_absent_where_nothing_moved():
    assert chart.cash_flow(()) is None


def test_chart_starts_bars_at_zero_and_names_its_days(story):
    drawn = chart.cash_flow(of_owner().days)

    assert len(drawn.bars) == 30
    assert drawn.bars[-1].in_height > 0
    assert all(bar.out_height == 0 for bar in drawn.bars)
    assert round(drawn.bars[-1].in_y + drawn.bars[-1].in_height, 1) == drawn.zero_y
    assert drawn.days[-1].label == "24 Nov"
    assert "KES" in drawn.title


def test_labels_of_the_chart_share_the_unit_of_the_largest():
    assert chart.compact(kes(1_100_000_000)) == "11.0 M"
    assert chart.compact(kes(50_000_000), of=1_100_000_000) == "0.5 M"
    assert chart.compact(kes(-100_000_000)) == "\N{MINUS SIGN}1.0 M"
    assert chart.compact(kes(75_000)) == "750"
    assert chart.compact(kes(0), of=1_100_000_000) == "0"
