"""Post a batch."""

import dataclasses

import pytest

from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, Draft, credit, debit
from apps.ledger.models import Account, Entry, Transaction
from apps.ledger.selectors import balances
from apps.ledger.services import accounts, journals, verification
from tests.factories import ledger
from tests.factories.ledger import NOW


def post(*drafts: Draft):
    return journals.post_batch(drafts=list(drafts), actor=SYSTEM, now=NOW)


def test_books_all_in_their_order(balance, fees, unapplied):
    three = ledger.draft(
        key="a",
        legs=(
            debit(balance, Money(90, "KES")),
            debit(fees, Money(10, "KES")),
            credit(unapplied, Money(100, "KES")),
        ),
    )
    booked = post(
        ledger.transfer(balance, unapplied, 5, key="c"),
        three,
        ledger.transfer(unapplied, balance, 1, key="b"),
    )

    assert [Transaction.objects.get(id=found.number).idem_key for found in booked] == ["c", "a", "b"]
    assert (balances.of(balance).minor, balances.of(unapplied).minor) == (94, 104)
    versions = Entry.objects.filter(account__in=Account.objects.matching([unapplied])).order_by("version")
    assert [(entry.version, int(entry.net_after)) for entry in versions] == [(1, -5), (2, -105), (3, -104)]
    assert verification.verify().is_clean


def test_one_refusal_refuses_all(balance, unapplied, suspense):
    accounts.freeze(ref=accounts.ensure(ref=suspense, now=NOW).ref, reason="Audit", actor=SYSTEM, now=NOW)

    with pytest.raises(journals.AccountFrozen):
        post(ledger.transfer(balance, unapplied, 5), ledger.transfer(balance, suspense, 5))
    assert Transaction.objects.exists() is False


def test_what_was_booked_is_told_and_not_booked_again(balance, unapplied):
    old, new = ledger.transfer(balance, unapplied, 5), ledger.transfer(balance, unapplied, 6)
    first = ledger.post(old)
    booked = post(old, new, new)

    assert [found.is_replay for found in booked] == [True, False, True]
    assert (booked[0].id, booked[1].id) == (first.id, booked[2].id)
    assert balances.of(balance).minor == 11
    assert [found.is_replay for found in post(old, new)] == [True, True]


def test_one_key_twice_with_two_sums_is_refused(balance, unapplied):
    draft = ledger.transfer(balance, unapplied, 5)

    with pytest.raises(journals.KeyReused):
        post(draft, dataclasses.replace(ledger.transfer(balance, unapplied, 6), key=draft.key))
    assert Transaction.objects.exists() is False


def test_a_limit_holds_after_each_posting_and_not_only_at_the_end(balance, branch, suspense):
    wallet = ledger.ref(AccountRole.CUSTOMER_CREDIT, branch.id)
    accounts.set_limits(ref=wallet, net_floor=None, net_ceiling=Money(0, "KES"), actor=SYSTEM, now=NOW)
    pay, charge = ledger.transfer(wallet, suspense, 5), ledger.transfer(balance, wallet, 5)

    with pytest.raises(journals.LimitExceeded):
        post(pay, charge)
    post(charge, pay)
    assert balances.of(wallet).is_zero
    assert verification.verify().is_clean


@pytest.mark.parametrize("count", [0, 1_001])
def test_refuses_other_sizes(balance, unapplied, count):
    with pytest.raises(journals.DraftInvalid, match="1 to 1000 postings"):
        post(*[ledger.transfer(balance, unapplied, 1)] * count)


def test_refuses_more_legs_than_a_posting_has(balance, unapplied):
    parts = tuple(debit(balance, Money(1, "KES")) for _ in range(10_000))

    with pytest.raises(journals.DraftInvalid, match="at most 10000 legs"):
        post(ledger.draft(legs=(*parts, credit(unapplied, Money(10_000, "KES")))))
    assert Transaction.objects.exists() is False
