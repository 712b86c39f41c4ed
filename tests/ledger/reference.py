"""The ledger in plain Python: what the SQL functions must do, said a second time and compared with them."""

from dataclasses import dataclass, field

from apps.ledger.contracts import AccountRef, Draft
from apps.ledger.services import journals


@dataclass
class ReferenceAccount:
    debits: int = 0
    credits: int = 0
    floor: int | None = None
    ceiling: int | None = None
    is_frozen: bool = False
    entries: list[tuple[int, int, int, int]] = field(default_factory=list)

    @property
    def net(self) -> int:
        return self.debits - self.credits


@dataclass
class ReferenceLedger:
    """Accounts and keys in dictionaries. ``post`` returns (number, is_replay) or raises the service's own error."""

    accounts: dict[AccountRef, ReferenceAccount] = field(default_factory=dict)
    booked: dict[str, tuple[Draft, int]] = field(default_factory=dict)

    def account(self, ref: AccountRef) -> ReferenceAccount:
        return self.accounts.setdefault(ref, ReferenceAccount())

    def post(self, draft: Draft) -> tuple[int, bool]:
        self._check(draft)
        if draft.key in self.booked:
            first, number = self.booked[draft.key]
            if first != draft:
                raise journals.KeyReused
            return number, True
        changes: dict[AccountRef, int] = {}
        for leg in draft.legs:
            changes[leg.account] = changes.get(leg.account, 0) + leg.direction * leg.money.minor
        for ref, change in changes.items():
            self._guard(self.account(ref), change)
        number = len(self.booked) + 1
        self.booked[draft.key] = (draft, number)
        for leg in draft.legs:
            self._move(self.account(leg.account), leg.direction, leg.money.minor)
        return number, False

    def _check(self, draft: Draft) -> None:
        debited = {leg.account for leg in draft.legs if leg.debit is not None}
        credited = {leg.account for leg in draft.legs if leg.credit is not None}
        sums: dict[str, int] = {}
        for leg in draft.legs:
            if leg.money.minor <= 0 or leg.money.currency != leg.account.currency:
                raise journals.DraftInvalid
            sums[leg.money.currency] = sums.get(leg.money.currency, 0) + leg.direction * leg.money.minor
        if any(sums.values()):
            raise journals.Unbalanced
        if debited & credited:
            raise journals.DraftInvalid

    def _guard(self, account: ReferenceAccount, change: int) -> None:
        net = account.net + change
        if account.is_frozen:
            raise journals.AccountFrozen
        if change > 0 and account.ceiling is not None and net > account.ceiling:
            raise journals.LimitExceeded
        if change < 0 and account.floor is not None and net < account.floor:
            raise journals.LimitExceeded

    def _move(self, account: ReferenceAccount, direction: int, minor: int) -> None:
        if direction > 0:
            account.debits += minor
        else:
            account.credits += minor
        account.entries.append((len(account.entries) + 1, direction, minor, account.net))
