"""Holds over the API: placed, captured in parts, released; each refusal and each kind of caller."""

import pytest

from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.ledger.api.booking_serializers import HoldOut
from apps.ledger.models import Account, Hold, Transaction
from apps.ledger.services import accounts
from tests.factories import access, ledger
from tests.ledger.partner import Partner, kes, party
from tests.payments.partner import refused


@pytest.fixture
def shop(committed_acme):
    with clock.fixed(ledger.NOW):
        yield Partner()


@pytest.fixture
def wanted(shop):
    return {
        "description": "Ride 17",
        "payer": {"role": "customer_deposit", "owner_id": party(display_name="Njeri")},
        "payee": {"role": "rider_payable", "owner_id": party(display_name="Otieno")},
        "amount": kes("10.00"),
    }


def balance(shop, role):
    [found] = shop.get("accounts", role=role).json()["data"]
    return found["balance"]["amount"]


def test_holds_captures_and_releases(shop, wanted):
    answer = shop.post("holds", {**wanted, "expires_at": "2026-11-25T07:41:00Z", "key": "ride-17"})

    said = answer.json()
    assert answer.status_code == 201, said
    assert answer.headers["Location"] == f"/v1/acme/ledger/holds/{said['id']}"
    assert (said["object"], said["status"], said["key"]) == ("ledger_hold", "active", "ride-17")
    assert said["expires_at"] == "2026-11-25T07:41:00.000Z"
    assert said["remaining"] == said["amount"] == kes("10.00")
    assert set(HoldOut().fields) == set(said)
    assert shop.get(f"holds/{said['id']}").json() == said
    assert shop.get("holds", status="active").json()["data"] == [said]
    assert balance(shop, "rider_payable") == "0.00"

    part = shop.post(f"holds/{said['id']}/capture", {"amount": kes("4.00")}).json()
    assert (part["status"], part["captured"], part["remaining"]) == (
        "partially_captured",
        kes("4.00"),
        kes("6.00"),
    )
    assert balance(shop, "rider_payable") == "4.00"

    rest = shop.post(f"holds/{said['id']}/release", {"reason": "Ride was short"}).json()
    assert (rest["status"], rest["released"], rest["remaining"]) == ("released", kes("6.00"), kes("0.00"))
    assert balance(shop, "rider_payable") == "4.00"
    again = shop.post(f"holds/{said['id']}/release", {"reason": "Ride was short"})
    assert (again.status_code, again.json()) == (200, rest)
    kinds = [one["kind"] for one in shop.get("transactions").json()["data"]]
    assert kinds == ["release", "capture", "hold"]


def test_a_key_holds_and_captures_once(shop, wanted):
    first, again = (shop.post("holds", {**wanted, "key": "ride-17"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    path = f"holds/{first.json()['id']}/capture"
    body = {"amount": kes("4.00"), "key": "part-1"}

    captured = [shop.post(path, body).json()["captured"] for _ in range(2)]

    assert captured == [kes("4.00"), kes("4.00")]
    refused(shop.post(path, {**body, "amount": kes("3.00")}), 422, "ledger_key_reused", "/key")
    refused(
        shop.post("holds", {**wanted, "amount": kes("9.00"), "key": "ride-17"}),
        422,
        "ledger_key_reused",
        "/key",
    )
    assert Transaction.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "status", "code", "pointer"),
    [
        ({"amount": 10}, 422, "invalid", "/amount"),
        ({"amount": kes("10.001")}, 422, "amount_precision", "/amount"),
        ({"amount": kes("0.00")}, 422, "not_positive", "/amount"),
        ({"amount": kes("-1.00")}, 422, "not_positive", "/amount"),
        ({"payer": {}}, 422, "required", "/payer/account_id"),
        ({"payee": {"role": "suspense"}}, 403, "ledger_account_not_postable", "/payee/role"),
        ({"expires_at": "2026-11-24T07:41:00Z"}, 409, "ledger_hold_expired", "/expires_at"),
        ({"expires_at": "tomorrow"}, 422, "invalid", "/expires_at"),
        ({"note": "no"}, 422, "unknown_field", "/note"),
    ],
)
def test_refuses_a_hold_by_naming_the_field(shop, wanted, changes, status, code, pointer):
    refused(shop.post("holds", {**wanted, **changes}), status, code, pointer)

    assert not Transaction.objects.exists()


def test_a_frozen_account_is_named(shop, wanted):
    shop.post("holds", wanted)
    ref = Account.objects.get(role="RIDER_PAYABLE").ref
    accounts.freeze(ref=ref, reason="Asked by compliance", actor=SYSTEM, now=ledger.NOW)

    refused(shop.post("holds", wanted), 409, "ledger_account_frozen", "/payee/role")


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (kes("10.01"), "ledger_hold_exceeded"),
        ({"amount": "1.00", "currency": "USD"}, "ledger_capture_invalid"),
        (kes("0.00"), "not_positive"),
        (5, "invalid"),
    ],
)
def test_refuses_a_capture_by_naming_the_sum(shop, wanted, amount, code):
    said = shop.post("holds", wanted).json()

    refused(shop.post(f"holds/{said['id']}/capture", {"amount": amount}), 422, code, "/amount")

    assert Hold.objects.get().captured == 0


def test_what_has_ended_stays_so(shop, wanted):
    said = shop.post("holds", wanted).json()
    shop.post(f"holds/{said['id']}/capture", {"amount": kes("10.00")})

    refused(shop.post(f"holds/{said['id']}/release", {"reason": "Too late"}), 409, "ledger_hold_ended")
    answer = shop.post(f"holds/{said['id']}/capture", {"amount": kes("1.00")})
    assert refused(answer, 409, "ledger_hold_ended")["errors"] == []


def test_each_kind_of_caller(shop, wanted):
    said = shop.post("holds", wanted).json()
    other, reader = Partner(application_slug="other"), Partner(scopes=("ledger:read",))
    bound = Partner(branch=access.branch())

    for step, body in (("capture", {"amount": kes("1.00")}), ("release", {"reason": "Not mine"})):
        path = f"holds/{said['id']}/{step}"
        refused(other.post(path, body), 403, "ledger_transaction_foreign")
        refused(reader.post(path, body), 403, "insufficient_scope")
        refused(bound.post(path, body), 404, "resource_not_found")
    refused(reader.post("holds", wanted), 403, "insufficient_scope")
    refused(bound.get(f"holds/{said['id']}"), 404, "resource_not_found")
    assert bound.get("holds").json()["data"] == []
    assert reader.get(f"holds/{said['id']}").json() == said
    refused(Partner(slug="zuri").get("holds"), 401, "unauthenticated")
    nobodys = ids.encode("hld", ids.new())
    refused(shop.post(f"holds/{nobodys}/release", {"reason": "No"}), 404, "resource_not_found")
