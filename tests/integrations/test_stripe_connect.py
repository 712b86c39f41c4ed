"""Stripe's connected accounts and transfers over real HTTP against the simulator's face, through our own transport."""

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from apps.integrations.ports import (
    ConnectRequest,
    ConnectStatus,
    ForgedCallback,
    NudgeKind,
    ProviderDeclined,
    ProviderUncertain,
    RawWebhook,
    TransferRequest,
    Window,
)
from apps.integrations.stripe.connected import _needs, _status
from apps.integrations.stripe.webhooks import Webhooks
from apps.kit.money import Money
from tests.factories.integrations import STRIPE, STRIPE_CREDENTIALS
from tests.integrations.test_stripe import Shop, shop
from tests.loopback import NO_TLS

__all__ = ["shop"]

USD_40 = Money(40_00, "USD")
REQUEST = ConnectRequest(code="C7M2P9QX4T", country="KE", currency="USD", email="till@example.test")
RETURN = "https://shop.example.test/connected"


THERE_AT_ONCE = "4000000000000077"


def told(shop: Shop, *, is_seen: bool = True, is_there: bool = True) -> TransferRequest:
    """Return what a connected account is to be paid; its owner has told Stripe everything, and our balance has it, unless told."""
    port = shop.port("connect")
    if is_there:
        shop.paid(card=THERE_AT_ONCE, money=Money(100_00, "USD"))
    ticket = port.begin(REQUEST).value
    if is_seen:
        link = port.link(ticket, return_url=RETURN, refresh_url=RETURN)
        httpx.post(link.url, trust_env=False, verify=NO_TLS)
    return TransferRequest(code="T7M2P9QX4T", money=USD_40, destination=ticket, description="week-47")


def test_opens_an_account_once_under_its_code_and_says_how_it_stands(shop):
    port = shop.port("connect")

    first, again = port.begin(REQUEST), port.begin(REQUEST)

    assert first.value == again.value
    report = port.read(first.value)
    assert (report.status, report.needs[0]) == (ConnectStatus.PENDING, "individual.verification.document")
    told(shop)
    assert port.read(first.value).status is ConnectStatus.ENABLED
    assert port.read("acct_gone").status is ConnectStatus.RESTRICTED


@pytest.mark.parametrize(
    "listed",
    [
        {"data": {}, "has_more": False},
        {"data": [{"object": "account"}], "has_more": False},
        {"data": ["acct_1Other"], "has_more": False},
        {"data": [], "has_more": True},
    ],
)
def test_a_list_that_cannot_be_read_does_not_say_that_no_account_was_opened(shop, listed):
    body = json.dumps({"object": "list", "url": "/v1/accounts", **listed})
    shop.script({"action": "status", "status": 200, "body": body}, path="/v1/accounts")
    whenever = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))

    with pytest.raises(ProviderUncertain):
        shop.port("connect").find(REQUEST.code, whenever)

    assert shop.port("connect").find(REQUEST.code, whenever) is None


def test_moves_money_once_under_its_code_and_finds_it_again(shop):
    port, request = shop.port("transfer"), told(shop)
    assert port.find(request) is None

    first, again = port.send(request), port.send(request)

    assert (first, first.money) == (again, USD_40)
    assert port.find(request) == first
    part = port.reverse(first.ticket, Money(15_00, "USD"), code="R7M2P9QX4T")
    assert port.reverse(first.ticket, Money(15_00, "USD"), code="R7M2P9QX4T") == part
    assert part.money == Money(15_00, "USD")
    assert port.find_reversal(first.ticket, code="R7M2P9QX4T") == part
    assert port.find_reversal(first.ticket, code="R7M2P9QX4U") is None
    with pytest.raises(ProviderDeclined):
        port.reverse(first.ticket, USD_40, code="S7M2P9QX4T")
    with pytest.raises(ProviderDeclined):
        port.send(dataclasses.replace(request, code="U7M2P9QX4T", destination="acct_other"))


def test_an_answer_that_is_lost_is_uncertain_and_given_again(shop):
    port, request = shop.port("transfer"), told(shop)
    shop.script({"action": "reset", "processed": True}, path="/v1/transfers")

    with pytest.raises(ProviderUncertain):
        port.send(request)

    assert port.send(request) == port.find(request)


def test_what_stripe_refuses_moves_nothing_and_is_refused_again_under_its_code(shop):
    port, request = shop.port("transfer"), told(shop, is_there=False)

    for is_replayed in (False, True):
        with pytest.raises(ProviderDeclined) as poor:
            port.send(request)
        assert (poor.value.code, poor.value.is_replayed) == ("float_insufficient", is_replayed)
    shop.act("accounts", request.destination, "restrict")
    report = shop.port("connect").read(request.destination)
    with pytest.raises(ProviderDeclined) as restricted:
        port.send(dataclasses.replace(request, code="U7M2P9QX4T"))

    assert (report.status, report.needs) == (ConnectStatus.RESTRICTED, ("individual.verification.document",))
    assert restricted.value.code == "payee_account_restricted"
    assert port.find(request) is None
    shop.act("accounts", request.destination, "close")
    assert shop.port("connect").read(request.destination).status is ConnectStatus.CLOSED


def test_an_account_whose_owner_has_left_is_out_of_reach(shop):
    port, request = shop.port("connect"), told(shop)

    shop.act("accounts", request.destination, "leave")

    assert port.read(request.destination).status is ConnectStatus.RESTRICTED
    with pytest.raises(ProviderDeclined):
        port.link(request.destination, return_url=RETURN, refresh_url=RETURN)
    with pytest.raises(ProviderDeclined) as refusal:
        shop.port("transfer").send(request)
    assert refusal.value.code == "not_found"


def test_stripes_messages_name_the_account_and_the_transfer_by_ticket_and_code(shop):
    own, others = STRIPE_CREDENTIALS.webhook_secret, "whsec_ofothers"
    hooks = [(own, ["transfer.*"], False), (others, ["account.*"], True)]
    named = ("secret", "enabled_events", "connect")
    shop.open(webhooks=[{"url": RETURN, **dict(zip(named, hook, strict=True))} for hook in hooks])
    shop.simulator.http.post("/__control/callbacks/hold", json={"hold": True})
    request = told(shop)
    sent = shop.port("transfer").send(request)
    shop.act("accounts", request.destination, "leave")
    shop.simulator.http.post("/__control/tick", json={"seconds": 1})
    came = shop.simulator.http.post("/__control/callbacks/take", json={}).json()["callbacks"]
    port = Webhooks(STRIPE, is_live=False, secrets=(own, others))

    read = [port.read(RawWebhook(one["text"].encode(), *_as_received(one))) for one in came]

    assert {(one.type, one.ticket, one.code) for one in read} == {
        ("account.updated", request.destination, REQUEST.code),
        ("account.application.deauthorized", request.destination, ""),
        ("transfer.created", sent.ticket, request.code),
    }
    assert {one.kind for one in read} == {NudgeKind.PARTNER}
    with pytest.raises(ForgedCallback):
        Webhooks(STRIPE, is_live=False, secrets=(own,)).read(
            RawWebhook(came[0]["text"].encode(), *_as_received(came[0]))
        )


def _as_received(message: dict[str, Any]) -> tuple[dict[str, str], datetime]:
    headers = {name.lower(): value for name, value in message["headers"].items()}
    stamp = headers["stripe-signature"].partition("t=")[2].partition(",")[0]
    return headers, datetime.fromtimestamp(int(stamp), UTC)


@pytest.mark.parametrize(
    ("account", "disabled", "expected"),
    [
        ({"capabilities": {"transfers": "active"}}, "", ConnectStatus.ENABLED),
        ({"capabilities": {"transfers": "pending"}}, "", ConnectStatus.PENDING),
        ({"details_submitted": True}, "requirements.past_due", ConnectStatus.RESTRICTED),
        ({"capabilities": {"transfers": "active"}}, "rejected.fraud", ConnectStatus.CLOSED),
        ({}, "", ConnectStatus.PENDING),
    ],
)
def test_reads_the_states_that_the_face_does_not_play(account, disabled, expected):
    assert _status(account, disabled) is expected


def test_names_what_is_needed_once_and_what_is_overdue_first():
    asked = {
        "past_due": ["external_account"],
        "currently_due": ["tos_acceptance.date", "external_account", 7],
    }

    assert _needs(asked) == ("external_account", "tos_acceptance.date")
    assert _needs({}) == ()
