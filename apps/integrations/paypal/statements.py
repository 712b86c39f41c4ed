"""Transaction search as a statement port: everything that moved the balance, some hours late, and what to ask after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import urlencode

from apps.integrations.paypal import answers, codes
from apps.integrations.paypal.client import PaypalLine
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

PATH = "/v1/reporting/transactions"
PAGE = 500
LONGEST_KIND = 60
SUCCEEDED = "S"
PAYMENTS = "T00"
KINDS = {
    "T0106": NudgeKind.DISPUTE,
    "T1106": NudgeKind.DISPUTE,
    "T1107": NudgeKind.REFUND,
    "T1111": NudgeKind.DISPUTE,
    "T1201": NudgeKind.DISPUTE,
    "T1202": NudgeKind.DISPUTE,
}
"""By the code of the event: refunds, and what a dispute costs, takes and gives back. Payments are a whole group of codes."""


@dataclass(frozen=True, slots=True)
class Statements:
    """The movements of one account's balance. The list is whole up to a moment that PayPal names, hours ago at times."""

    terms: ClassVar[StatementTerms] = StatementTerms(
        keeps=timedelta(days=3 * 365), span=timedelta(days=31), overlap=timedelta(hours=24)
    )

    line: PaypalLine

    def register(self, *, number: str, callback_url: str) -> None:  # noqa: ARG002 (nothing has to be opened)
        raise ProviderDeclined("not_offered", "PayPal lists movements once its app may search transactions.")

    def fetch(self, window: Window, *, page: str = "") -> StatementPage:
        asked = {
            "start_date": _moment(window.start),
            "end_date": _moment(window.end),
            "fields": "all",
            "page_size": PAGE,
            "page": page or "1",
        }
        told = self.line.get("statement", f"{PATH}?{urlencode(asked)}")
        entries = told.get("transaction_details")
        if not isinstance(entries, list):
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, "the answer is no list of movements")
        rows = [row for row in map(_row, entries) if row is not None]
        pages, number = told.get("total_pages"), int(page or 1)
        return StatementPage(
            tuple(rows),
            next_page=str(number + 1) if isinstance(pages, int) and number < pages else "",
            unreadable=len(entries) - len(rows),
            complete_until=answers.instant(told.get("last_refreshed_datetime")),
        )


def _row(entry: object) -> StatementRow | None:
    """Read a movement; None for one without a name or a sum."""
    info = answers.part(entry, "transaction_info") if isinstance(entry, Mapping) else {}
    id_, event = (answers.text(info.get(f"transaction_{name}")) for name in ("id", "event_code"))
    try:
        moved = answers.money(info.get("transaction_amount"))
    except ProviderUncertain:
        return None
    if not id_:
        return None
    fee, told_at = (
        answers.aside(info.get("fee_amount")),
        answers.text(info.get("transaction_initiation_date")),
    )
    is_in = moved.minor > 0
    kind = NudgeKind.COLLECTION if event.startswith(PAYMENTS) and is_in else KINDS.get(event, NudgeKind.NONE)
    related = answers.text(info.get("paypal_reference_id"))
    code = answers.text(info.get("custom_field")).partition("-")[0]
    side = "in" if is_in else "out"
    return StatementRow(
        receipt=id_ if kind in (NudgeKind.COLLECTION, NudgeKind.NONE) else related,
        money=moved,
        reference=code,
        payer="",
        told_at=told_at[:LONGEST_KIND],
        kind=event[:LONGEST_KIND],
        nudge=Nudge(f"{id_}:{event}:{side}", kind, ticket=_ticket(kind, info), code=code, type=event),
        fee=-fee if fee is not None else None,
        at=answers.instant(told_at),
        is_in=is_in and info.get("transaction_status") == SUCCEEDED,
    )


def _ticket(kind: NudgeKind, info: Mapping[str, object]) -> str:
    """Return the handle to ask after: of a payment its order where that is told, and of a dispute nothing is told."""
    if kind is NudgeKind.REFUND:
        return answers.text(info.get("transaction_id"))
    is_order = kind is NudgeKind.COLLECTION and info.get("paypal_reference_id_type") == "ODR"
    return answers.text(info.get("paypal_reference_id")) if is_order else ""


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
