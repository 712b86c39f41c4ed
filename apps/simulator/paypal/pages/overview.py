"""What the simulator's own pages show of PayPal: open approval pages, accounts, and the statement of one."""

import sqlite3

from apps.simulator.contracts import Request, Response
from apps.simulator.pages import rendering
from apps.simulator.paypal.contracts import Account, Body, Scope
from apps.simulator.paypal.pages.money import grouped, money
from apps.simulator.paypal.services import accounts, currencies, movements, objects, orders
from apps.simulator.services.clock import moment
from apps.simulator.services.world import World

SHOWN = 20


def open_pages(*, tx: sqlite3.Connection) -> list[dict[str, str]]:
    """Return the approval pages that wait for a person, newest first."""
    waiting = [order for order in objects.everywhere(tx=tx, kind="order") if order["status"] in orders.OPEN]
    return [_page_row(tx, order) for order in waiting[:SHOWN]]


def account_rows(*, tx: sqlite3.Connection, now: int) -> list[dict[str, str]]:
    """Return the accounts with their balances."""
    return [_account_row(tx, account, now) for account in accounts.all_accounts(tx=tx)]


def statement(world: World, _: Request, identifier: str) -> Response:
    """Show the statement of an account, newest last."""
    with world.store.transaction() as tx:
        now = world.clock.now()
        try:
            account = accounts.get(tx=tx, identifier=identifier)
        except accounts.UnknownAccount:
            missing = {"title": "Not found", "sentence": "No account has this merchant id."}
            return rendering.page(template="missing.html", context=missing, status=404)
        scope = Scope(tx=tx, account=account, now=now)
        rows, total, came = list[dict[str, str]](), 0, 0
        for movement in movements.listed(scope):
            net = movement["moved"] - movement["moved_fee"]
            total, came = total + net, came + max(net, 0)
            rows.append(_row(movement, account.currency, net=net, total=total))
        context: dict[str, object] = {
            "title": f"Statement of {account.name}",
            "business": _account_row(tx, account, now),
            "currency": account.currency,
            "rows": rows,
            "paid_in": grouped(came, account.currency),
            "withdrawn": grouped(came - total, account.currency),
        }
    return rendering.page(template="statement.html", context=context)


def _page_row(tx: sqlite3.Connection, order: Body) -> dict[str, str]:
    units = order["purchase_units"]
    total = sum(currencies.minor(unit["amount"]) for unit in units)
    return {
        "path": f"/paypal/checkoutnow?token={order['id']}",
        "shop": accounts.get(tx=tx, identifier=order["account"]).name,
        "reference": units[0].get("invoice_id") or units[0].get("custom_id") or order["id"],
        "sum": money(total, units[0]["amount"]["currency_code"]),
    }


def _account_row(tx: sqlite3.Connection, account: Account, now: int) -> dict[str, str]:
    scope = Scope(tx=tx, account=account, now=now)
    return {
        "shortcode": account.id,
        "name": account.name,
        "kind": "PayPal",
        "balance": money(movements.total(scope), account.currency),
    }


def _row(movement: sqlite3.Row, currency: str, *, net: int, total: int) -> dict[str, str]:
    fee = f", fee {money(movement['moved_fee'], currency)}" if movement["moved_fee"] else ""
    return {
        "receipt": movement["transaction_id"],
        "kind": movement["event_code"],
        "details": f"{movement['details']}{fee}",
        "time": moment(at=movement["at"]).strftime("%d %b %Y, %H:%M:%S"),
        "paid_in": grouped(net, currency) if net > 0 else "",
        "withdrawn": grouped(-net, currency) if net < 0 else "",
        "balance": grouped(total, currency),
    }
