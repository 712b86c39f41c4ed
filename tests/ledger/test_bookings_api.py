"""Transactions over the API: success, each refusal and each kind of caller."""

import pytest

from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.api.booking_serializers import TransactionOut
from apps.ledger.contracts import AccountRole, AccountType
from apps.ledger.models import Account, Transaction
from apps.ledger.services import accounts, charts
from tests.factories import access, ledger, periods
from tests.ledger.partner import Partner, kes, leg, party, transfer
from tests.payments.partner import refused


@pytest.fixture
def shop(committed_acme):
    with clock.fixed(ledger.NOW):
        yield Partner()


@pytest.fixture
def sides(shop):
    return party(display_name="Mama Oliech"), party(display_name="Otieno")


def account(role):
    return Account.objects.get(role=role)


def balance(shop, role):
    [found] = shop.get("accounts", role=role).json()["data"]
    return found["balance"]["amount"]


def test_posts_a_transaction(shop, sides):
    answer = shop.post("transactions", transfer(*sides, reference="ORD-17", cost_centre="CBD"))

    said = answer.json()
    assert answer.status_code == 201, said
    assert answer.headers["Location"] == f"/v1/acme/ledger/transactions/{said['id']}"
    assert (said["object"], said["kind"], said["reference"]) == ("ledger_transaction", "posting", "ORD-17")
    assert [one["direction"] for one in said["legs"]] == ["debit", "credit"]
    assert [one["account_name"] for one in said["legs"]] == ["Mama Oliech", "Otieno"]
    assert said["legs"][0]["amount"] == kes("10.00")
    assert said["effective_date"] == "2026-11-24"
    for empty in ("reverses_id", "reversed_by_id", "hold_id", "event_at"):
        assert said[empty] is None
    assert set(TransactionOut().fields) == set(said)
    assert shop.get(f"transactions/{said['id']}").json() == said
    assert shop.get("transactions").json()["data"] == [said]
    assert balance(shop, "merchant_payable") == "-10.00"
    assert balance(shop, "rider_payable") == "10.00"


def test_posts_by_account_id(shop, sides):
    shop.post("transactions", transfer(*sides))
    debited, credited = (account(role) for role in ("MERCHANT_PAYABLE", "RIDER_PAYABLE"))
    legs = [
        {"direction": "debit", "account_id": ids.encode("acc", debited.uid), "amount": kes("2.50")},
        {"direction": "credit", "account_id": ids.encode("acc", credited.uid), "amount": kes("2.50")},
    ]

    answer = shop.post("transactions", {"description": "Tip", "legs": legs})

    assert answer.status_code == 201, answer.content
    assert balance(shop, "rider_payable") == "12.50"


def test_a_key_books_once_for_ever(shop, sides):
    body = transfer(*sides, key="order-17")
    first, again = (shop.post("transactions", body) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["key"] == "order-17"
    refused(
        shop.post("transactions", transfer(*sides, "11.00", key="order-17")), 422, "ledger_key_reused", "/key"
    )
    assert Transaction.objects.count() == 1


def test_the_idempotency_key_is_the_key_of_the_booking(shop, sides):
    said = shop.post("transactions", transfer(*sides), **{"Idempotency-Key": "order-18"}).json()

    application = access.application().id
    assert said["key"] == "order-18"
    assert Transaction.objects.get().idem_key == f"api:{application}:order-18"
    refused(
        shop.post("transactions", transfer(*sides), **{"Idempotency-Key": "k" * 151}),
        422,
        "ledger_draft_invalid",
        "/key",
    )


def test_two_applications_do_not_share_keys(shop):
    other = Partner(application_slug="other")
    application_id = access.application("other").id
    sides = (
        party(display_name="A", application_id=application_id),
        party(display_name="B", application_id=application_id),
    )

    mine = shop.post("transactions", transfer(party(), party(), key="same"))
    theirs = other.post("transactions", transfer(*sides, key="same"))

    assert (mine.status_code, theirs.status_code) == (201, 201)
    refused(
        shop.post(f"transactions/{theirs.json()['id']}/reverse", {"reason": "Not mine"}),
        403,
        "ledger_transaction_foreign",
    )


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"amount": 10}, "invalid", "/legs/0/amount"),
        ({"amount": {"amount": 10.5, "currency": "KES"}}, "invalid", "/legs/0/amount"),
        ({"amount": kes("10.001")}, "amount_precision", "/legs/0/amount"),
        ({"amount": kes("1e3")}, "amount_invalid", "/legs/0/amount"),
        ({"amount": {"amount": "10.00", "currency": "XXX"}}, "currency_unknown", "/legs/0/amount"),
        ({"amount": kes("0.00")}, "not_positive", "/legs/0/amount"),
        ({"amount": kes("-10.00")}, "not_positive", "/legs/0/amount"),
        ({"amount": kes("9.99")}, "ledger_unbalanced", "/legs"),
        ({"amount": {"amount": "10.00", "currency": "USD"}}, "ledger_unbalanced", "/legs"),
        ({"direction": "left"}, "invalid_choice", "/legs/0/direction"),
        ({"role": "nonsense"}, "invalid_choice", "/legs/0/role"),
        ({"account_id": "acc_1"}, "invalid", "/legs/0/account_id"),
        ({"note": "no"}, "unknown_field", "/legs/0/note"),
    ],
)
def test_refuses_a_leg_by_naming_the_field(shop, sides, changed, code, pointer):
    body = transfer(*sides)
    body["legs"][0] |= changed

    refused(shop.post("transactions", body), 422, code, pointer)

    assert not Transaction.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"legs": []}, "min_length", "/legs"),
        ({"description": ""}, "blank", "/description"),
        ({"description": "x" * 201}, "max_length", "/description"),
        ({"reference": "x" * 65}, "max_length", "/reference"),
        ({"effective_date": "24 November"}, "invalid", "/effective_date"),
        ({"key": "a b"}, "key_invalid", "/key"),
        ({"dimensions": {str(n): "x" for n in range(21)}}, "too_many", "/dimensions"),
        ({"dimensions": {"": "x"}}, "name", "/dimensions"),
        ({"dimensions": {"\ud800": "x"}}, "ledger_draft_invalid", "/dimensions"),
        ({"branch_id": "br_1"}, "unknown_field", "/branch_id"),
    ],
)
def test_refuses_a_body_by_naming_the_field(shop, sides, changes, code, pointer):
    refused(shop.post("transactions", transfer(*sides, **changes)), 422, code, pointer)

    assert not Transaction.objects.exists()


def test_one_leg_and_too_many_legs_are_refused(shop, sides):
    body = transfer(*sides)

    refused(shop.post("transactions", {**body, "legs": body["legs"][:1]}), 422, "min_length", "/legs")
    refused(shop.post("transactions", {**body, "legs": body["legs"] * 501}), 422, "max_length", "/legs")
    assert not Transaction.objects.exists()


def test_an_account_is_named_in_one_way(shop, sides):
    body = transfer(*sides)
    del body["legs"][0]["role"]
    refused(shop.post("transactions", body), 422, "required", "/legs/0/account_id")
    body["legs"][0] |= {"role": "merchant_payable", "account_id": ids.encode("acc", ids.new())}
    refused(shop.post("transactions", body), 422, "account_ambiguous", "/legs/0/account_id")


def test_an_account_in_another_currency_is_refused(shop, sides):
    shop.post("transactions", transfer(*sides))
    uid = ids.encode("acc", account("MERCHANT_PAYABLE").uid)
    usd = {"amount": "10.00", "currency": "USD"}
    legs = [
        {"direction": "debit", "account_id": uid, "amount": usd},
        leg("credit", "rider_payable", sides[1], usd),
    ]

    answer = shop.post("transactions", {"description": "Mixed", "legs": legs})

    refused(answer, 422, "currency_mismatch", "/legs/0/amount")
    assert Transaction.objects.count() == 1


@pytest.mark.parametrize("role", ["provider_balance", "suspense", "tax_payable", "revenue", "general"])
def test_roles_that_are_not_for_partners_are_refused(shop, sides, role):
    body = transfer(*sides)
    body["legs"][1]["role"] = role

    refused(shop.post("transactions", body), 403, "ledger_account_not_postable", "/legs/1/role")

    assert not Transaction.objects.exists()


def test_our_own_accounts_are_refused_by_their_id_too(shop, sides):
    branch_id = access.head_office().id
    ours = accounts.ensure(ref=ledger.ref(AccountRole.SUSPENSE, branch_id), now=ledger.NOW)
    body = transfer(*sides)
    body["legs"][1] = {
        "direction": "credit",
        "account_id": ids.encode("acc", ours.uid),
        "amount": kes("10.00"),
    }

    refused(shop.post("transactions", body), 403, "ledger_account_not_postable", "/legs/1/account_id")
    assert not Transaction.objects.exists()


def test_posts_to_an_account_that_finance_opened_for_itself(shop, sides):
    office = access.head_office().id
    facts = {"actor": SYSTEM, "now": ledger.NOW}
    charts.add(code="9010", name="Deliveries", type=AccountType.INCOME, parent="", **facts)
    own = charts.open_account(code="9010", branch_id=office, currency="KES", **facts)
    body = transfer(*sides)
    body["legs"][1] = {
        "direction": "credit",
        "account_id": ids.encode("acc", own.uid),
        "amount": kes("10.00"),
    }

    answer = shop.post("transactions", body)

    assert answer.status_code == 201, answer.content
    assert balance(shop, "general") == "10.00"


def test_a_party_of_another_application_is_none(shop, sides):
    theirs = party(display_name="Theirs", application_id=access.application("other").id)
    refused(
        shop.post("transactions", transfer(sides[0], theirs)),
        404,
        "ledger_account_unknown",
        "/legs/1/owner_id",
    )
    owner_id = ids.decode("pty", theirs)
    ref = ledger.ref(AccountRole.RIDER_PAYABLE, access.head_office().id, owner_id=owner_id)
    uid = accounts.ensure(ref=ref, now=ledger.NOW).uid
    body = transfer(*sides)
    body["legs"][1] = {"direction": "credit", "account_id": ids.encode("acc", uid), "amount": kes("10.00")}

    refused(shop.post("transactions", body), 403, "ledger_account_not_postable", "/legs/1/account_id")


def test_frozen_and_closed_accounts_are_named(shop, sides):
    shop.post("transactions", transfer(*sides, key="first"))
    rider = account("RIDER_PAYABLE").ref
    accounts.freeze(ref=rider, reason="Asked by compliance", actor=SYSTEM, now=ledger.NOW)

    refused(shop.post("transactions", transfer(*sides)), 409, "ledger_account_frozen", "/legs/1/role")
    assert shop.post("transactions", transfer(*sides, key="first")).status_code == 200

    accounts.unfreeze(ref=rider, reason="Settled", actor=SYSTEM, now=ledger.NOW)
    shop.post(f"transactions/{shop.get('transactions').json()['data'][0]['id']}/reverse", {"reason": "Empty"})
    accounts.close(ref=rider, reason="Left us", actor=SYSTEM, now=ledger.NOW)
    refused(shop.post("transactions", transfer(*sides)), 409, "ledger_account_closed", "/legs/1/role")


def test_a_limit_is_named(shop, sides):
    shop.post("transactions", transfer(*sides))
    ref = account("MERCHANT_PAYABLE").ref
    limit = Money(10_00, "KES")
    accounts.set_limits(ref=ref, net_floor=None, net_ceiling=limit, actor=SYSTEM, now=ledger.NOW)

    refused(shop.post("transactions", transfer(*sides)), 409, "ledger_limit_exceeded", "/legs/0/amount")


def test_a_closed_period_is_named(shop, sides):
    access.portal()
    shop.post("transactions", transfer(*sides, effective_date="2026-01-15", key="january"))
    periods.months()
    periods.close_through(1)
    booked = shop.get("transactions").json()["data"][0]
    late = transfer(*sides, effective_date="2026-01-20")

    refused(shop.post("transactions", late), 409, "ledger_period_closed", "/effective_date")
    batch = {"transactions": [transfer(*sides, key="now"), {**late, "key": "late"}]}
    refused(
        shop.post("transactions/batch", batch), 409, "ledger_period_closed", "/transactions/1/effective_date"
    )
    refused(
        shop.post(
            f"transactions/{booked['id']}/reverse", {"reason": "Wrong", "effective_date": "2026-01-20"}
        ),
        409,
        "ledger_period_closed",
        "/effective_date",
    )
    assert Transaction.objects.count() == 1
    again = transfer(*sides, effective_date="2026-01-15", key="january")
    assert shop.post("transactions", again).status_code == 200


def test_posts_a_batch_whole_or_not_at_all(shop, sides):
    batch = {"transactions": [transfer(*sides, key=f"b-{number}") for number in range(3)]}

    answer = shop.post("transactions/batch", batch)

    assert answer.status_code == 200, answer.content
    assert [one["key"] for one in answer.json()["data"]] == ["b-0", "b-1", "b-2"]
    assert balance(shop, "rider_payable") == "30.00"
    batch = {"transactions": [transfer(*sides, key="c-0"), transfer(*sides, key="c-1")]}
    batch["transactions"][1]["legs"][0]["amount"] = kes("9.00")
    refused(shop.post("transactions/batch", batch), 422, "ledger_unbalanced", "/transactions/1/legs")
    batch["transactions"][1] = transfer(*sides, key="c-1", dimensions={"\ud800": "x"})
    refused(shop.post("transactions/batch", batch), 422, "ledger_draft_invalid", "/transactions/1/dimensions")
    assert Transaction.objects.count() == 3


@pytest.mark.parametrize(
    ("keys", "code", "pointer"),
    [
        ([], "min_length", "/transactions"),
        (["a", "a"], "ledger_draft_invalid", "/transactions/1/key"),
        (["a", None], "required", "/transactions/1/key"),
    ],
)
def test_refuses_a_batch_by_naming_the_field(shop, sides, keys, code, pointer):
    wanted = [transfer(*sides, **({"key": key} if key else {})) for key in keys]

    refused(shop.post("transactions/batch", {"transactions": wanted}), 422, code, pointer)

    assert not Transaction.objects.exists()


def test_a_batch_has_at_most_a_thousand(shop):
    refused(
        shop.post("transactions/batch", {"transactions": [{}] * 1001}), 422, "max_length", "/transactions"
    )
