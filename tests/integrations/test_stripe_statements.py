"""Stripe's list of movements is read whole or not at all: what cannot be read is counted, and hides nothing."""

from datetime import UTC, datetime

import pytest

from apps.integrations.ports import ProviderUncertain, Window
from apps.integrations.stripe.statements import Statements
from apps.kit.money import Money
from tests.integrations.daraja import said
from tests.integrations.stripe_line import line

SEPTEMBER = Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 9, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "txn_2",
        {"type": "charge", "amount": 5_00, "currency": "usd"},
        {"id": "txn_2", "type": "payout", "currency": "usd"},
        {"id": "txn_2", "type": "payout", "amount": 5.5, "currency": "usd"},
        {"id": "txn_2", "type": "payout", "amount": 5_00, "currency": "dollars"},
        {"id": "txn_2", "type": "payout", "amount": 5_00, "fee": "some", "currency": "usd"},
        {
            "id": "txn_2",
            "type": "charge",
            "amount": 5_00,
            "currency": "usd",
            "source": {"object": "charge", "id": "ch_2"},
        },
    ],
)
def test_a_movement_that_cannot_be_read_is_counted_and_hides_no_other(broken):
    payout = {"id": "txn_1", "type": "payout", "amount": -5_00, "currency": "usd", "created": 1_790_000_000}
    port, _ = line(said({"data": [broken, payout], "has_more": True}))

    page = Statements(port).fetch(SEPTEMBER)

    assert [(row.receipt, row.money, row.fee) for row in page.rows] == [
        ("txn_1", Money(-5_00, "USD"), Money(0, "USD"))
    ]
    assert (page.unreadable, page.next_page) == (1, "txn_1")


@pytest.mark.parametrize("told", [{"data": "none"}, {"data": [{"type": "payout"}], "has_more": True}])
def test_a_list_of_movements_that_does_not_tell_where_it_goes_on_is_uncertain(told):
    port, _ = line(said(told))

    with pytest.raises(ProviderUncertain):
        Statements(port).fetch(SEPTEMBER)
