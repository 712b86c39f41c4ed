"""Whether the books of the demo organisation foot: what the ledger says each account holds is the simulator's statement."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from apps.integrations.selectors import accounts
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.selectors import balances
from apps.ledger.services import verification
from apps.payments.selectors import disputes, intents, refunds
from treasury.demo import control
from treasury.demo.organisation import CARD_ACCOUNTS, PAYBILLS, House

CURRENCY = "KES"


@dataclass(frozen=True, slots=True)
class Footing:
    """
    One paybill or account for cards: what its statement ends with, what the ledger says, and how much of the statement nobody has told us yet.

    Money that was paid or given back, and whose callback is lost or still on its way, is on the statement and in no book.
    """

    short_code: str
    statement: Money
    ledger: Money
    untold: Money

    @property
    def is_right(self) -> bool:
        return self.statement - self.untold == self.ledger


@dataclass(frozen=True, slots=True)
class Books:
    """The verdict on all accounts and on the ledger itself; ``findings`` are those of ledger_verify."""

    footings: tuple[Footing, ...]
    payments: int
    findings: tuple[str, ...]

    @property
    def do_foot(self) -> bool:
        return not self.findings and all(footing.is_right for footing in self.footings)

    @property
    def held(self) -> Money:
        return sum((footing.ledger for footing in self.footings), Money.zero(CURRENCY))

    @property
    def untold(self) -> Money:
        return sum((footing.untold for footing in self.footings), Money.zero(CURRENCY))

    def __str__(self) -> str:
        if self.do_foot:
            note = "" if self.untold.is_zero else f"; {self.untold} were paid and not told yet"
            return f"the books foot: {self.held} in {self.payments} payments{note}"
        wrong = [
            f"account {footing.short_code}: the statement says {footing.statement - footing.untold}, "
            f"the ledger {footing.ledger}"
            for footing in self.footings
            if not footing.is_right
        ]
        return f"the books do not foot: {'; '.join([*wrong, *self.findings])}"


def check(house: House) -> Books:
    """Compare ledger and statements of the organisation that was entered, and let the ledger verify itself."""
    held = {
        accounts.get(line.owner_id).short_code: line.balance
        for line in balances.by_role(AccountRole.PROVIDER_BALANCE)
        if line.owner_id is not None
    }
    everything = intents.visible_to(house.owner)
    waiting = everything.filter(settled_at=None, current_attempt__isnull=False)
    untold = set(waiting.values_list("current_attempt__code", flat=True))
    on_the_way = set(refunds.visible_to(house.owner).live().values_list("payment_receipt", flat=True))
    disputed = set(disputes.visible_to(house.owner).values_list("ticket", flat=True))
    footings = []
    for short_code in (*PAYBILLS.values(), *CARD_ACCOUNTS.values()):
        statement = control.statement(short_code)
        footings.append(
            Footing(
                short_code,
                statement=Money.parse(statement["closing_balance"], CURRENCY),
                ledger=held.get(short_code, Money.zero(CURRENCY)),
                untold=_net(
                    row for row in statement["rows"] if _is_untold(row, untold, on_the_way, disputed)
                ),
            )
        )
    verdict = verification.verify()
    findings = tuple(f"{finding.row} {finding.problem}" for finding in verdict.findings)
    paid = everything.filter(settled_at__isnull=False).count()
    return Books(tuple(footings), paid, findings)


def _is_untold(row: dict[str, Any], asked: set[str], given_back: set[str], disputed: set[str]) -> bool:
    """Say whether a row is of a request that has no ending yet, of a refund under way, or of a dispute that we have not heard of."""
    code = row.get("account_reference") or row.get("metadata", {}).get("code")
    is_new_dispute = row["receipt"].startswith("du_") and row["receipt"] not in disputed
    return code in asked or row["linked_receipt"] in given_back or is_new_dispute


def _net(rows: Iterable[dict[str, Any]]) -> Money:
    moved = [
        Money.parse(row["paid_in"] or "0", CURRENCY) - Money.parse(row["withdrawn"] or "0", CURRENCY)
        for row in rows
    ]
    return sum(moved, Money.zero(CURRENCY))
