"""What finance does at the ledger: promises money, exchanges it, books late, closes a period, and asks twice."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from django.db import DatabaseError

from apps.kit import ids, jobs
from apps.kit.actors import SYSTEM
from apps.kit.errors import DomainError
from apps.kit.money import Money
from apps.ledger.contracts import (
    SIGN_OFFS,
    AccountRef,
    AccountRole,
    Booked,
    Draft,
    HoldState,
    LateItems,
    PeriodState,
    credit,
    debit,
)
from apps.ledger.models import Period
from apps.ledger.selectors import periods as stored
from apps.ledger.selectors import positions
from apps.ledger.services import accounts, exchanges, holds, journals, periods, rates, reversals
from tests.factories import access
from tests.simulation.books import Books, Moved, Promised, moves
from tests.simulation.world import Broken, World

DEPOSIT = 5_000_00
OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
LASTS = (None, 8, 40, 200, 2_000)
REASON = "Asked for by the customer"
EXPIRE = "ledger.expire_holds_organisation"
SEAL = "ledger.seal_organisation"
BLOCKED = "blocked"


def opened(world: World) -> Books:
    """Return the books of finance, opened with the deposit of a customer who may not overdraw it."""
    if world.books is not None:
        return world.books
    branch = access.head_office()
    access.portal()

    def own(role: AccountRole, currency: str = "KES", owner: UUID | None = None) -> AccountRef:
        return AccountRef(role, currency, branch.id, owner)

    books = world.books = Books(
        wallet=own(AccountRole.CUSTOMER_DEPOSIT, owner=ids.new()),
        transit=own(AccountRole.PAYOUTS_IN_TRANSIT),
        shillings=own(AccountRole.BANK_BALANCE),
        dollars=own(AccountRole.BANK_BALANCE, "USD"),
        position=positions.account("USD", branch_id=branch.id),
        roundings={currency: own(AccountRole.ROUNDING, currency) for currency in ("KES", "USD")},
        purchases=own(AccountRole.PURCHASES),
        earnings=own(AccountRole.RETAINED_EARNINGS),
    )
    _post(world, books, debit(books.shillings, _kes(DEPOSIT)), credit(books.wallet, _kes(DEPOSIT)))
    accounts.set_limits(ref=books.wallet, net_floor=None, net_ceiling=_kes(0), actor=SYSTEM, now=world.now)
    return books


def place(world: World) -> str:
    """Hold a part of a customer's deposit: refused where that is not free any more."""
    books = opened(world)
    lasts = world.rng.choice(LASTS)
    promise = holds.Promise(
        key=_key(world),
        description="Payout",
        source_type="payout",
        source_id=ids.new(),
        payer=books.wallet,
        payee=books.transit,
        money=_kes(world.rng.randrange(1, DEPOSIT // 2)),
        expires_at=world.now + timedelta(seconds=lasts) if lasts else None,
    )
    expected = journals.LimitExceeded if promise.money.minor > books.free else None

    def deed() -> Booked:
        return holds.place(promise=promise, actor=SYSTEM, now=world.now)

    booked = _done(world, deed, expected)
    if booked:
        _keep(books, booked, deed, promise.key)
        books.promised.append(Promised(booked.id, booked.number, promise.money.minor, promise.expires_at))
    return f"{promise.money} until {promise.expires_at}: {_told(booked, expected)}"


def capture(world: World) -> str | None:
    """Take a part of a hold, all of it, or more than there is."""
    books = world.books
    if books is None or not books.promised:
        return None
    hold = _any_hold(world, books)
    minor = world.rng.choice((hold.remaining, hold.remaining + 1, max(1, hold.remaining // 2)))
    return _capture(world, books, hold, max(1, minor))


def capture_aside(world: World) -> str:
    """Take half of what the last open hold has, as another process that may have to wait for the first."""
    books = opened(world)
    hold = next((one for one in reversed(books.promised) if one.is_open), None)
    return _capture(world, books, hold, max(1, hold.remaining // 2)) if hold else "nothing is held"


def _capture(world: World, books: Books, hold: Promised, minor: int) -> str:
    key = _key(world)
    expected: type[DomainError] | None = None
    if not hold.is_open:
        expected = holds.HoldEnded
    elif hold.is_over(world.now):
        expected = holds.HoldExpired
    elif minor > hold.remaining:
        expected = holds.HoldExceeded

    def deed() -> Booked:
        return holds.capture(hold_id=hold.id, money=_kes(minor), key=key, actor=SYSTEM, now=world.now)

    try:
        booked = _done(world, deed, expected)
    except journals.LedgerBusy:
        return BLOCKED
    if booked:
        _keep(books, booked, deed, key)
        hold.capture(minor)
        books.move(*moves(Counter({books.wallet: minor, books.transit: -minor}), booked.effective_date))
    return f"{minor} of hold {hold.number}: {_told(booked, expected)}"


def release(world: World) -> str | None:
    """Give back what a hold still has."""
    books = world.books
    if books is None or not books.promised:
        return None
    hold = _any_hold(world, books)
    is_ended = hold.state in (HoldState.CAPTURED, HoldState.EXPIRED)
    expected = holds.HoldEnded if is_ended else None

    def deed() -> Booked:
        return holds.release(hold_id=hold.id, reason=REASON, actor=SYSTEM, now=world.now)

    booked = _done(world, deed, expected)
    if booked and hold.is_open:
        _keep(books, booked, deed, f"ledger:hold:{hold.id}:end")
        hold.state = HoldState.RELEASED
    return f"hold {hold.number}: {_told(booked, expected)}"


def expire(world: World) -> str | None:
    """Give back what is held past its time, as beat has it done every minute."""
    books = world.books
    if books is None:
        return None
    outcome = world.run_job(jobs.Job(EXPIRE, {}))
    due = [hold for hold in books.promised if hold.is_over(world.now)]
    for hold in due:
        hold.state = HoldState.EXPIRED
        books.keys.add(f"ledger:hold:{hold.id}:end")
    return f"{len(due)} holds: {outcome}"


def exchange(world: World) -> str:
    """Exchange shillings for dollars or back, at the rate of the moment."""
    books = opened(world)
    _rate(world, books)
    is_buying = world.chance(0.5)
    give = Money(world.rng.randrange(100_00, 3_000_00), "KES" if is_buying else "USD")
    order = exchanges.Order(
        key=_key(world),
        give=give,
        source=books.shillings if is_buying else books.dollars,
        target=books.dollars if is_buying else books.shillings,
    )
    worth = give.minor / books.rate if is_buying else give.minor * books.rate
    nearest, arrives = round(worth), int(worth)

    def deed() -> Booked:
        return exchanges.exchange(order=order, actor=SYSTEM, now=world.now)

    booked = _done(world, deed, None)
    if booked:
        _keep(books, booked, deed, f"ledger:exchange:{order.key}")
        counts = Counter({order.source: -give.minor, order.target: arrives})
        counts[books.position] = -nearest if is_buying else give.minor
        counts[books.roundings[order.target.currency]] = nearest - arrives
        books.exchanged[booked.id] = moves(counts, booked.effective_date)
        books.move(*books.exchanged[booked.id])
    return f"{give} at {books.rate}: {_told(booked, None)}"


def reverse_exchange(world: World) -> str | None:
    """Take an exchange back."""
    books = world.books
    if books is None or not books.exchanged:
        return None
    uid = world.rng.choice(sorted(books.exchanged))

    def deed() -> Booked:
        return reversals.reverse(transaction_id=uid, reason=REASON, actor=SYSTEM, now=world.now)

    booked = _done(world, deed, None)
    if booked:
        _keep(books, booked, deed, f"ledger:reversal:{uid}")
        books.move(
            *(Moved(one.account, booked.effective_date, -one.minor) for one in books.exchanged.pop(uid))
        )
    return f"exchange {uid}: {_told(booked, None)}"


def book_late(world: World) -> str:
    """Book a bill of October: while that is open on its day, then refused, or dated to the first open day."""
    books = opened(world)
    first, last = OCTOBER
    on = first + timedelta(days=world.rng.randrange(31))
    is_late = books.closed_through is not None and on <= books.closed_through
    is_refused = is_late and books.late_items == LateItems.REJECT
    bill = _kes(world.rng.randrange(1, 900_00))
    booked = _post(
        world,
        books,
        debit(books.purchases, bill),
        credit(books.shillings, bill),
        effective_date=on,
        expected=journals.PeriodClosed if is_refused else None,
    )
    if booked and booked.effective_date != (last + timedelta(days=1) if is_late else on):
        raise Broken(
            f"a bill of {on} was dated {booked.effective_date}, closed through {books.closed_through}"
        )
    if booked and is_late:
        world.hit("late:moved")
    return f"{bill} of {on}: {booked.effective_date if booked else 'refused'}"


def close(world: World) -> str:
    """Close October, in some worlds as the end of a year, unless what was booked in it is too young to be sealed."""
    books = opened(world)
    if not stored.stored().exists():
        _open_periods(world)
    world.run_job(jobs.Job(SEAL, {}))
    for period in stored.stored().filter(end_date__lte=OCTOBER[1]).exclude(state=PeriodState.CLOSED.value):
        for kind in SIGN_OFFS:
            periods.sign_off(kind=kind, period_id=period.uid, is_signed=True, actor=SYSTEM, now=world.now)
        try:
            periods.close(period_id=period.uid, actor=SYSTEM, now=world.now)
        except periods.CloseRefused as refusal:
            if [error.pointer for error in refusal.errors] != ["/sealed"]:
                raise Broken(f"{period} was not closed: {refusal}") from refusal
            return f"{period} waits for a seal"
        _close(books, period)
        world.hit(f"close:{'year' if period.is_year_end else 'month'}")
    policy = world.rng.choice(list(LateItems))
    periods.set_late_items(policy=policy, actor=SYSTEM, now=world.now)
    books.late_items = policy
    return f"closed through {books.closed_through}, {policy} from now on"


def _open_periods(world: World) -> None:
    """Open a year that begins with October or, in some worlds, ends with it, without the eleven months before."""
    if world.chance(0.4):
        periods._open((*OCTOBER, True))
        return
    periods.set_fiscal_year_start(month=OCTOBER[0].month, actor=SYSTEM, now=world.now)
    periods.generate(year=OCTOBER[0].year, actor=SYSTEM, now=world.now)


def repeat_booking(world: World) -> str | None:
    """Ask again for what was booked: nothing happens, and the answer is the first one."""
    books = world.books
    if books is None:
        return None
    first, deed = world.rng.choice(books.deeds)
    again = _done(world, deed, None)
    if again is None or (again.id, again.is_replay) != (first.id, True):
        raise Broken(f"{first.number} was asked for again, and {again} was booked")
    return str(first.number)


def _close(books: Books, period: Period) -> None:
    books.closed_through = on = period.end_date
    spent = books.net(books.purchases, on) if period.is_year_end else 0
    if spent:
        books.move(*moves(Counter({books.purchases: -spent, books.earnings: spent}), on))
        books.keys.add(f"ledger:closing:{period.uid}:{period.revision}:KES:{books.purchases.branch_id}")


def _post(
    world: World,
    books: Books,
    *legs: journals.Leg,
    effective_date: date | None = None,
    expected: type[DomainError] | None = None,
) -> Booked | None:
    draft = Draft(
        key=_key(world),
        description="Bill",
        source_type="bill",
        source_id=ids.new(),
        legs=legs,
        effective_date=effective_date,
    )

    def deed() -> Booked:
        return journals.post(draft=draft, actor=SYSTEM, now=world.now)

    booked = _done(world, deed, expected)
    if booked:
        _keep(books, booked, deed, draft.key)
        counts = Counter({leg.account: leg.direction * leg.money.minor for leg in legs})
        books.move(*moves(counts, booked.effective_date))
    return booked


def _rate(world: World, books: Books) -> None:
    if books.rated_at == world.now:
        return
    text = f"{world.rng.randrange(127_00, 131_00) / 100:.2f}"
    rates.record(
        base="USD",
        quote="KES",
        rate=Decimal(text),
        as_of=world.now,
        source="CBK",
        actor=SYSTEM,
        now=world.now,
    )
    books.rate, books.rated_at = Fraction(text), world.now


def _done(world: World, deed: Callable[[], Booked], expected: type[DomainError] | None) -> Booked | None:
    """
    Do it; None where it was refused as it had to be. Another end than the one expected is a finding.

    Only who goes aside may meet locks, and then LedgerBusy passes.
    """
    try:
        booked = deed()
    except (DomainError, DatabaseError) as refusal:
        if isinstance(refusal, journals.LedgerBusy) and world.interruptions.is_aside:
            raise
        if type(refusal) is not expected:
            raise Broken(f"{type(refusal).__name__} was not expected: {refusal}") from refusal
        world.hit(f"refused:{type(refusal).__name__}")
        return None
    if expected is not None:
        raise Broken(f"{booked} was booked, where {expected.__name__} was expected")
    return booked


def _keep(books: Books, booked: Booked, deed: Callable[[], Booked], key: str) -> None:
    books.keys.add(key)
    books.deeds.append((booked, deed))


def _any_hold(world: World, books: Books) -> Promised:
    """Draw a hold, preferring those that are still open."""
    open_ones = [hold for hold in books.promised if hold.is_open]
    return world.rng.choice(open_ones if open_ones and world.chance(0.8) else books.promised)


def _told(booked: Booked | None, expected: type[DomainError] | None) -> str:
    return str(booked.number) if booked else f"refused, {expected.__name__ if expected else 'as it must be'}"


def _key(world: World) -> str:
    return f"sim:{world.next_number()}"


def _kes(minor: int) -> Money:
    return Money(minor, "KES")
