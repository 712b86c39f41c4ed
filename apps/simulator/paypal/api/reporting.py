"""Endpoints of reporting: every movement of the balance, and the balance."""

import sqlite3
from typing import TYPE_CHECKING

from apps.simulator.paypal.contracts import Account, Body, PayPalRefusal, Reply
from apps.simulator.paypal.services import currencies, movements, objects

if TYPE_CHECKING:
    from apps.simulator.paypal.api.calls import Call

LONGEST_MS = 31 * 24 * 3_600_000
LARGEST_PAGE = 500
CONVERSION = "T0200"


def transactions(call: "Call") -> Reply:
    """List what has moved the balance within 31 days, oldest first, a page at a time."""
    query = call.request.query
    start, end = _moment(query, "start_date"), _moment(query, "end_date")
    if not 0 <= end - start <= LONGEST_MS:
        raise PayPalRefusal(400, "INVALID_REQUEST", "Date range is greater than 31 days.")
    size, page = _number(query, "page_size", 100, most=LARGEST_PAGE), _number(query, "page", 1, most=10_000)
    rows = [
        row
        for movement in movements.listed(call.scope)
        if start <= movement["at"] <= end
        for row in _rows(call.scope.account, movement)
        if query.get("transaction_id", row["transaction_id"]) == row["transaction_id"]
        and query.get("transaction_currency", _currency(row)) == _currency(row)
    ]
    shown = rows[(page - 1) * size : page * size]
    pages = -(-len(rows) // size)
    path = "/v1/reporting/transactions"
    links = [objects.link(call.scope, path, "self")]
    if page < pages:
        links.append(objects.link(call.scope, f"{path}?page={page + 1}", "next"))
    told = {
        "transaction_details": [{"transaction_info": row} for row in shown],
        "account_number": call.scope.account.id,
        "start_date": objects.instant(start),
        "end_date": objects.instant(end),
        "last_refreshed_datetime": objects.instant(call.now),
        "page": page,
        "total_items": len(rows),
        "total_pages": pages,
        "links": links,
    }
    return Reply(200, told)


def balances(call: "Call") -> Reply:
    """Return the balance of the account's currency."""
    own = call.scope.account.currency
    total = currencies.money(movements.total(call.scope), own)
    shown = {"currency": own, "primary": True, "total_balance": total, "available_balance": total}
    told = {
        "balances": [shown | {"withheld_balance": currencies.money(0, own)}],
        "account_id": call.scope.account.id,
        "as_of_time": objects.instant(call.now),
        "last_refresh_time": objects.instant(call.now),
    }
    return Reply(200, told)


def _rows(account: Account, movement: sqlite3.Row) -> list[Body]:
    """Return a movement, and what PayPal converts of it where it is of another currency than the account's."""
    currency, net = movement["currency"], movement["amount"] - movement["fee"]
    first = _row(movement, code=movement["event_code"], amount=movement["amount"], currency=currency)
    if movement["fee"]:
        first["fee_amount"] = currencies.money(-movement["fee"], currency)
    if currency == account.currency:
        return [first]
    moved = movement["moved"] - movement["moved_fee"]
    return [
        first,
        _row(movement, code=CONVERSION, amount=-net, currency=currency),
        _row(movement, code=CONVERSION, amount=moved, currency=account.currency),
    ]


def _row(movement: sqlite3.Row, *, code: str, amount: int, currency: str) -> Body:
    is_converted = code == CONVERSION
    reference = movement["transaction_id"] if is_converted else movement["reference"]
    told = {
        "paypal_reference_id": reference,
        "paypal_reference_id_type": "TXN" if reference else "",
        "invoice_id": "" if is_converted else movement["invoice_id"],
        "custom_field": "" if is_converted else movement["custom_id"],
    }
    moment = objects.instant(movement["at"])
    return {
        "transaction_id": f"{movement['number']:017d}" if is_converted else movement["transaction_id"],
        "transaction_event_code": code,
        "transaction_initiation_date": moment,
        "transaction_updated_date": moment,
        "transaction_amount": currencies.money(amount, currency),
        "transaction_status": "S",
        "transaction_subject": movement["details"],
        **{name: value for name, value in told.items() if value},
    }


def _currency(row: Body) -> str:
    return str(row["transaction_amount"]["currency_code"])


def _moment(query: dict[str, str], name: str) -> int:
    given = query.get(name, "")
    try:
        return objects.moment(given.replace(" ", "+"))
    except (ValueError, OverflowError) as wrong:
        issue = "INVALID_PARAMETER_SYNTAX" if given else "MISSING_REQUIRED_PARAMETER"
        raise PayPalRefusal(400, issue, at=name, value=given) from wrong


def _number(query: dict[str, str], name: str, default: int, *, most: int) -> int:
    given = query.get(name, str(default))
    if not given.isdecimal() or not 1 <= int(given) <= most:
        raise PayPalRefusal(400, "INVALID_PARAMETER_VALUE", at=name, value=given)
    return int(given)
