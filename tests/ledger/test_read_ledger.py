"""Read the ledger: accounts with balances, entries newest first, transactions of a source, within the caller's branches."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.kit import errors, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, credit, debit
from apps.ledger.selectors import accounts, balances, entries, transactions
from apps.ledger.services import accounts as opened
from apps.ledger.services import holds
from apps.ledger.services.holds import Promise
from tests.factories import access, ledger
from tests.factories.ledger import NOW


def kes(minor: int) -> Money:
    return Money(minor, "KES")


@contextmanager
def queries(number: int) -> Iterator[None]:
    """Assert the number of queries; entering the schema is none."""
    with CaptureQueriesContext(connection) as captured:
        yield
    asked = [query["sql"] for query in captured if not query["sql"].startswith("SET search_path")]
    assert len(asked) == number, asked


@pytest.fixture
def collection(balance, fees, unapplied):
    source_id = ids.new()
    legs = (debit(balance, kes(12_338_00)), debit(fees, kes(62_00)), credit(unapplied, kes(12_400_00)))
    booked = ledger.post(ledger.draft(legs=legs, source_id=source_id, reference="NLJ7RT61SV", event_at=NOW))
    return source_id, booked


def test_accounts_come_with_balances_in_one_query(collection, balance, branch):
    with queries(1):
        found = accounts.with_balances()

    assert [(account.code, account.name, account.balance.minor) for account in found] == [
        ("1010", "M-Pesa Westlands", 12_338_00),
        ("2110", "Unapplied collections", 12_400_00),
        ("5210", "Provider fees", 62_00),
    ]
    assert found[0].owner_id == balance.owner_id
    assert found[1].net == kes(-12_400_00)
    assert {account.branch_name for account in found} == {branch.name}


def test_codes_go_on_within_the_block_and_beyond(branch, suspense):
    for number in range(41):
        ledger.post(
            ledger.transfer(
                ledger.ref(AccountRole.PROVIDER_BALANCE, branch.id),
                ledger.ref(AccountRole.SUSPENSE, branch.id, owner_id=ids.new()),
                number + 1,
            )
        )

    codes = [account.code for account in balances.by_role(AccountRole.SUSPENSE)]
    assert codes == ["2150", "2150.41", *(str(code) for code in range(2151, 2190))]


def test_a_line_names_the_accounts_on_the_other_side(collection):
    _, booked = collection
    account = balances.by_role(AccountRole.UNAPPLIED_COLLECTIONS)[0]

    with queries(1):
        found = entries.counters(account, [booked.id])

    assert [str(counter) for counter in found[booked.id]] == ["1010 M-Pesa Westlands", "5210 Provider fees"]
    assert entries.counters(account, [ids.new()]) == {}


def test_what_binds_an_account_is_on_its_normal_side(balance, unapplied):
    ledger.post(ledger.transfer(balance, unapplied, 10_00))
    limits = {"actor": SYSTEM, "now": NOW, "net_ceiling": None}
    opened.set_limits(ref=balance, net_floor=kes(0), **limits)
    opened.set_limits(ref=unapplied, net_floor=kes(-50_00), **limits)
    promise = Promise(
        key="test:hold", payer=unapplied, payee=balance, money=kes(3_00), description="Order 7",
        source_type="order", source_id=ids.new(),
    )  # fmt: skip
    holds.place(promise=promise, actor=SYSTEM, now=NOW)

    asset, liability = (accounts.standing(balances.by_role(ref.role)[0]) for ref in (balance, unapplied))

    assert (asset.at_least, asset.at_most, asset.is_held) == (kes(0), None, True)
    assert (liability.at_least, liability.at_most) == (None, kes(50_00))
    assert (liability.held_debits, liability.held_credits) == (kes(3_00), kes(0))


def test_a_source_shows_what_it_caused(collection):
    source_id, booked = collection

    with queries(3):
        (found,) = transactions.of_source("payment_intent", source_id)

    assert found.uid == booked.id
    assert [(leg.account_code, leg.debit, leg.credit) for leg in found.legs] == [
        ("1010", kes(12_338_00), None),
        ("5210", kes(62_00), None),
        ("2110", None, kes(12_400_00)),
    ]
    assert found.totals == (kes(12_400_00),)
    assert transactions.of_source("payment_intent", ids.new()) == []


def test_a_caller_sees_his_branches_only(collection):
    _, booked = collection
    elsewhere = access.branch("MSA", "Mombasa")
    cashier = access.member("accountant", "juma@example.test", branches=(elsewhere,)).user
    owner = access.member("owner", "amina@example.test").user
    account = accounts.with_balances()[0]

    assert [len(accounts.with_balances(person)) for person in (cashier, owner)] == [0, 3]
    assert accounts.get(account.uid, owner) == account
    assert transactions.get(booked.id, owner).uid == booked.id
    with pytest.raises(errors.NotFound):
        accounts.get(account.uid, cashier)
    with pytest.raises(errors.NotFound):
        transactions.get(booked.id, cashier)


def test_an_account_that_was_never_used_has_nothing_on_it(suspense):
    assert balances.of(suspense) == Money.zero("KES")
