"""Connected accounts, their owners and transfers to them on the Stripe face, driven by the official SDK."""

from collections.abc import Iterator

import pytest
import stripe

from apps.simulator import server
from tests.simulator import shops
from tests.simulator.shops import Shop

DONE, AGAIN = "https://shop.example/done", "https://shop.example/again"
THERE_AT_ONCE = "pm_card_bypassPending"


@pytest.fixture
def shop(simulator: server.Running) -> Iterator[Shop]:
    """Return a platform that is told of its own account and of those that are connected to it."""
    with shops.shop(simulator) as made:
        url = f"{made.mailbox.url}/hooks/webhook"
        made.open(webhooks=[{"url": url, "secret": shops.SECRET, "connect": each} for each in (False, True)])
        yield made


def connected(shop: Shop, *, deed: str = "finish") -> str:
    """Return an account whose owner has told everything, unless told."""
    account = shop.api.accounts.create({"type": "express", "country": "KE", "email": "njeri@example.com"})
    if deed:
        assert shop.act("accounts", account.id, deed).status_code == 200
    return account.id


def link(shop: Shop, account: str) -> str:
    order = {"account": account, "refresh_url": AGAIN, "return_url": DONE, "type": "account_onboarding"}
    return shop.api.account_links.create(order).url


def charged(shop: Shop, amount: int = 10_000, token: str = THERE_AT_ONCE, **changes: object):
    order = {"amount": amount, "currency": "usd", "payment_method": token, "confirm": True}
    return shop.api.payment_intents.create({**order, "return_url": DONE, **changes})


def order(account: str, amount: int = 1_000, **changes: object) -> dict[str, object]:
    return {"amount": amount, "currency": "usd", "destination": account, "transfer_group": "T-1", **changes}


def refused(shop: Shop, account: str, amount: int = 1_000, key: str = "") -> str | None:
    options = {"idempotency_key": key} if key else None
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.api.transfers.create(order(account, amount), options)
    return refusal.value.code


def test_an_owner_tells_everything_later_or_is_asked_for_more(shop):
    account = connected(shop, deed="")
    first = link(shop, account)

    assert "external_account" in shop.http.get(first).text
    assert shop.http.post(first, data={"later": "1"}).headers["location"] == DONE
    assert shop.http.get(first).headers["location"] == AGAIN
    assert shop.api.accounts.retrieve(account).details_submitted is False
    late = link(shop, account)
    shop.tick(301)
    assert shop.http.post(late, data={"finish": "1"}).headers["location"] == AGAIN
    for deed, capability, asked in (("restrict", "inactive", 1), ("finish", "active", 0)):
        assert shop.http.post(link(shop, account), data={deed: "1"}).headers["location"] == DONE
        seen = shop.api.accounts.retrieve(account)
        assert (seen.details_submitted, seen.capabilities.transfers) == (True, capability)
        assert len(seen.requirements.currently_due) == asked

    told = shop.told("account.updated")
    assert {event.account for event in told} == {account}


def test_an_owner_leaves_and_stripe_turns_one_away(shop):
    leaver, rejected = connected(shop), connected(shop)
    shop.act("accounts", rejected, "close")
    shop.act("accounts", leaver, "leave")

    closed = shop.api.accounts.retrieve(rejected)
    assert closed.requirements.disabled_reason == "rejected.other"
    assert shop.act("accounts", rejected, "finish").status_code == 409
    with pytest.raises(stripe.InvalidRequestError):
        link(shop, rejected)
    with pytest.raises(stripe.PermissionError) as refusal:
        shop.api.accounts.retrieve(leaver)
    assert refusal.value.error.code == "account_invalid"
    assert refused(shop, leaver) == "resource_missing"
    [gone] = shop.told("account.application.deauthorized")
    assert (gone.account, gone.data.object.object) == (leaver, "application")


def test_money_moves_once_under_its_key_and_comes_back_in_parts(shop):
    account = connected(shop)
    charged(shop)
    create = shop.api.transfers.create
    key = {"idempotency_key": "T-1:transfer"}

    transfer = create(order(account, 5_000, metadata={"code": "T-1"}), key)
    assert create(order(account, 5_000, metadata={"code": "T-1"}), key).id == transfer.id
    parts = shop.api.transfers.reversals
    first = parts.create(transfer.id, {"amount": 2_000}, {"idempotency_key": "R-1"})
    assert parts.create(transfer.id, {"amount": 2_000}, {"idempotency_key": "R-1"}).id == first.id
    with pytest.raises(stripe.InvalidRequestError):
        parts.create(transfer.id, {"amount": 3_001})
    rest = parts.create(transfer.id)
    shop.api.transfers.update(transfer.id, {"metadata": {"week": "47"}})

    [found] = shop.api.transfers.list({"transfer_group": "T-1"}).data
    assert (found.id, found.amount_reversed, found.reversed) == (transfer.id, 5_000, True)
    assert (found.metadata.code, found.metadata.week) == ("T-1", "47")
    assert [one.id for one in parts.list(transfer.id).data] == [rest.id, first.id]
    assert parts.retrieve(transfer.id, first.id).amount == 2_000
    rows = shop.statement()["rows"]
    assert [(row["kind"], row["paid_in"], row["withdrawn"]) for row in rows[2:]] == [
        ("transfer", "0.00", "50.00"),
        ("transfer_refund", "20.00", "0.00"),
        ("transfer_refund", "30.00", "0.00"),
    ]
    assert [row["linked_receipt"] for row in rows[2:]] == ["", transfer.id, transfer.id]
    assert [row.type for row in shop.api.balance_transactions.list({"limit": 2}).data] == [
        "transfer_refund"
    ] * 2
    shop.told("transfer.created", "transfer.updated", "transfer.reversed")


def test_nothing_is_sent_that_is_not_there_or_to_who_may_not_be_paid(shop):
    account, asked = connected(shop), connected(shop, deed="restrict")
    assert refused(shop, account, key="T-1") == "balance_insufficient"
    charged(shop, token="pm_card_visa")
    assert refused(shop, account) == "balance_insufficient"
    charged(shop)
    assert refused(shop, account, key="T-1") == "balance_insufficient"
    assert refused(shop, asked) == "insufficient_capabilities_for_transfer"
    assert refused(shop, "acct_1Nobody") == "resource_missing"
    shop.script({"action": "result", "code": "transfers_not_allowed"}, path="/v1/transfers")
    assert refused(shop, account) == "transfers_not_allowed"

    assert shop.api.transfers.list().data == []
    assert shop.api.transfers.create(order(account)).amount == 1_000
    shop.open(may_overdraw=True)
    assert shop.api.transfers.create(order(account, 1_000_000)).amount == 1_000_000


def test_a_payment_is_passed_on_and_what_was_paid_out_does_not_come_back(shop):
    account = connected(shop)
    intent = charged(
        shop, 1_000, "pm_card_visa", transfer_data={"destination": account}, application_fee_amount=100
    )
    [passed_on] = shop.api.transfers.list({"destination": account}).data
    assert (passed_on.amount, passed_on.source_transaction) == (900, intent.latest_charge)
    other = shop.api.transfers.create(
        order(account, 100, source_transaction=charged(shop, 500, "pm_card_visa").latest_charge)
    )
    shop.tick(2 * 24 * 3_600)
    platform = {"stripe_account": account}
    shop.api.payouts.create({"amount": 950, "currency": "usd"}, platform)

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.api.transfers.reversals.create(other.id)

    assert refusal.value.code == "balance_insufficient"
    assert shop.api.balance.retrieve({}, platform).available[0].amount == 50
    assert shop.api.charges.list({}, platform).data == []
