"""Name refused entry: a refusal of a batch says which of its transactions, and which field of it, is to blame."""

import pytest

from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.models import Account, Transaction
from apps.ledger.services import accounts
from tests.factories import access, ledger, periods
from tests.ledger.partner import Partner, kes, party, transfer
from tests.payments.partner import refused


@pytest.fixture
def shop(committed_acme):
    with clock.fixed(ledger.NOW):
        yield Partner()


@pytest.fixture
def sides(shop):
    """Two parties between which KES 10.00 was moved under the key ``first``."""
    sides = party(display_name="Mama Oliech"), party(display_name="Otieno")
    assert shop.post("transactions", transfer(*sides, key="first")).status_code == 201
    return sides


def ref(role):
    return Account.objects.get(role=role).ref


def batch(shop, *wanted):
    return shop.post("transactions/batch", {"transactions": list(wanted)})


def kept():
    return Transaction.objects.count()


def test_a_limit_by_the_transaction_that_passes_it(shop, sides):
    limit = Money(25_00, "KES")
    facts = {"actor": SYSTEM, "now": ledger.NOW}
    accounts.set_limits(ref=ref("MERCHANT_PAYABLE"), net_floor=None, net_ceiling=limit, **facts)
    some = [transfer(*sides, key=f"b-{number}") for number in range(3)]

    answer = batch(shop, transfer(*sides, key="first"), *some)

    refused(answer, 409, "ledger_limit_exceeded", "/transactions/2/legs/0/amount")
    back = transfer(sides[1], sides[0], key="back")
    for one, role in zip(back["legs"], ("rider_payable", "merchant_payable"), strict=True):
        one["role"] = role
    answer = batch(shop, some[0], back, some[1], some[2])
    refused(answer, 409, "ledger_limit_exceeded", "/transactions/3/legs/0/amount")
    assert kept() == 1
    assert batch(shop, some[0], back, some[1]).status_code == 200


def test_a_lower_limit_by_the_leg_that_credits(shop, sides):
    limit = Money(-15_00, "KES")
    facts = {"actor": SYSTEM, "now": ledger.NOW}
    accounts.set_limits(ref=ref("RIDER_PAYABLE"), net_floor=limit, net_ceiling=None, **facts)

    answer = batch(shop, transfer(*sides, "5.00", key="b-0"), transfer(*sides, "0.01", key="b-1"))

    refused(answer, 409, "ledger_limit_exceeded", "/transactions/1/legs/1/amount")
    refused(shop.post("transactions", transfer(*sides)), 409, "ledger_limit_exceeded", "/legs/1/amount")
    assert kept() == 1


def test_what_is_held_counts_for_a_limit(shop, sides):
    limit = Money(25_00, "KES")
    facts = {"actor": SYSTEM, "now": ledger.NOW}
    accounts.set_limits(ref=ref("MERCHANT_PAYABLE"), net_floor=None, net_ceiling=limit, **facts)
    hold = {
        "description": "Ride",
        "payer": {"role": "merchant_payable", "owner_id": sides[0]},
        "payee": {"role": "rider_payable", "owner_id": sides[1]},
        "amount": kes("10.00"),
    }
    assert shop.post("holds", hold).status_code == 201

    answer = batch(shop, transfer(*sides, "5.00", key="b-0"), transfer(*sides, "0.01", key="b-1"))

    refused(answer, 409, "ledger_limit_exceeded", "/transactions/1/legs/0/amount")


def test_a_key_that_was_used_for_something_else(shop, sides):
    answer = batch(
        shop,
        transfer(*sides, key="b-0"),
        transfer(*sides, key="first"),
        transfer(*sides, key="b-1"),
    )
    assert answer.status_code == 200
    answer = batch(
        shop,
        transfer(*sides, key="c-0"),
        transfer(*sides, key="first"),
        transfer(*sides, "11.00", key="b-1"),
    )

    refused(answer, 422, "ledger_key_reused", "/transactions/2/key")
    assert kept() == 3


def test_a_key_that_is_there_twice(shop, sides):
    answer = batch(shop, *(transfer(*sides, key=key) for key in ("a", "b", "a")))

    refused(answer, 422, "ledger_draft_invalid", "/transactions/2/key")
    assert kept() == 1


def test_a_date_in_a_closed_period_but_not_that_of_a_repetition(shop, sides):
    access.portal()
    january = transfer(*sides, effective_date="2026-01-10", key="january")
    shop.post("transactions", january)
    periods.months()
    periods.close_through(1)
    late = transfer(*sides, effective_date="2026-01-20", key="late")

    answer = batch(shop, january, transfer(*sides, key="now"), late)

    refused(answer, 409, "ledger_period_closed", "/transactions/2/effective_date")
    assert kept() == 2


def test_an_account_that_takes_no_postings_but_not_that_of_a_repetition(shop, sides):
    third = party(display_name="Wanjiru")
    shop.post("transactions", transfer(sides[0], third, key="third"))
    rider = Account.objects.get(role="RIDER_PAYABLE", owner_id=ids.decode("pty", sides[1])).ref
    accounts.freeze(ref=rider, reason="Asked by compliance", actor=SYSTEM, now=ledger.NOW)

    answer = batch(
        shop,
        transfer(*sides, key="first"),
        transfer(sides[0], third, key="b-0"),
        transfer(*sides, key="b-1"),
    )

    refused(answer, 409, "ledger_account_frozen", "/transactions/2/legs/1/role")
    assert kept() == 2


def test_an_account_on_both_sides_however_it_is_named(shop, sides):
    both = transfer(*sides, key="b-1")
    uid = ids.encode("acc", Account.objects.get(role="MERCHANT_PAYABLE").uid)
    both["legs"][1] = {"direction": "credit", "account_id": uid, "amount": kes("10.00")}

    answer = batch(shop, transfer(*sides, key="b-0"), both)

    refused(answer, 422, "ledger_draft_invalid", "/transactions/1/legs/1")
    assert kept() == 1


def test_a_text_a_sum_and_an_account_of_one_transaction(shop, sides):
    unknown = transfer(sides[0], party(application_id=access.application("other").id), key="b-1")
    wrong = transfer(*sides, key="b-1")
    wrong["legs"][0]["amount"] = kes("9.00")
    nul = transfer(*sides, key="b-1", dimensions={"a\0": "x"})
    huge = transfer(*sides, "9" * 34, key="b-1")
    old, far = (transfer(*sides, key="b-1", effective_date=day) for day in ("0001-01-01", "9999-12-31"))

    for body, status, code, pointer in (
        (unknown, 404, "ledger_account_unknown", "/transactions/1/legs/1/owner_id"),
        (wrong, 422, "ledger_unbalanced", "/transactions/1/legs"),
        (nul, 422, "name", "/transactions/1/dimensions"),
        (huge, 422, "too_large", "/transactions/1/legs/0/amount"),
        (old, 422, "out_of_range", "/transactions/1/effective_date"),
        (far, 422, "out_of_range", "/transactions/1/effective_date"),
    ):
        refused(batch(shop, transfer(*sides, key="b-0"), body), status, code, pointer)
    assert kept() == 1
