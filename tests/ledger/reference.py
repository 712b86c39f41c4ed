"""The ledger in plain Python: what the SQL functions and services must do, said a second time and compared with them."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date

from apps.ledger.contracts import AccountRef, Draft, Layer, Leg, TransactionKind

REVERSIBLE = {TransactionKind.POSTING}


class Refused(Exception):
    """Holds the name of every refusal that fits; the ledger gives one of them."""

    def __init__(self, *names: str) -> None:
        super().__init__(*names)
        self.names = set(names)


@dataclass
class ReferenceAccount:
    debits: int = 0
    credits: int = 0
    held_debits: int = 0
    held_credits: int = 0
    floor: int | None = None
    ceiling: int | None = None
    is_frozen: bool = False
    entries: list[tuple[int, int, int, int, int]] = field(default_factory=list)

    @property
    def net(self) -> int:
        return self.debits - self.credits

    def refusals(self, legs: list[Leg]) -> set[str]:
        """Return why these legs may not be booked on it."""
        posted = sum(leg.direction * leg.money.minor for leg in legs if leg.layer == Layer.POSTED)
        held = [
            sum(leg.money.minor for leg in legs if leg.layer == Layer.PENDING and leg.direction == side)
            for side in (1, -1)
        ]
        up, down = posted + held[0], posted - held[1]
        found = set()
        if self.is_frozen and any(leg.money.minor > 0 for leg in legs):
            found.add("AccountFrozen")
        highest = self.net + posted + self.held_debits + held[0]
        lowest = self.net + posted - self.held_credits - held[1]
        if up > 0 and self.ceiling is not None and highest > self.ceiling:
            found.add("LimitExceeded")
        if down < 0 and self.floor is not None and lowest < self.floor:
            found.add("LimitExceeded")
        return found

    def move(self, leg: Leg) -> None:
        """Book one leg: totals, then the entry with its version and the net after it."""
        minor = leg.money.minor
        if leg.layer == Layer.POSTED and leg.direction > 0:
            self.debits += minor
        elif leg.layer == Layer.POSTED:
            self.credits += minor
        elif leg.direction > 0:
            self.held_debits += minor
        else:
            self.held_credits += minor
        self.entries.append((len(self.entries) + 1, leg.layer, leg.direction, minor, self.net))


@dataclass
class ReferenceHold:
    draft: Draft
    remaining: int
    is_released: bool = False


@dataclass
class ReferenceLedger:
    """Accounts, keys and holds in dictionaries. Each method returns whether it was a replay, or raises Refused."""

    today: date
    closed_through: date | None = None
    accounts: dict[AccountRef, ReferenceAccount] = field(default_factory=dict)
    booked: dict[str, Draft] = field(default_factory=dict)
    holds: dict[str, ReferenceHold] = field(default_factory=dict)

    def account(self, ref: AccountRef) -> ReferenceAccount:
        return self.accounts.setdefault(ref, ReferenceAccount())

    def post(self, draft: Draft) -> bool:
        self._check(draft)
        if draft.key in self.booked:
            if self.booked[draft.key] != draft:
                raise Refused("KeyReused")
            return True
        if self.closed_through and (draft.effective_date or self.today) <= self.closed_through:
            raise Refused("PeriodClosed")
        touched: dict[AccountRef, list[Leg]] = {}
        for leg in draft.legs:
            touched.setdefault(leg.account, []).append(leg)
        refusals = {name for ref, legs in touched.items() for name in self.account(ref).refusals(legs)}
        if refusals:
            raise Refused(*refusals)
        self.booked[draft.key] = draft
        for leg in draft.legs:
            self.account(leg.account).move(leg)
        return False

    def post_batch(self, drafts: list[Draft]) -> list[bool]:
        """All or nothing. The ledger looks at all keys before any date or limit, so any of the refusals may come first."""
        for draft in drafts:
            self._check(draft)
        before, replays, refusals = deepcopy(self), [], set()
        for draft in drafts:
            try:
                replays.append(self.post(draft))
            except Refused as refused:
                refusals |= refused.names
                self.booked.setdefault(draft.key, draft)
        if refusals:
            self.__dict__.update(before.__dict__)
            raise Refused(*refusals)
        return replays

    def place(self, draft: Draft) -> bool:
        is_replay = self.post(draft)
        if not is_replay:
            self.holds[draft.key] = ReferenceHold(draft, draft.legs[0].money.minor)
        return is_replay

    def capture(self, key: str, draft: Draft, minor: int) -> bool:
        hold = self.holds[key]
        if minor <= 0:
            raise Refused("CaptureInvalid")
        if self._belongs(draft.key, key):
            return self.post(draft)
        if not hold.remaining:
            raise Refused("HoldEnded")
        if minor > hold.remaining:
            raise Refused("HoldExceeded")
        is_replay = self.post(draft)
        hold.remaining -= minor
        return is_replay

    def release(self, key: str) -> bool:
        hold = self.holds[key]
        if not hold.remaining:
            if hold.is_released:
                return True
            raise Refused("HoldEnded")
        for leg in hold.draft.legs:
            account = self.account(leg.account)
            account.move(Leg(leg.account, *self._rest(leg, hold.remaining), layer=Layer.PENDING))
        hold.remaining, hold.is_released = 0, True
        return False

    def reverse(self, original: Draft, draft: Draft) -> bool:
        if original.kind not in REVERSIBLE or (original.effective_date or self.today) > self.today:
            raise Refused("NotReversible")
        return self.post(draft)

    def _belongs(self, key: str, hold: str) -> bool:
        known = self.booked.get(key)
        return (
            known is not None
            and known.kind == TransactionKind.CAPTURE
            and known.source_id == self.holds[hold].draft.source_id
        )

    def _rest(self, leg: Leg, minor: int) -> tuple:
        money = type(leg.money)(-minor, leg.money.currency)
        return (money, None) if leg.debit is not None else (None, money)

    def _check(self, draft: Draft) -> None:
        sides: dict[tuple[AccountRef, Layer], set[int]] = {}
        sums: dict[tuple[str, Layer], int] = {}
        for leg in draft.legs:
            minor = leg.money.minor
            if minor == 0 or (minor < 0 and leg.layer == Layer.POSTED):
                raise Refused("DraftInvalid")
            if leg.money.currency != leg.account.currency:
                raise Refused("DraftInvalid")
            sides.setdefault((leg.account, leg.layer), set()).add(leg.direction)
            side = leg.money.currency, leg.layer
            sums[side] = sums.get(side, 0) + leg.direction * minor
        refusals = {"Unbalanced"} if any(sums.values()) else set()
        if any(len(directions) > 1 for directions in sides.values()):
            refusals.add("DraftInvalid")
        if refusals:
            raise Refused(*refusals)
