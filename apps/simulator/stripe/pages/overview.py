"""What the simulator's own pages show of Stripe: open checkout pages, accounts, and the statement of one."""

import sqlite3

from apps.simulator.contracts import Request, Response
from apps.simulator.pages import rendering
from apps.simulator.services.clock import moment
from apps.simulator.services.world import World
from apps.simulator.stripe.contracts import Account, Body, Scope
from apps.simulator.stripe.pages.checkout import grouped, money
from apps.simulator.stripe.services import accounts, balances, objects

SHOWN = 20


def open_pages(*, tx: sqlite3.Connection) -> list[dict[str, str]]:
    """Return the checkout pages that wait for a person, newest first."""
    waiting = [
        session
        for session in objects.everywhere(tx=tx, kind="checkout.session")
        if session["status"] == "open"
    ]
    return [_page_row(tx, session) for session in waiting[:SHOWN]]


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
            missing = {"title": "Not found", "sentence": "No account has this identifier."}
            return rendering.page(template="missing.html", context=missing, status=404)
        scope = Scope(tx=tx, account=account, now=now)
        rows, total = list[dict[str, str]](), 0
        for movement in reversed(balances.listed(scope)):
            total += movement["net"]
            rows.append(_row(movement, total))
        came = sum(max(movement["net"], 0) for movement in balances.listed(scope))
        context: dict[str, object] = {
            "title": f"Statement of {account.name}",
            "business": _account_row(tx, account, now),
            "currency": account.currency.upper(),
            "rows": rows,
            "paid_in": grouped(came, account.currency),
            "withdrawn": grouped(came - total, account.currency),
        }
    return rendering.page(template="statement.html", context=context)


def _page_row(tx: sqlite3.Connection, session: Body) -> dict[str, str]:
    account = accounts.get(tx=tx, identifier=session["account"])
    is_payment = session["mode"] == "payment"
    return {
        "path": f"/stripe/pay/{session['id']}",
        "shop": account.name,
        "reference": session["client_reference_id"] or session["id"][:16],
        "sum": money(session["amount_total"], session["currency"]) if is_payment else "Card only",
    }


def _account_row(tx: sqlite3.Connection, account: Account, now: int) -> dict[str, str]:
    scope = Scope(tx=tx, account=account, now=now)
    return {
        "shortcode": account.id,
        "name": account.name,
        "kind": "Stripe",
        "balance": money(balances.total(scope), account.currency),
    }


def _row(movement: Body, total: int) -> dict[str, str]:
    net, currency = movement["net"], movement["currency"]
    words = movement["description"] or movement["type"].replace("_", " ").capitalize()
    fee = f", fee {money(movement['fee'], currency)}" if movement["fee"] else ""
    return {
        "receipt": movement["source"],
        "kind": movement["type"],
        "details": f"{words}{fee}",
        "time": moment(at=movement["created"] * 1_000).strftime("%d %b %Y, %H:%M:%S"),
        "paid_in": grouped(net, currency) if net > 0 else "",
        "withdrawn": grouped(-net, currency) if net < 0 else "",
        "balance": grouped(total, currency),
    }
