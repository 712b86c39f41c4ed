"""Match the reference: random histories give the same rows and the same refusals as the ledger in plain Python."""

from uuid import UUID

from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.access.models import Branch
from apps.kit.actors import SYSTEM
from apps.kit.errors import DomainError
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole, Draft, Leg
from apps.ledger.models import Account, Entry
from apps.ledger.services import accounts, verification
from tests.factories import ledger
from tests.factories.ledger import NOW
from tests.ledger.reference import ReferenceLedger

KEYS = st.integers(0, 30).map("history:{}".format)
ROLES = [
    AccountRole.PROVIDER_BALANCE,
    AccountRole.PROVIDER_FEES,
    AccountRole.CUSTOMER_CREDIT,
    AccountRole.SUSPENSE,
]
PLACES = st.tuples(st.sampled_from(ROLES), st.sampled_from(["KES", "ETH"]))
SUMS = st.one_of(st.integers(0, 20), st.integers(2**62, 2**66))
SOURCE = UUID(int=1)

transfers = st.tuples(
    st.just("post"), KEYS, st.lists(PLACES, min_size=2, max_size=2), st.lists(SUMS, min_size=1, max_size=1)
)
splits = st.tuples(
    st.just("post"), KEYS, st.lists(PLACES, min_size=3, max_size=4), st.lists(SUMS, min_size=2, max_size=3)
)
limits = st.tuples(st.just("limit"), PLACES, st.none() | st.integers(-50, 0), st.none() | st.integers(1, 50))
freezes = st.tuples(st.just("freeze"), PLACES, st.booleans())
histories = st.lists(
    st.one_of(transfers, splits, transfers, splits, limits, freezes), min_size=1, max_size=25
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(history=histories)
def test_random_histories_agree(acme, history):
    with transaction.atomic():
        branch = ledger.branch()
        reference = ReferenceLedger()
        for step in history:
            assert outcome(branch, step) == expected(branch, reference, step), step

        assert rows(branch) == reference_rows(reference)
        assert verification.verify().is_clean
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)


def outcome(branch: Branch, step: tuple) -> object:
    """Do the step with the real ledger; return whether it was a replay, or the name of the refusal."""
    try:
        match step:
            case ("post", key, places, sums):
                return ledger.post(draft(branch, key, places, sums)).is_replay
            case ("limit", place, floor, ceiling):
                bounds = [None if bound is None else Money(bound, place[1]) for bound in (floor, ceiling)]
                accounts.set_limits(
                    ref=ref(branch, place), net_floor=bounds[0], net_ceiling=bounds[1], actor=SYSTEM, now=NOW
                )
            case ("freeze", place, is_frozen):
                accounts.ensure(ref=ref(branch, place), now=NOW)
                change = accounts.freeze if is_frozen else accounts.unfreeze
                change(ref=ref(branch, place), reason="test", actor=SYSTEM, now=NOW)
    except DomainError as refusal:
        return type(refusal).__name__
    return None


def expected(branch: Branch, reference: ReferenceLedger, step: tuple) -> object:
    """Do the same step with the reference."""
    try:
        match step:
            case ("post", key, places, sums):
                return reference.post(draft(branch, key, places, sums))[1]
            case ("limit", place, floor, ceiling):
                account = reference.account(ref(branch, place))
                account.floor, account.ceiling = floor, ceiling
            case ("freeze", place, is_frozen):
                reference.account(ref(branch, place)).is_frozen = is_frozen
    except DomainError as refusal:
        return type(refusal).__name__
    return None


def ref(branch: Branch, place: tuple[AccountRole, str]) -> AccountRef:
    return ledger.ref(place[0], branch.id, place[1])


def draft(branch: Branch, key: str, places: list, sums: list[int]) -> Draft:
    """Debit the first places and credit the last one with the whole, which need not be in one currency."""
    *debited, credited = (ref(branch, place) for place in places)
    parts = [sums[index % len(sums)] for index in range(len(debited))]
    legs = [
        Leg(account, debit=Money(part, account.currency))
        for account, part in zip(debited, parts, strict=True)
    ]
    legs.append(Leg(credited, credit=Money(sum(parts), credited.currency)))
    return ledger.draft(key=key, legs=tuple(legs), source_id=SOURCE)


def rows(branch: Branch) -> dict[AccountRef, list[tuple[int, int, int, int]]]:
    return {
        account.ref: list(
            Entry.objects.filter(account=account)
            .order_by("version")
            .values_list("version", "direction", "amount", "net_after")
        )
        for account in Account.objects.filter(branch=branch)
        if account.entries.exists()
    }


def reference_rows(reference: ReferenceLedger) -> dict[AccountRef, list[tuple[int, int, int, int]]]:
    return {ref: account.entries for ref, account in reference.accounts.items() if account.entries}
