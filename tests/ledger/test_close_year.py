"""Close a year: what it earned and spent goes into retained earnings with its last period."""

from datetime import date

import pytest
from django.db.models import F, Sum

from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import (
    PERIOD_REOPEN,
    AccountRole,
    Layer,
    PeriodState,
    TransactionKind,
)
from apps.ledger.models import Book, Closing, Entry, Period, Transaction
from apps.ledger.selectors import balances
from apps.ledger.selectors import periods as stored
from apps.ledger.services import accounts, journals, periods, reversals, verification
from tests.factories import access, approvals, ledger
from tests.factories import periods as make
from tests.factories.approvals import ONE_APPROVER
from tests.factories.ledger import NOW
from tests.factories.periods import LATER

OCTOBER = date(2026, 10, 14)
NOVEMBER = date(2026, 11, 14)


@pytest.fixture(autouse=True)
def organisation(acme):
    access.head_office()
    access.portal()


@pytest.fixture
def booked(balance, unapplied) -> list[int]:
    """Money that arrived in October and in November."""
    return [
        ledger.post(ledger.transfer(balance, unapplied, minor, effective_date=day)).number
        for minor, day in ((70_00, OCTOBER), (30_00, NOVEMBER))
    ]


@pytest.fixture
def year(booked) -> list[Period]:
    return make.months()


def kept(period: Period) -> dict[str, tuple[int, int]]:
    return {
        row.account.role: (row.debits, row.credits)
        for row in stored.checkpoints_of(period).select_related("account")
    }


def summed(day: date) -> dict[int, int]:
    """Sum every posted entry up to a day, by account, without any checkpoint."""
    rows = (
        Entry.objects.filter(layer=Layer.POSTED.value, effective_date__lte=day)
        .values_list("account_id")
        .annotate(net=Sum(F("amount") * F("direction")))
    )
    return {account_id: int(net) for account_id, net in rows}


def test_the_year_goes_into_retained_earnings_by_branch(year, balance, fees, branch):
    other = ledger.branch()
    sales = ledger.ref(AccountRole.REVENUE, other.id)
    owed = ledger.ref(AccountRole.RECEIVABLE, other.id)
    ledger.post(ledger.transfer(fees, balance, 4_00, effective_date=OCTOBER))
    ledger.post(ledger.transfer(owed, sales, 90_00, effective_date=OCTOBER))
    assets_before = balances.of(balance), balances.of(owed)

    december = make.close_through(12)

    assert december.is_year_end
    assert (balances.of(fees).minor, balances.of(sales).minor) == (0, 0)
    assert balances.of(ledger.ref(AccountRole.RETAINED_EARNINGS, branch.id)) == Money(-4_00, "KES")
    assert balances.of(ledger.ref(AccountRole.RETAINED_EARNINGS, other.id)) == Money(90_00, "KES")
    assert (balances.of(balance), balances.of(owed)) == assets_before
    closings = Transaction.objects.filter(kind=TransactionKind.CLOSING)
    assert {row.effective_date for row in closings} == {date(2026, 12, 31)}
    assert set(Closing.objects.values_list("transaction_id", flat=True)) == {row.id for row in closings}
    assert set(stored.closing_transactions()) == set(closings)
    assert kept(december)["RETAINED_EARNINGS"] in {(4_00, 0), (0, 90_00)}
    assert summed(date(2026, 12, 31)) == {
        row.account_id: row.debits - row.credits for row in stored.checkpoints_of(december)
    }
    make.seal()
    assert verification.verify().findings == ()
    with pytest.raises(reversals.NotReversible, match="A closing is not reversed"):
        reversals.reverse(transaction_id=closings[0].uid, reason="Mistake", actor=SYSTEM, now=LATER)


def test_an_account_that_was_closed_since_does_not_keep_its_year_open(year, balance, fees):
    ledger.post(ledger.transfer(fees, balance, 4_00, effective_date=OCTOBER))
    ledger.post(ledger.transfer(balance, fees, 4_00, effective_date=date(2027, 1, 2)))
    accounts.set_limits(ref=fees, net_floor=Money(0, "KES"), net_ceiling=None, actor=SYSTEM, now=NOW)
    accounts.close(ref=fees, reason="Another bank", actor=SYSTEM, now=NOW)

    december = make.close_through(12)

    assert {row.account.role: row.debits - row.credits for row in stored.checkpoints_of(december)}[
        "PROVIDER_FEES"
    ] == 0
    assert balances.of(fees) == Money(-4_00, "KES")
    late = ledger.transfer(fees, balance, 4_00, effective_date=date(2027, 1, 3))
    with pytest.raises(journals.AccountClosed):
        journals.post(draft=late, actor=SYSTEM, now=NOW, force=True)
    approvals.rule(kind=PERIOD_REOPEN.name, currency="", minimum_minor=None, steps=ONE_APPROVER)
    make.reopen(make.month(12))
    assert balances.of(fees) == Money(0, "KES")
    make.seal()
    assert verification.verify().findings == ()


def test_nothing_is_kept_when_the_closing_is_refused(year, balance, fees):
    ledger.post(ledger.transfer(fees, balance, 4_00, effective_date=OCTOBER))
    make.close_through(11)
    key = f"ledger:closing:{make.month(12).uid}:1:KES:{fees.branch_id}"
    ledger.post(ledger.transfer(balance, fees, 1, key=key, effective_date=date(2026, 12, 2)))
    make.make_ready(make.month(12))

    with pytest.raises(journals.KeyReused):
        periods.close(period_id=make.month(12).uid, actor=SYSTEM, now=LATER)

    assert make.month(12).state == PeriodState.OPEN
    assert Transaction.objects.filter(kind=TransactionKind.CLOSING).exists() is False
    assert Book.objects.get().closed_through == date(2026, 11, 30)
