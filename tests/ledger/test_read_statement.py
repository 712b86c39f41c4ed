"""Read a statement: in the order of dates, each page carries on where the last one ended, and it foots over all shards."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.kit.money import Money
from apps.ledger.contracts import AccountRef
from apps.ledger.models import Account
from apps.ledger.selectors import accounts, statements
from apps.ledger.selectors.accounts import AccountBalance
from apps.ledger.selectors.reports.basis import DatesInvalid
from apps.ledger.selectors.statements import Latest, Statement
from apps.ledger.services import seals
from tests.factories import ledger
from tests.factories.ledger import NOW

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 24)
FAR = NOW + timedelta(days=9)


def kes(minor: int) -> Money:
    return Money(minor, "KES")


def opened(ref: AccountRef) -> AccountBalance:
    return accounts.get(Account.objects.matching([ref]).get().uid)


@pytest.fixture
def history(balance, unapplied) -> AccountBalance:
    """One entry before November, then nine of which three are on one day, booked out of order."""
    ledger.post(ledger.transfer(balance, unapplied, 1_000, effective_date=date(2026, 10, 31)))
    for day, minor in ((20, 1), (3, 2), (20, 4), (5, 8), (20, 16), (1, 32), (24, 64), (7, 128)):
        booked = ledger.transfer(balance, unapplied, minor, effective_date=date(2026, 11, day))
        ledger.post(booked, now=NOW + timedelta(minutes=day))
    ledger.post(ledger.transfer(unapplied, balance, 256, effective_date=date(2026, 11, 21)))
    return opened(balance)


def pages(account: AccountBalance, rows: int, **asked: object) -> list[Statement]:
    read = [statements.page(account, since=FIRST, as_of=LAST, rows=rows, **asked)]
    while read[-1].next:
        read.append(
            statements.page(account, since=FIRST, as_of=LAST, rows=rows, after=read[-1].next, **asked)
        )
    return read


def test_runs_from_the_opening_to_the_closing_balance(history):
    (statement,) = pages(history, 50)

    assert (statement.opening, statement.brought_forward, statement.closing) == (
        kes(1_000), kes(1_000), kes(999),
    )  # fmt: skip
    assert [(line.effective_date.day, line.balance.minor) for line in statement.lines] == [
        (1, 1_032), (3, 1_034), (5, 1_042), (7, 1_170), (20, 1_171), (20, 1_175), (20, 1_191), (21, 935), (24, 999),
    ]  # fmt: skip
    assert (statement.lines[0].debit, statement.lines[7].credit) == (kes(32), kes(256))
    assert (statement.carried_forward, statement.next) == (statement.closing, "")


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 8, 9, 10])
@pytest.mark.parametrize("sealed_until", [None, NOW + timedelta(minutes=10), FAR])
def test_pages_carry_on_where_the_last_one_ended(history, rows, sealed_until):
    (whole,) = pages(history, 50)
    if sealed_until:
        seals.run(now=sealed_until, is_thorough=True)

    read = pages(history, rows)

    assert [line for page in read for line in page.lines] == list(whole.lines)
    assert [page.brought_forward for page in read[1:]] == [page.carried_forward for page in read[:-1]]
    assert {(page.opening, page.closing) for page in read} == {(whole.opening, whole.closing)}


def test_a_liability_grows_by_credits(history, unapplied):
    (statement,) = pages(opened(unapplied), 50)

    assert (statement.opening, statement.closing) == (kes(1_000), kes(999))
    assert [line.balance.minor for line in statement.lines][-2:] == [935, 999]


def test_prints_again_what_was_known(history, balance, unapplied):
    known_at = NOW + timedelta(hours=1)
    before = pages(history, 4, known_at=known_at)

    ledger.post(ledger.transfer(balance, unapplied, 5, effective_date=FIRST), now=NOW + timedelta(hours=2))
    ledger.post(
        ledger.transfer(balance, unapplied, 5, effective_date=date(2026, 10, 1)), now=NOW + timedelta(hours=2)
    )

    assert pages(history, 4, known_at=known_at) == before
    (now_known,) = pages(history, 50)
    assert (now_known.opening, now_known.closing, len(now_known.lines)) == (kes(1_005), kes(1_009), 10)


def test_an_empty_range_has_balances_and_no_lines(history):
    statement = statements.page(history, since=date(2026, 11, 25), as_of=date(2026, 11, 30))

    assert (statement.opening, statement.closing, statement.carried_forward, statement.lines) == (
        kes(999), kes(999), kes(999), (),
    )  # fmt: skip


def test_days_that_run_backwards_are_refused(history):
    with pytest.raises(DatesInvalid) as refusal:
        statements.page(history, since=LAST, as_of=FIRST)

    assert refusal.value.errors[0].pointer == "/since"


def newest(account: AccountBalance, rows: int, **asked: object) -> list[Latest]:
    asked = {"since": FIRST, "as_of": LAST, "rows": rows, **asked}
    read = [statements.latest(account, **asked)]
    while read[-1].older:
        read.append(statements.latest(account, before=read[-1].older, **asked))
    return read


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 8, 9, 10])
@pytest.mark.parametrize("sealed_until", [None, NOW + timedelta(minutes=10), FAR])
def test_the_newest_first_are_the_statement_turned_round(history, rows, sealed_until):
    (whole,) = pages(history, 50)
    if sealed_until:
        seals.run(now=sealed_until, is_thorough=True)

    read = newest(history, rows)

    assert [line for page in read for line in page.lines] == list(whole.lines)[::-1]
    assert {(page.opening, page.closing, page.debits, page.credits) for page in read} == {
        (whole.opening, whole.closing, whole.debits, whole.credits)
    }


def test_the_newest_go_back_to_the_first_entry_of_the_account(history, unapplied):
    account = opened(unapplied)
    first_day = statements.first_day(account)

    lines = [line for page in newest(account, 4, since=first_day) for line in page.lines]

    assert first_day == date(2026, 10, 31)
    assert [(lines[0].balance, lines[-1].balance), len(lines)] == [(kes(999), kes(1_000)), 10]


def test_the_newest_are_the_same_again_as_known_at_an_instant(history, balance, unapplied):
    known_at = NOW + timedelta(hours=1)
    before = newest(history, 4, known_at=known_at)

    for day in (FIRST, date(2026, 10, 1)):
        late = ledger.transfer(balance, unapplied, 5, effective_date=day)
        ledger.post(late, now=NOW + timedelta(hours=2))

    assert newest(history, 4, known_at=known_at) == before
    assert len(newest(history, 50)[0].lines) == 10


@pytest.mark.parametrize("cursor", ["x", "2026-10-31.1.1", "2026-11-25.1.1", f"2026-11-20.{'9' * 30}.1"])
def test_a_cursor_outside_of_the_days_is_refused(history, cursor):
    with pytest.raises(statements.CursorInvalid):
        statements.latest(history, since=FIRST, as_of=LAST, before=cursor)


@pytest.mark.parametrize("read", [statements.page, statements.latest])
def test_a_page_is_one_statement(history, read):
    with CaptureQueriesContext(connection) as captured:
        read(history, since=FIRST, as_of=LAST)

    assert len(captured) == 1


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "2026-11-20",
        "2026-11-20.1",
        "2026-13-01.1.1",
        "2026-10-31.1.1",
        "2026-11-20.-1.1",
        f"2026-11-20.{'9' * 30}.1",
    ],
)
def test_a_cursor_that_is_none_is_refused(history, cursor):
    with pytest.raises(statements.CursorInvalid) as refusal:
        statements.page(history, since=FIRST, as_of=LAST, after=cursor)

    assert refusal.value.errors[0].pointer == "/cursor"
