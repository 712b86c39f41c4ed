"""What providers say that they hold, beside the books, on the cash position."""

from apps.access.models import Membership
from apps.integrations.models import ProviderAccount
from apps.integrations.services import balances, callbacks
from apps.kit.money import Money
from apps.portal.selectors import held
from tests.integrations.daraja import payload
from tests.portal.story import NOW


def test_what_a_provider_says_stands_beside_the_books_with_the_difference(story, enter):
    account = ProviderAccount.objects.order_by("id").first()
    told = callbacks.store(
        token=account.callback_token,
        kind=balances.RESULT,
        body=payload("balance_completed.json"),
        headers={},
        remote_ip="",
        now=NOW,
    )
    balances.take(callback_id=told.id, now=NOW)

    browser = enter("owner")
    [line] = held.of(Membership.objects.get(role__code="owner").user)
    shown = browser.get("/portal/").content.decode()

    holding = line.holding
    assert holding.total == Money(926_497_00, "KES")
    assert holding.booked.is_positive
    assert holding.difference == holding.total - holding.booked
    assert "What providers say" in shown
    assert "926,497" in shown
