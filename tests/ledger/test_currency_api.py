"""Recording rates and exchanging money over the API: success, each refusal and each kind of caller."""

from datetime import timedelta

import pytest

from apps.approvals.models import ApprovalRequest
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.ledger.contracts import FX_RATE, AccountRole
from apps.ledger.models import Account, FxRate, Transaction
from apps.ledger.services import accounts
from tests.factories import access, approvals, fx, ledger, periods
from tests.factories.approvals import ONE_APPROVER
from tests.ledger.partner import Partner, kes, party
from tests.payments.partner import refused

SCOPES = ("ledger:read", "ledger:write", "rates:write", "exchanges:write", "approvals:read")


@pytest.fixture
def shop(committed_acme):
    with clock.fixed(ledger.NOW):
        fx.office()
        yield Partner(scopes=SCOPES)


def rate(text="129.5", **facts):
    said = {
        "base": "USD",
        "quote": "KES",
        "rate": text,
        "as_of": "2026-11-24T06:00:00Z",
        "source": "Our bank",
        **facts,
    }
    return {name: value for name, value in said.items() if value is not None}


def test_records_a_rate_once(shop):
    first, again = (shop.post("rates", rate()) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 200)
    said = first.json()
    assert (said["rate"], said["source"], said["as_of"]) == ("129.5", "Our bank", "2026-11-24T06:00:00.000Z")
    assert first.headers["Location"] == f"/v1/acme/ledger/rates/{said['id']}"
    assert shop.get(f"rates/{said['id']}").json() == said == again.json()
    assert FxRate.objects.get().created_by.startswith("api_key:")


def test_a_rate_that_is_far_off_waits_for_other_people(shop):
    approvals.rule(kind=FX_RATE.name, currency="", minimum_minor=None, steps=ONE_APPROVER)
    shop.post("rates", rate())
    far = rate("139.86", as_of="2026-11-24T07:00:00Z")

    first, again = (shop.post("rates", far) for _ in range(2))

    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    asked = ApprovalRequest.objects.get()
    assert first.json() == {"object": "approval_pending", "approval_id": ids.encode("apr", asked.id)}
    assert asked.application_id == access.application().id
    assert shop.take(f"approvals/{first.json()['approval_id']}")
    Partner(scopes=SCOPES, application_slug="other").take(
        f"approvals/{first.json()['approval_id']}", status=404
    )
    assert FxRate.objects.count() == 1
    refused(shop.post("rates", {**far, "rate": "140"}), 409, "approval_pending", "/rate")


def test_nobody_to_agree_is_said(shop):
    shop.post("rates", rate())

    refused(
        shop.post("rates", rate("139.86", as_of="2026-11-24T07:00:00Z")), 409, "fx_rate_rule_missing", "/rate"
    )
    refused(shop.post("rates", rate("130")), 409, "fx_rate_contradicts", "/rate")
    assert FxRate.objects.count() == 1
    assert not ApprovalRequest.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"rate": 129.5}, "invalid", "/rate"),
        ({"rate": "NaN"}, "invalid", "/rate"),
        ({"rate": "Infinity"}, "invalid", "/rate"),
        ({"rate": "-1"}, "invalid", "/rate"),
        ({"rate": "1e3"}, "invalid", "/rate"),
        ({"rate": "0"}, "fx_rate_invalid", "/rate"),
        ({"rate": "1." + "1" * 19}, "invalid", "/rate"),
        ({"rate": "9" * 40}, "invalid", "/rate"),
        ({"rate": None}, "required", "/rate"),
        ({"base": "XXX"}, "invalid_choice", "/base"),
        ({"quote": "USD"}, "fx_rate_invalid", "/quote"),
        ({"as_of": "2026-11-24T09:00:00Z"}, "fx_rate_invalid", "/as_of"),
        ({"as_of": "infinity"}, "invalid", "/as_of"),
        ({"as_of": "0001-01-01T00:00:00Z"}, "out_of_range", "/as_of"),
        ({"source": "CBK"}, "fx_rate_invalid", "/source"),
        ({"source": "x" * 41}, "max_length", "/source"),
        ({"source": "a\0b"}, "null_characters_not_allowed", "/source"),
        ({"colour": "red"}, "unknown_field", "/colour"),
    ],
)
def test_refuses_a_rate_by_naming_the_field(shop, changes, code, pointer):
    refused(shop.post("rates", rate(**changes)), 422, code, pointer)

    assert not FxRate.objects.exists()


def test_each_kind_of_caller_at_the_rates(shop):
    refused(Partner(scopes=("ledger:read",)).post("rates", rate()), 403, "insufficient_scope")
    bound = Partner(scopes=SCOPES, branch=access.branch())
    refused(bound.post("rates", rate()), 403, "branch_forbidden")
    refused(Partner(slug="zuri").post("rates", rate()), 401, "unauthenticated")
    assert not FxRate.objects.exists()


@pytest.fixture
def customer(shop):
    """Return a party with USD 500.00 on deposit."""
    fx.rate("129.5")
    owner = party(display_name="Njeri")
    office, owner_id = access.head_office().id, ids.decode("pty", owner)
    ref = ledger.ref(AccountRole.CUSTOMER_DEPOSIT, office, "USD", owner_id=owner_id)
    ledger.post(ledger.transfer(fx.bank("USD", office), ref, 500_00))
    return owner


def usd(amount):
    return {"amount": amount, "currency": "USD"}


def order(customer, amount="100.00", **facts):
    deposit = {"role": "customer_deposit", "owner_id": customer}
    return {"give": usd(amount), "get_currency": "KES", "source": deposit, "target": deposit, **facts}


def test_exchanges_money_of_a_customer(shop, customer):
    answer = shop.post("exchanges", order(customer, key="fx-1", reference="FX-1"))

    said = answer.json()
    assert answer.status_code == 201, said
    assert (said["kind"], said["key"], said["reference"]) == ("exchange", "fx-1", "FX-1")
    assert said["dimensions"]["rate"] == "129.5"
    assert answer.headers["Location"] == f"/v1/acme/ledger/transactions/{said['id']}"
    assert shop.get(f"transactions/{said['id']}").json() == said
    own = {leg["role"]: leg["amount"] for leg in said["legs"] if leg["amount"]["currency"] == "KES"}
    assert own["customer_deposit"] == kes("12950.00")


def test_an_exchange_is_booked_once_for_ever(shop, customer):
    first, again = (shop.post("exchanges", order(customer, key="fx-1")) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    refused(shop.post("exchanges", order(customer, "99.00", key="fx-1")), 422, "ledger_key_reused", "/key")
    assert Transaction.objects.filter(kind="EXCHANGE").count() == 1


def test_an_exchange_is_not_reversed_by_a_key(shop, customer):
    booked = shop.post("exchanges", order(customer)).json()["id"]

    refused(
        shop.post(f"transactions/{booked}/reverse", {"reason": "Wrong"}), 403, "ledger_transaction_foreign"
    )


@pytest.mark.parametrize(
    ("changes", "status", "code", "pointer"),
    [
        ({"give": usd("0.00")}, 422, "not_positive", "/give"),
        ({"give": {"amount": 1.5, "currency": "USD"}}, 422, "invalid", "/give"),
        ({"give": usd("NaN")}, 422, "amount_invalid", "/give"),
        ({"give": usd("9" * 41)}, 422, "amount_invalid", "/give"),
        ({"give": usd("9" * 35)}, 422, "too_large", "/give"),
        ({"give": usd("9" * 32)}, 422, "ledger_draft_invalid", "/give"),
        ({"give": usd("9" * 5000)}, 422, "amount_invalid", "/give"),
        ({"get_currency": "USD"}, 422, "fx_exchange_invalid", "/target"),
        ({"get_currency": "EUR"}, 409, "fx_rate_missing", "/get_currency"),
        ({"get_currency": "XXX"}, 422, "invalid_choice", "/get_currency"),
        ({"fee": kes("1.00")}, 422, "fx_exchange_invalid", "/fee"),
        ({"effective_date": "2026-11-10"}, 422, "unknown_field", "/effective_date"),
        ({"key": "k" * 120}, 422, "fx_exchange_invalid", "/key"),
        ({"source": {"role": "bank_balance"}}, 403, "ledger_account_not_postable", "/source/role"),
        ({"target": {}}, 422, "required", "/target/account_id"),
        ({"colour": "red"}, 422, "unknown_field", "/colour"),
    ],
)
def test_refuses_an_exchange_by_naming_the_field(shop, customer, changes, status, code, pointer):
    refused(shop.post("exchanges", order(customer, **changes)), status, code, pointer)

    assert not Transaction.objects.filter(kind="EXCHANGE").exists()


def test_a_rate_that_is_too_old_is_refused(shop, customer):
    with clock.fixed(ledger.NOW + timedelta(days=5)):
        refused(shop.post("exchanges", order(customer)), 409, "fx_rate_stale", "/get_currency")
        refused(shop.get("rates/latest", base="USD", quote="KES"), 409, "fx_rate_stale")


def test_a_frozen_account_is_named(shop, customer):
    with clock.fixed(periods.LATER):
        fx.rate("129.5", as_of=periods.LATER - timedelta(hours=1), now=periods.LATER)
        deposit = Account.objects.get(role="CUSTOMER_DEPOSIT").ref
        accounts.freeze(ref=deposit, reason="Asked by compliance", actor=SYSTEM, now=periods.LATER)
        refused(shop.post("exchanges", order(customer)), 409, "ledger_account_frozen", "/source/role")
    assert not Transaction.objects.filter(kind="EXCHANGE").exists()


def test_each_kind_of_caller_at_the_exchanges(shop, customer):
    writer = Partner(scopes=("ledger:read", "ledger:write"))
    other = Partner(scopes=SCOPES, application_slug="other")
    bound = Partner(scopes=SCOPES, branch=access.branch())

    refused(writer.post("exchanges", order(customer)), 403, "insufficient_scope")
    refused(other.post("exchanges", order(customer)), 404, "ledger_account_unknown", "/source/owner_id")
    refused(bound.post("exchanges", order(customer)), 404, "ledger_account_unknown", "/source/owner_id")
    refused(Partner(slug="zuri").post("exchanges", order(customer)), 401, "unauthenticated")
    assert not Transaction.objects.filter(kind="EXCHANGE").exists()
