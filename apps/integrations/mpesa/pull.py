"""Pull Transactions as a statement port: what customers paid into a short code in the last 48 hours."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from apps.integrations.mpesa import codes, values
from apps.integrations.mpesa.client import DarajaClient
from apps.integrations.ports import (
    ProviderDeclined,
    ProviderUnavailable,
    ProviderUncertain,
    StatementPage,
    StatementRow,
    StatementTerms,
    Window,
)

REGISTER_PATH = "/pulltransactions/v1/register"
FETCH_PATH = "/pulltransactions/v1/query"
GET = "GET"
DONE = "1000"
NONE_OR_KNOWN = "1001"
PAGE = 100
MOMENT = "%Y-%m-%d %H:%M:%S"
LONGEST_REFERENCE = 60
LONGEST_PAYER = 64


@dataclass(frozen=True, slots=True)
class PullTransactions:
    """
    Movements of one short code. ``method`` is how Daraja wants the question: its pages say GET with a body, its
    published clients POST.
    """

    terms: ClassVar[StatementTerms] = StatementTerms(
        keeps=timedelta(
            hours=47
        ),  # an hour less than it does: the question must be within the limit when it arrives
        span=timedelta(hours=48),
        overlap=timedelta(minutes=30),
        is_opened=True,
    )

    client: DarajaClient
    short_code: str
    method: str = "POST"

    def register(self, *, number: str, callback_url: str) -> None:
        """Open the service; a short code that has it already is none the worse."""
        body = {
            "ShortCode": self.short_code,
            "RequestType": "Pull",
            "NominatedNumber": number,
            "CallBackURL": callback_url,
        }
        answer = self.client.post("pull_register", REGISTER_PATH, body)
        status = values.text(answer.get("ResponseStatus", answer.get("ResponseCode"))).strip()
        if status not in (DONE, NONE_OR_KNOWN):
            raise ProviderDeclined(
                "configuration", values.text(answer.get("ResponseDescription")), provider_code=status
            )

    def fetch(self, window: Window, *, page: str = "") -> StatementPage:
        """
        Return a page, which Daraja counts in rows. "Failed to retrieve transactions" is said of an empty list and of an outage alike, so it is no
        page: who took it for an empty one would lose what was paid in during an outage.
        """
        offset = int(page or 0)
        body = {
            "ShortCode": self.short_code,
            "StartDate": _moment(window.start),
            "EndDate": _moment(window.end),
            "OffSetValue": str(offset),
        }
        ask = self.client.get if self.method == GET else self.client.post
        try:
            answer = ask("pull", FETCH_PATH, body)
        except ProviderUncertain as error:
            raise ProviderUnavailable(error.code, error.message, provider_code=error.provider_code) from error
        return _page(answer, offset)


def _page(answer: Mapping[str, object], offset: int) -> StatementPage:
    response_code = values.text(answer.get("ResponseCode")).strip()
    if response_code == NONE_OR_KNOWN:
        return StatementPage(())
    if response_code != DONE:
        raise ProviderUnavailable(
            codes.OUTCOME_UNKNOWN,
            values.text(answer.get("ResponseMessage")) or "no list came",
            provider_code=response_code,
        )
    entries = list(_entries(answer.get("Response")))
    rows = [row for row in map(_row, entries) if row is not None]
    is_full = len(entries) >= PAGE
    return StatementPage(
        tuple(rows),
        next_page=str(offset + len(entries)) if is_full else "",
        unreadable=len(entries) - len(rows),
    )


def _entries(value: object) -> Iterator[Mapping[str, object]]:
    """Yield the objects of a list, however deep it lies in other lists."""
    if isinstance(value, Mapping):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _entries(item)


def _row(entry: Mapping[str, object]) -> StatementRow | None:
    """Read a row; None for one without a receipt or a positive sum."""
    receipt = values.receipt(entry.get("transactionId"))
    try:
        money = values.money(entry.get("amount"))
    except values.MalformedCallback:
        return None
    if not receipt:
        return None
    return StatementRow(
        receipt=receipt,
        money=money,
        reference=values.text(entry.get("billreference")).strip()[:LONGEST_REFERENCE],
        payer=values.text(entry.get("msisdn")).strip()[:LONGEST_PAYER],
        told_at=values.text(entry.get("trxDate")).strip()[:LONGEST_REFERENCE],
        kind=values.text(entry.get("transactiontype")).strip()[:LONGEST_REFERENCE],
    )


def _moment(at: datetime) -> str:
    return at.astimezone(values.EAST_AFRICA).strftime(MOMENT)
