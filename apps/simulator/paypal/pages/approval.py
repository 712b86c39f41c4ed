"""The approval page: a person chooses what to pay with and agrees, or goes back to the shop."""

from collections.abc import Mapping
from urllib.parse import urlencode

from apps.simulator.contracts import Response
from apps.simulator.pages import rendering
from apps.simulator.paypal.contracts import Body, Scope
from apps.simulator.paypal.pages.money import money
from apps.simulator.paypal.services import currencies, objects, orders, outcomes, payers, vault
from apps.simulator.services.clock import moment

CHOICES = {
    "balance": "PayPal balance",
    "empty": "A card without money",
    "echeck": "Bank account, clears in a minute",
    "echeck_fails": "Bank account, bounces in a minute",
    "review": "PayPal looks at it first",
    "disputed": "PayPal balance, disputed later",
    "present": "PayPal balance, only while you are there",
}
ENDS = {
    "APPROVED": ("Approved", "You have agreed to this. The shop completes it."),
    "COMPLETED": ("Done", "You have paid. Nothing more is taken."),
    "VOIDED": ("Expired", "This page is no longer open. Nothing was taken."),
    "VAULTED": ("Done", "Your wallet is kept by the shop."),
}


def show(scope: Scope, body: Body, _: Mapping[str, str]) -> Response:
    """Show what is asked, or that it is over."""
    if body["status"] not in orders.OPEN:
        return _over(scope, body)
    return _form(scope, body, email=objects.private(scope, body["id"]).get("email") or payers.EMAIL)


def answer(scope: Scope, body: Body, form: Mapping[str, str]) -> Response:
    """Take the pressed button, and go where the shop wants the person."""
    if body["status"] not in orders.OPEN:
        return _over(scope, body)
    places = objects.private(scope, body["id"])["places"]
    if "cancel" in form:
        return _leave(scope, body, places["cancel_url"], {_mark(body): body["id"]})
    email, funding = form.get("email", ""), form.get("funding", "balance")
    if "@" not in email or funding not in outcomes.FUNDING:
        return _form(scope, body, email=email, wrong="Enter an e-mail address, as amina@example.com.")
    act, marks = (
        (orders.approve, {"PayerID": payers.identifier(email)}) if "intent" in body else (vault.approve, {})
    )
    act(scope, body, funding=funding, email=email)
    return _leave(scope, body, places["return_url"], {_mark(body): body["id"], **marks})


def _mark(body: Body) -> str:
    return "token" if "intent" in body else "approval_token_id"


def _leave(scope: Scope, body: Body, address: str, marks: Mapping[str, str]) -> Response:
    """Go to an address of the shop, or stay where it has given none."""
    if not address:
        kind = "order" if "intent" in body else "setup_token"
        return _over(scope, objects.get(scope, kind, body["id"]))
    return rendering.redirect(to=f"{address}{'&' if '?' in address else '?'}{urlencode(marks)}")


def _form(scope: Scope, body: Body, *, email: str, wrong: str = "") -> Response:
    places = objects.private(scope, body["id"])["places"]
    shop = places["brand_name"] or scope.account.name
    units = body.get("purchase_units", [])
    total = sum(currencies.minor(unit["amount"]) for unit in units)
    asked = money(total, units[0]["amount"]["currency_code"]) if units else ""
    context = {
        "title": f"Pay {shop}" if asked else f"Let {shop} keep your wallet",
        "clock": moment(at=scope.now).strftime("%H:%M"),
        "shop": shop,
        "initials": "".join(word[0] for word in shop.split()[:2]).upper(),
        "sum": asked,
        "lines": [_line(unit) for unit in units if unit.get("description")],
        "button": f"Pay {asked}" if asked else "Agree",
        "email": email,
        "wrong": wrong,
        "choices": [{"value": value, "words": words} for value, words in CHOICES.items()],
    }
    return rendering.page(template="paypal/approval.html", context=context, status=400 if wrong else 200)


def _line(unit: Body) -> dict[str, str]:
    amount = unit["amount"]
    return {"name": unit["description"], "sum": money(currencies.minor(amount), amount["currency_code"])}


def _over(scope: Scope, body: Body) -> Response:
    title, sentence = ENDS.get(body["status"], ("Closed", "You may close this page. Nothing was taken."))
    back = objects.private(scope, body["id"])["places"]
    context = {"title": title, "sentence": sentence, "back": back["return_url"] or back["cancel_url"]}
    return rendering.page(template="over.html", context=context)
