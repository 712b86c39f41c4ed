"""Balance transactions as a statement port: everything that moved the balance, and what to ask after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

from apps.integrations.ports import (
    Nudge,
    NudgeKind,
    ProviderDeclined,
    ProviderUncertain,
    StatementPage,
    StatementRow,
    StatementTerms,
    Window,
)
from apps.integrations.stripe import answers, codes
from apps.integrations.stripe.client import StripeLine

PAGE = 100
LONGEST_KIND = 60
COLLECTIONS = frozenset({"charge", "payment"})
KINDS = {
    "charge": NudgeKind.COLLECTION,
    "refund": NudgeKind.REFUND,
    "dispute": NudgeKind.DISPUTE,
    "transfer": NudgeKind.PARTNER,
    "transfer_reversal": NudgeKind.PARTNER,
}
"""By what a movement comes from: its own type tells adjustments of disputes from no other."""


@dataclass(frozen=True, slots=True)
class Statements:
    """The movements of one account's balance, the newest first."""

    terms: ClassVar[StatementTerms] = StatementTerms(
        keeps=timedelta(days=3 * 365), span=timedelta(days=31), overlap=timedelta(hours=1)
    )

    line: StripeLine

    def register(self, *, number: str, callback_url: str) -> None:  # noqa: ARG002 (nothing has to be opened)
        raise ProviderDeclined("not_offered", "Stripe lists the movements of every account.")

    def fetch(self, window: Window, *, page: str = "") -> StatementPage:
        params: dict[str, Any] = {
            "created": {"gte": int(window.start.timestamp()), "lte": int(window.end.timestamp())},
            "expand": ["data.source"],
            "limit": PAGE,
        }
        if page:
            params["starting_after"] = page
        told = self.line.call("statement", partial(_list, params=params))
        entries = told.get("data")
        if not isinstance(entries, list):
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer is no list of movements")
        rows = [row for row in map(_row, entries) if row is not None]
        last = answers.handle(entries[-1]) if entries else ""
        if told.get("has_more") and not last:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the list does not tell where it goes on")
        return StatementPage(
            tuple(rows),
            next_page=last if told.get("has_more") else "",
            unreadable=len(entries) - len(rows),
        )


def _list(v1: Any, *, params: Mapping[str, Any]) -> Any:
    return v1.balance_transactions.list(params)


def _row(entry: object) -> StatementRow | None:
    """Read a movement; None for one without a name or a sum."""
    if not isinstance(entry, Mapping) or not answers.text(entry.get("id")):
        return None
    number, type_ = answers.text(entry.get("id")), answers.text(entry.get("type"))[:LONGEST_KIND]
    source = answers.part(entry, "source")
    try:
        moved = answers.money(entry.get("amount"), entry.get("currency"))
        fee = answers.money(entry.get("fee") or 0, entry.get("currency"))
        kind = KINDS.get(answers.text(source.get("object")), NudgeKind.NONE)
        is_paid = kind is NudgeKind.COLLECTION and type_ in COLLECTIONS
        money = _paid(source) if is_paid else moved
    except ProviderUncertain:
        return None
    if kind is NudgeKind.COLLECTION and not is_paid:
        kind = NudgeKind.NONE
    at = answers.instant(entry.get("created"))
    return StatementRow(
        receipt=_receipt(kind, number, source),
        money=money,
        reference=answers.text(answers.part(source, "metadata").get("code")),
        payer="",
        told_at=at.isoformat() if at else "",
        kind=type_,
        nudge=Nudge(
            number,
            kind,
            ticket=_ticket(kind, source),
            code=answers.text(answers.part(source, "metadata").get("code")),
            type=type_,
        ),
        fee=fee,
        at=at,
        is_in=moved.minor > 0 and money.currency == moved.currency,
    )


def _paid(charge: Mapping[str, Any]) -> Any:
    """Return what the payer paid: of a charge that was held back, what was taken."""
    taken = charge.get("amount_captured") or charge.get("amount")
    return answers.money(taken, charge.get("currency"))


def _receipt(kind: NudgeKind, number: str, source: Mapping[str, Any]) -> str:
    if kind is NudgeKind.COLLECTION:
        return answers.text(source.get("id"))
    return answers.handle(source.get("charge")) or number


def _ticket(kind: NudgeKind, source: Mapping[str, Any]) -> str:
    """Return the handle to ask after; a charge is asked after by its payment."""
    if kind is NudgeKind.COLLECTION:
        return answers.handle(source.get("payment_intent"))
    return "" if kind is NudgeKind.NONE else answers.text(source.get("id"))
