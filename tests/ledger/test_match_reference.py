"""Match the reference: random histories give the same rows and the same refusals as the ledger in plain Python."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apps.access.models import Branch
from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.errors import DomainError
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole, Booked, Draft, Layer, Leg, TransactionKind
from apps.ledger.models import Account, Entry, Hold
from apps.ledger.services import accounts, holds, journals, reversals, verification
from tests.factories import ledger
from tests.factories.ledger import NOW
from tests.ledger.reference import ReferenceLedger, Refused

TODAY = date(2026, 11, 24)
FIRST_DAY = TODAY - timedelta(days=6)
CURRENCIES = ["KES", "USD", "ETH"]
ROLES = [AccountRole.PROVIDER_BALANCE, AccountRole.CUSTOMER_CREDIT, AccountRole.SUSPENSE]
KEYS = st.integers(0, 40).map("history:{}".format)
PLACES = st.tuples(st.sampled_from(ROLES), st.sampled_from(CURRENCIES))
SUMS = st.one_of(st.integers(0, 20), st.integers(2**62, 2**66))
DAYS = st.one_of(st.just(0), st.integers(0, 6))
TURN = st.integers(0, 50)


def pair(draw) -> list:
    currency = draw(st.sampled_from(CURRENCIES))
    return [(role, currency) for role in draw(st.permutations(ROLES))[:2]]


PAIRS = st.composite(pair)()
transfers = st.tuples(
    st.just("post"),
    KEYS,
    st.one_of(PAIRS, PAIRS, st.lists(PLACES, min_size=2, max_size=2)),
    st.lists(SUMS, min_size=1, max_size=1),
    DAYS,
)
splits = st.tuples(
    st.just("post"),
    KEYS,
    st.lists(PLACES, min_size=3, max_size=4),
    st.lists(SUMS, min_size=2, max_size=3),
    DAYS,
)
batches = st.tuples(st.just("batch"), st.lists(transfers, min_size=1, max_size=4))
places = st.tuples(st.just("hold"), KEYS, PAIRS, st.integers(1, 20))
captures = st.tuples(st.just("capture"), TURN, KEYS, st.integers(0, 12))
releases = st.tuples(st.just("release"), TURN)
reverses = st.tuples(st.just("reverse"), TURN)
closes = st.tuples(st.just("close"))
limits = st.tuples(st.just("limit"), PLACES, st.none() | st.integers(-50, 0), st.none() | st.integers(1, 50))
freezes = st.tuples(st.just("freeze"), PLACES, st.booleans())
histories = st.lists(
    st.one_of(
        transfers,
        transfers,
        splits,
        batches,
        places,
        captures,
        captures,
        releases,
        reverses,
        closes,
        limits,
        freezes,
    ),
    min_size=10,
    max_size=40,
)
SEEN: Counter[str] = Counter()
WANTED = {
    "replay", "KeyReused", "PeriodClosed", "LimitExceeded", "AccountFrozen", "Unbalanced", "DraftInvalid",
    "HoldExceeded", "HoldEnded", "NotReversible", "partial capture", "capture", "release", "reversal", "back-dated",
    "close", "batch", *CURRENCIES,
}  # fmt: skip


@dataclass
class Both:
    """The ledger and its reference, and what a later step may refer to."""

    branch: Branch
    reference: ReferenceLedger = field(default_factory=lambda: ReferenceLedger(TODAY))
    posted: list[tuple[Draft, Booked]] = field(default_factory=list)
    held: list[tuple[str, Booked]] = field(default_factory=list)
    periods: list[UUID] = field(default_factory=list)


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)
@given(history=histories)
def compare(acme, history):
    with transaction.atomic():
        both = Both(ledger.branch())
        accounts.ensure(ref=ref(both.branch, (ROLES[0], "KES")), now=NOW)
        both.reference.account(ref(both.branch, (ROLES[0], "KES")))
        for step in history:
            take(both, step)
        assert rows(both.branch) == {
            ref: account.entries for ref, account in both.reference.accounts.items() if account.entries
        }
        assert held(both) == {key: hold.remaining for key, hold in both.reference.holds.items()}
        assert verification.verify().findings == ()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)


def test_random_histories_agree(acme):
    SEEN.clear()

    compare(acme)

    assert {name: SEEN[name] for name in WANTED if SEEN[name] < 5} == {}


def take(both: Both, step: tuple) -> None:
    """Do one step with both; they must agree on what was a replay, or on the refusal."""
    try:
        wanted = globals()[f"expect_{step[0]}"](both, *step[1:])
    except Refused as refused:
        wanted = refused.names
    try:
        got = globals()[f"do_{step[0]}"](both, *step[1:])
    except DomainError as refusal:
        got = type(refusal).__name__
        assert isinstance(wanted, set), (step, got)
        assert got in wanted, step
        SEEN[got] += 1
        return
    assert got == wanted, step
    note(step, got)


def note(step: tuple, got: object) -> None:
    replays = got if isinstance(got, list) else [got]
    SEEN["replay"] += sum(1 for is_replay in replays if is_replay is True)
    names = {
        "capture": "capture",
        "release": "release",
        "reverse": "reversal",
        "close": "close",
        "batch": "batch",
    }
    if step[0] in names and False in [*replays, got]:
        SEEN[names[step[0]]] += 1
    if step[0] == "post" and got is False:
        SEEN[step[2][0][1]] += 1
        SEEN["back-dated"] += step[4] > 0


def expect_post(both: Both, *facts) -> bool:
    return both.reference.post(draft(both, *facts))


def do_post(both: Both, *facts) -> bool:
    wanted = draft(both, *facts)
    booked = ledger.post(wanted)
    both.posted.append((wanted, booked))
    return booked.is_replay


def expect_batch(both: Both, steps) -> list[bool]:
    return both.reference.post_batch([draft(both, *step[1:]) for step in steps])


def do_batch(both: Both, steps) -> list[bool]:
    drafts = [draft(both, *step[1:]) for step in steps]
    booked = journals.post_batch(drafts=drafts, actor=SYSTEM, now=NOW)
    both.posted += zip(drafts, booked, strict=True)
    return [found.is_replay for found in booked]


def expect_hold(both: Both, key, sides, minor) -> bool:
    return both.reference.place(hold_draft(both, key, sides, minor))


def do_hold(both: Both, key, sides, minor) -> bool:
    payer, payee = (ref(both.branch, side) for side in sides)
    promise = holds.Promise(
        key=key, description="Hold", source_type="test", source_id=source(key), payer=payer, payee=payee,
        money=Money(minor, payer.currency),
    )  # fmt: skip
    booked = holds.place(promise=promise, actor=SYSTEM, now=NOW)
    if not booked.is_replay:
        both.held.append((key, booked))
        both.posted.append((hold_draft(both, key, sides, minor), booked))
    return booked.is_replay


def expect_capture(both: Both, turn, key, minor) -> bool | None:
    if not both.held:
        return None
    hold_key, booked = both.held[turn % len(both.held)]
    original = both.reference.holds[hold_key].draft
    return both.reference.capture(hold_key, capture_draft(original, booked, key, minor), minor)


def do_capture(both: Both, turn, key, minor) -> bool | None:
    if not both.held:
        return None
    hold_key, booked = both.held[turn % len(both.held)]
    currency = both.reference.holds[hold_key].draft.legs[0].money.currency
    captured = holds.capture(hold_id=booked.id, money=Money(minor, currency), key=key, actor=SYSTEM, now=NOW)
    SEEN["partial capture"] += not captured.is_replay and both.reference.holds[hold_key].remaining > 0
    return captured.is_replay


def expect_release(both: Both, turn) -> bool | None:
    return both.reference.release(both.held[turn % len(both.held)][0]) if both.held else None


def do_release(both: Both, turn) -> bool | None:
    if not both.held:
        return None
    booked = both.held[turn % len(both.held)][1]
    return holds.release(hold_id=booked.id, reason="test", actor=SYSTEM, now=NOW).is_replay


def expect_reverse(both: Both, turn) -> bool | None:
    if not both.posted:
        return None
    original, booked = both.posted[turn % len(both.posted)]
    legs = tuple(Leg(leg.account, debit=leg.credit, credit=leg.debit) for leg in original.legs)
    turned = ledger.draft(
        key=f"ledger:reversal:{booked.id}", legs=legs, source_id=booked.id, kind=TransactionKind.REVERSAL
    )
    return both.reference.reverse(original, turned)


def do_reverse(both: Both, turn) -> bool | None:
    if not both.posted:
        return None
    booked = both.posted[turn % len(both.posted)][1]
    return reversals.reverse(transaction_id=booked.id, reason="test", actor=SYSTEM, now=NOW).is_replay


def expect_close(both: Both) -> bool | None:
    day = FIRST_DAY + timedelta(days=len(both.periods))
    if day >= TODAY:
        return None
    both.reference.closed_through = day
    return False


def do_close(both: Both) -> bool | None:
    """Close the next day, below the checklist of the service."""
    day = FIRST_DAY + timedelta(days=len(both.periods))
    if day >= TODAY:
        return None
    both.periods.append(ids.new())
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_open_period(%s, %s, %s, false)", [both.periods[-1], day, day])
        cursor.execute("SELECT ledger_close_period(%s, 'test', %s)", [both.periods[-1], NOW])
    return False


def expect_limit(both: Both, place, floor, ceiling) -> None:
    account = both.reference.account(ref(both.branch, place))
    account.floor, account.ceiling = floor, ceiling


def do_limit(both: Both, place, floor, ceiling) -> None:
    bounds = [None if bound is None else Money(bound, place[1]) for bound in (floor, ceiling)]
    accounts.set_limits(
        ref=ref(both.branch, place), net_floor=bounds[0], net_ceiling=bounds[1], actor=SYSTEM, now=NOW
    )


def expect_freeze(both: Both, place, is_frozen) -> None:
    both.reference.account(ref(both.branch, place)).is_frozen = is_frozen


def do_freeze(both: Both, place, is_frozen) -> None:
    accounts.ensure(ref=ref(both.branch, place), now=NOW)
    change = accounts.freeze if is_frozen else accounts.unfreeze
    change(ref=ref(both.branch, place), reason="test", actor=SYSTEM, now=NOW)


def ref(branch: Branch, place: tuple[AccountRole, str]) -> AccountRef:
    return ledger.ref(place[0], branch.id, place[1])


def source(key: str) -> UUID:
    return UUID(int=1 + int(key.rpartition(":")[2]))


def draft(both: Both, key: str, sides: list, sums: list[int], days: int) -> Draft:
    """Debit the first places and credit the last one with the whole, which need not be in one currency."""
    *debited, credited = (ref(both.branch, side) for side in sides)
    parts = [sums[index % len(sums)] for index in range(len(debited))]
    legs = [
        Leg(account, debit=Money(part, account.currency))
        for account, part in zip(debited, parts, strict=True)
    ]
    legs.append(Leg(credited, credit=Money(sum(parts), credited.currency)))
    return ledger.draft(
        key=key, legs=tuple(legs), source_id=source(key), effective_date=TODAY - timedelta(days=days)
    )


def pending(account: AccountRef, other: AccountRef, minor: int, layer: Layer) -> tuple[Leg, Leg]:
    money = Money(minor, account.currency)
    return Leg(account, debit=money, layer=layer), Leg(other, credit=money, layer=layer)


def hold_draft(both: Both, key: str, sides: list, minor: int) -> Draft:
    payer, payee = (ref(both.branch, side) for side in sides)
    return ledger.draft(
        key=key,
        description="Hold",
        source_id=source(key),
        kind=TransactionKind.HOLD,
        legs=pending(payer, payee, minor, Layer.PENDING),
    )


def capture_draft(original: Draft, booked: Booked, key: str, minor: int) -> Draft:
    payer, payee = (leg.account for leg in original.legs)
    legs = (*pending(payer, payee, -minor, Layer.PENDING), *pending(payer, payee, minor, Layer.POSTED))
    return ledger.draft(
        key=key,
        description="Hold",
        source_id=original.source_id,
        kind=TransactionKind.CAPTURE,
        hold=booked.number,
        legs=legs,
    )


def rows(branch: Branch) -> dict[AccountRef, list[tuple[int, int, int, int, int]]]:
    return {
        account.ref: list(
            Entry.objects.filter(account=account)
            .order_by("version")
            .values_list("version", "layer", "direction", "amount", "net_after")
        )
        for account in Account.objects.filter(branch=branch)
        if account.entries.exists()
    }


def held(both: Both) -> dict[str, int]:
    return {key: Hold.objects.get(transaction_id=booked.number).remaining.minor for key, booked in both.held}
