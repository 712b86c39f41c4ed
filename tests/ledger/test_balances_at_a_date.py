"""Balances at a date: as known at an instant, they are the sums over entries, whatever is sealed and whatever comes later."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.kit import ids, schema
from apps.kit.money import Money
from apps.ledger.contracts import PERIOD_REOPEN, AccountRef, AccountRole, Layer, TransactionKind
from apps.ledger.models import Account, ChartLine, Entry, Movement, SealLeaf
from apps.ledger.selectors import balances, point_in_time
from apps.ledger.selectors.point_in_time import Asked, Totals
from apps.ledger.services import seals
from apps.tenancy.selectors import organisations
from tests.conftest import owner
from tests.factories import access, approvals, ledger
from tests.factories import periods as make
from tests.factories.ledger import NOW

TODAY = date(2026, 11, 24)
ROLES = [AccountRole.CASH, AccountRole.SUSPENSE, AccountRole.REVENUE, AccountRole.PROVIDER_FEES]
FAR = NOW + timedelta(days=9)

places = st.sampled_from(ROLES)
bookings = st.tuples(
    st.just("post"),
    st.lists(places, min_size=2, max_size=2, unique=True),
    st.integers(1, 2**65),
    st.integers(-6, 2),
    st.integers(0, 40),
)
sealings = st.tuples(st.just("seal"), st.integers(0, 60))
histories = st.lists(st.one_of(bookings, bookings, bookings, sealings), min_size=1, max_size=24)


def naive(asked: Asked) -> dict[int, Totals]:
    """The same totals, entry by entry."""
    sums: dict[int, list[int]] = {account.id: [0, 0] for account in Account.objects.all()}
    for entry in Entry.objects.filter(layer=Layer.POSTED.value).select_related("transaction__reverses"):
        booked = entry.transaction
        if entry.effective_date > asked.as_of or (asked.since and entry.effective_date < asked.since):
            continue
        if asked.known_at is not None and booked.posted_at > asked.known_at:
            continue
        kinds = {booked.kind, booked.reverses.kind if booked.reverses else ""}
        if asked.is_without_closings and TransactionKind.CLOSING in kinds:
            continue
        sums[entry.account_id][0 if entry.direction == 1 else 1] += entry.amount
    wanted = sums if asked.account_ids is None else asked.account_ids
    return {account_id: Totals(*sums[account_id]) for account_id in wanted}


def instant(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    history=histories,
    looks=st.lists(st.tuples(st.integers(-7, 3), st.integers(-1, 45)), min_size=3, max_size=3),
)
def test_random_histories_agree_with_the_sum_over_entries(acme, history, looks):
    with transaction.atomic():
        branch = ledger.branch()
        kinds = iter([*[TransactionKind.POSTING] * 3, TransactionKind.CLOSING] * len(history))
        for step in history:
            match step:
                case ("post", roles, minor, days, minutes):
                    refs = [ledger.ref(role, branch.id) for role in roles]
                    facts = {"kind": next(kinds), "effective_date": TODAY + timedelta(days=days)}
                    ledger.post(ledger.transfer(*refs, minor, **facts), now=instant(minutes))
                case ("seal", minutes):
                    seals.run(now=instant(minutes), is_thorough=True, batches=1)
        for days, minutes in looks:
            day = TODAY + timedelta(days=days)
            for known_at in (None, instant(minutes)):
                for since in (None, day - timedelta(days=2)):
                    for is_without_closings in (False, True):
                        asked = Asked(
                            account_ids=None,
                            as_of=day,
                            known_at=known_at,
                            since=since,
                            is_without_closings=is_without_closings,
                        )
                        assert point_in_time.read(asked) == naive(asked), asked
        transaction.set_rollback(True)


@pytest.fixture
def history(branch, balance, unapplied) -> list[AccountRef]:
    """Three days of collections; returns the debited and the credited account."""
    for days, minor in ((-2, 100), (-1, 200), (0, 400)):
        booked = ledger.transfer(balance, unapplied, minor, effective_date=TODAY + timedelta(days=days))
        ledger.post(booked, now=NOW + timedelta(days=days))
    return [balance, unapplied]


def test_a_balance_stands_on_the_normal_side(history):
    debited, credited = history

    found = balances.at(history, as_of=TODAY - timedelta(days=1))

    assert found == {debited: Money(300, "KES"), credited: Money(300, "KES")}


def test_an_account_that_was_never_opened_has_nothing(history, suspense):
    assert balances.at([suspense], as_of=TODAY) == {suspense: Money.zero("KES")}
    assert balances.at([], as_of=TODAY) == {}


@pytest.mark.parametrize("sealed_until", [None, NOW - timedelta(days=1), FAR])
def test_what_is_known_later_changes_no_earlier_answer(history, sealed_until):
    yesterday, known_at = TODAY - timedelta(days=1), NOW + timedelta(minutes=1)
    if sealed_until:
        seals.run(now=sealed_until)
    before = balances.at(history, as_of=yesterday, known_at=known_at)

    ledger.post(ledger.transfer(*history, 50, effective_date=yesterday), now=NOW + timedelta(minutes=5))
    if sealed_until:
        seals.run(now=FAR)

    assert balances.at(history, as_of=yesterday, known_at=known_at) == before
    assert set(balances.at(history, as_of=yesterday).values()) == {Money(350, "KES")}


def test_a_late_committer_below_the_sealed_ones_is_found(committed_acme):
    branch = ledger.branch()
    held, owed = ledger.ref(AccountRole.CASH, branch.id), ledger.ref(AccountRole.SUSPENSE, branch.id)
    ledger.post(ledger.transfer(held, owed, 1), now=instant(20))
    for number in range(40):
        ledger.post(ledger.transfer(held, owed, 10), now=instant(number // 10))
    seals.run(now=instant(10))
    assert SealLeaf.objects.count() == 40

    assert set(balances.at([held, owed], as_of=TODAY).values()) == {Money(401, "KES")}


def test_shards_are_summed_whether_sealed_or_not(committed_acme):
    branch = ledger.branch()
    held, owed = ledger.ref(AccountRole.CASH, branch.id), ledger.ref(AccountRole.SUSPENSE, branch.id)
    line = {"code": "1210", "name": "Cash", "type": "ASSET", "is_heading": False, "width": 40}
    ChartLine.objects.create(role=AccountRole.CASH, shards=16, **line)

    def book(number: int) -> None:
        schema.enter(organisations.Organisation.objects.get(slug="acme"))
        ledger.post(ledger.transfer(held, owed, 1 + number), now=instant(number))
        connection.close()

    for number in range(12):
        with ThreadPoolExecutor(1) as other_connection:
            other_connection.submit(book, number).result()
    seals.run(now=instant(6))

    assert len(set(Entry.objects.filter(account__role="CASH").values_list("shard", flat=True))) > 1
    assert 0 < SealLeaf.objects.count() < 12
    assert balances.at([held], as_of=TODAY) == {held: Money(78, "KES")}
    assert balances.at([held], as_of=TODAY, known_at=instant(3)) == {held: Money(10, "KES")}


def test_a_checkpoint_counts_for_what_was_before_it(committed_acme):
    branch = ledger.branch()
    held, owed = ledger.ref(AccountRole.CASH, branch.id), ledger.ref(AccountRole.SUSPENSE, branch.id)
    october = date(2026, 10, 31)
    ledger.post(ledger.transfer(held, owed, 100, effective_date=october), now=NOW - timedelta(days=24))
    ledger.post(ledger.transfer(held, owed, 7, effective_date=TODAY))
    seals.run(now=FAR)
    ledger.post(ledger.transfer(held, owed, 3, effective_date=TODAY), now=NOW + timedelta(days=1))
    account_id = Account.objects.matching([held]).get().id
    _close(october, revision=2, kept={1: (account_id, 55, 5), 2: (account_id, 1_100, 1_000)})

    at_close, later = (balances.totals([account_id], as_of=day)[account_id] for day in (october, TODAY))

    assert (at_close, later) == (Totals(1_100, 1_000), Totals(1_110, 1_000))
    assert balances.totals([account_id], as_of=TODAY, since=date(2026, 11, 1))[account_id] == Totals(10, 0)
    _reopen()
    assert balances.totals([account_id], as_of=TODAY)[account_id] == Totals(110, 0)


def agrees() -> None:
    """Compare every month's end of the year, and the days around now, at several instants, with the sum over entries."""
    days = [date(2026, month, 28) for month in range(1, 13)] + [TODAY, date(2026, 12, 31), date(2027, 2, 1)]
    for day in days:
        for known_at in (None, NOW, make.LATER, make.LATER + timedelta(days=2)):
            for since in (None, day.replace(day=1)):
                asked = Asked(account_ids=None, as_of=day, known_at=known_at, since=since)
                assert point_in_time.read(asked) == naive(asked), asked


def test_closed_and_reopened_periods_agree_with_the_sum_over_entries(acme, branch, balance, unapplied):
    access.head_office()
    access.portal()
    approvals.rule(kind=PERIOD_REOPEN.name, currency="", minimum_minor=None, steps=approvals.ONE_APPROVER)
    sales = ledger.ref(AccountRole.REVENUE, branch.id)
    for month in range(1, 13):
        booked = ledger.transfer(balance, sales, 10**month, effective_date=date(2026, month, 14))
        ledger.post(booked, now=NOW + timedelta(days=month))
    make.months()
    agrees()
    make.close_through(12)
    agrees()
    year_end = make.month(12)
    make.reopen(year_end, now=make.LATER + timedelta(days=1))
    ledger.post(
        ledger.transfer(balance, unapplied, 77, effective_date=date(2026, 12, 30)),
        now=make.LATER + timedelta(days=1),
    )
    agrees()
    make.close(year_end, now=make.LATER + timedelta(days=3))
    ledger.post(ledger.transfer(balance, unapplied, 5), now=make.LATER + timedelta(days=3))

    agrees()


def test_one_statement_answers(history):
    account_ids = [account.id for account in Account.objects.all()]

    with CaptureQueriesContext(connection) as captured:
        balances.totals(account_ids, as_of=TODAY)

    assert len(captured) == 1


def test_sealing_meanwhile_changes_nothing(committed_acme):
    branch = ledger.branch()
    held, owed = ledger.ref(AccountRole.CASH, branch.id), ledger.ref(AccountRole.SUSPENSE, branch.id)
    for number in range(30):
        ledger.post(ledger.transfer(held, owed, 1), now=instant(number))

    def sealing() -> None:
        schema.enter(organisations.Organisation.objects.get(slug="acme"))
        for number in range(35):
            seals.run(now=instant(number), is_thorough=True)
        connection.close()

    seen: Counter[Money] = Counter()
    with ThreadPoolExecutor(1) as other_connection:
        running = other_connection.submit(sealing)
        while not running.done():
            seen[balances.at([held], as_of=TODAY)[held]] += 1
        running.result()

    assert set(seen) == {Money(30, "KES")}
    assert SealLeaf.objects.count() == 30
    assert sum(Movement.objects.values_list("entries", flat=True)) == 60


def test_an_instant_is_settled_after_a_minute():
    assert not balances.is_settled(NOW, now=NOW + timedelta(seconds=59))
    assert balances.is_settled(NOW, now=NOW + timedelta(seconds=60))


def _close(end: date, *, revision: int, kept: dict[int, tuple[int, int, int]]) -> None:
    with owner() as database:
        database.execute("SET search_path = org_acme")
        (period_id,) = database.execute(
            "INSERT INTO ledger_period (uid, start_date, end_date, state, revision, is_year_end, closed_by)"
            " VALUES (%s, %s, %s, 'CLOSED', %s, false, 'test') RETURNING id",
            [ids.new(), end.replace(day=1), end, revision],
        ).fetchone()
        for number, (account_id, debits, credits_) in kept.items():
            database.execute(
                "INSERT INTO ledger_checkpoint (period_id, revision, account_id, debits, credits, entries)"
                " SELECT %s, %s, %s, %s, %s, coalesce(sum(entries), 0) FROM ledger_movement"
                " WHERE account_id = %s AND effective_date <= %s",
                [period_id, number, account_id, debits, credits_, account_id, end],
            )


def _reopen() -> None:
    with owner() as database:
        database.execute("SET search_path = org_acme")
        database.execute("UPDATE ledger_period SET state = 'OPEN'")
