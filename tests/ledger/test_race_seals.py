"""Race seals: who commits late, two sealers at once, one that is killed, and the check at night that looks for what was missed."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from apps.kit import clock
from apps.ledger import tasks
from apps.ledger.contracts import AccountRef, AccountRole
from apps.ledger.models import Seal
from apps.ledger.services import seals
from tests.factories import ledger
from tests.ledger.test_seal_transactions import LATER, assert_movements_are_the_sealed_entries, book, sealed


@pytest.fixture
def refs(committed_acme) -> tuple[AccountRef, AccountRef]:
    branch = ledger.branch()
    return ledger.ref(AccountRole.PROVIDER_BALANCE, branch.id), ledger.ref(AccountRole.SUSPENSE, branch.id)


@pytest.fixture
def small_seals(monkeypatch) -> None:
    monkeypatch.setattr(seals, "LEAVES_MAX", 2)


class Late:
    """A booking on a connection of its own that is not committed before ``commit`` is called."""

    def __init__(self, organisation, work: Callable[[], int]) -> None:
        self.number = 0
        self._booked, self._go = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=[organisation, work])
        self._thread.start()
        assert self._booked.wait(timeout=30)

    def _run(self, organisation, work: Callable[[], int]) -> None:
        connection.set_tenant(organisation)
        try:
            with transaction.atomic():
                self.number = work()
                self._booked.set()
                assert self._go.wait(timeout=30)
        finally:
            self._booked.set()
            connection.close()

    def commit(self) -> None:
        self._go.set()
        self._thread.join(timeout=30)


@pytest.fixture
def late(committed_acme, refs):
    """A booking between two other accounts, with the first number of all, that waits for its commit."""
    others = [ledger.ref(role, refs[0].branch_id) for role in (AccountRole.CASH, AccountRole.REVENUE)]
    book((others[0], others[1]), 1)
    waiting = Late(committed_acme, lambda: ledger.post(ledger.transfer(*others, 7)).number)
    yield waiting
    waiting.commit()


def test_who_commits_late_lands_in_the_next_seal(committed_acme, refs, late):
    after = book(refs, 1, 2)
    seals.run(now=LATER)
    assert late.number < after[0]
    assert late.number not in chain(*sealed())

    late.commit()
    seals.run(now=LATER + timedelta(minutes=1))

    assert sealed()[1] == [late.number]
    assert_movements_are_the_sealed_entries()


def test_who_commits_later_than_two_hours_waits_for_the_thorough_run(committed_acme, refs, late, small_seals):
    for hours in range(4):
        book(refs, 1, 2)
        seals.run(now=LATER + timedelta(hours=hours))
    late.commit()

    found = seals.run(now=LATER + timedelta(hours=3))
    found_at_night = seals.run(now=LATER + timedelta(hours=3), is_thorough=True)

    assert found == []
    assert [made.last_id for made in found_at_night] == [late.number]
    assert_movements_are_the_sealed_entries()


def test_two_sealers_at_once_seal_everything_once(committed_acme, refs, small_seals):
    numbers = book(refs, *range(1, 10))
    start = threading.Barrier(2)

    def run() -> list[seals.Sealed]:
        connection.set_tenant(committed_acme)
        try:
            connection.ensure_connection()
            start.wait(timeout=30)
            return seals.run(now=LATER)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        made = [sealed for found in pool.map(lambda _: run(), range(2)) for sealed in found]
    made += seals.run(now=LATER)

    assert sorted(seal.seq for seal in made) == list(range(1, len(made) + 1))
    assert list(chain(*sealed())) == numbers
    assert_movements_are_the_sealed_entries()


def test_a_sealer_whose_backend_is_killed_leaves_nothing_and_the_next_one_goes_on(committed_acme, refs):
    numbers = book(refs, 1, 2)

    def seal_and_be_killed() -> None:
        with transaction.atomic():
            process = connection.connection.info.backend_pid
            assert seals.seal(now=LATER)
            with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
                other.execute("SELECT pg_terminate_backend(%s)", [process])

    with pytest.raises(DatabaseError):
        seal_and_be_killed()
    connection.close()

    assert Seal.objects.exists() is False
    assert [made.count for made in seals.run(now=LATER)] == [2]
    assert sealed() == [numbers]


def test_a_posting_does_not_wait_for_a_sealer(committed_acme, refs):
    book(refs, 1)

    with transaction.atomic():
        seals.seal(now=LATER)
        waiting = Late(committed_acme, lambda: ledger.post(ledger.transfer(*refs, 2)).number)
        waiting.commit()

    assert waiting.number
    assert len(seals.run(now=LATER)) == 1


def test_the_nightly_check_seals_what_came_later_than_the_beat_looks(committed_acme, refs, late, small_seals):
    for hours in range(4):
        book(refs, 1, 2)
        seals.run(now=LATER + timedelta(hours=hours))
    late.commit()

    with clock.fixed(LATER + timedelta(hours=3)):
        tasks.seal_organisation()
        assert late.number not in chain(*sealed())
        tasks.check_seals_organisation()

    assert sealed()[-1] == [late.number]
