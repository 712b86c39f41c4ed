"""The checkout page: a card is typed, and pays or is kept."""

import re
from collections.abc import Mapping

from apps.simulator.contracts import Response
from apps.simulator.pages import rendering
from apps.simulator.services.clock import moment
from apps.simulator.stripe.contracts import Body, Scope, StripeRefusal
from apps.simulator.stripe.services import cards, currencies, objects, people

WAITING = "requires_action"
TYPED = ("email", "number", "expiry", "cvc")
SHOWN_CARDS = (
    ("4242 4242 4242 4242", "pays"),
    ("4000 0000 0000 3220", "the bank asks"),
    ("4000 0000 0000 0002", "declined"),
    ("4000 0000 0000 9995", "not enough money"),
    ("4000 0000 0000 0259", "pays, disputed later"),
    ("4000 0000 0000 5126", "pays, a refund fails later"),
)
ENDS = {
    "complete": ("Done", "This page was completed. Nothing more is taken from your card."),
    "expired": ("Expired", "This page is no longer open. Nothing was taken from your card."),
}


def show(scope: Scope, session: Body, query: Mapping[str, str]) -> Response:
    """Show the form, or that the page is over."""
    if session["status"] != "open":
        return _over(session)
    refused = (
        {"number": "Your bank did not confirm it was you. Nothing was taken."} if "refused" in query else {}
    )
    return _form(scope, session, typed={}, wrong=refused)


def pay(scope: Scope, session: Body, form: Mapping[str, str]) -> Response:
    """Use the card that was typed; what is wrong is said beside its field."""
    if session["status"] != "open":
        return _over(session)
    typed = {name: form.get(name, "") for name in TYPED}
    wrong = _wrong(scope, session, typed)
    if wrong:
        return _form(scope, session, typed=typed, wrong=wrong)
    try:
        done = people.pay(scope, session, cards.of_number(typed["number"]), email=typed["email"])
    except StripeRefusal as refusal:
        field = "cvc" if refusal.details.get("code") == "incorrect_cvc" else "number"
        held = objects.get(scope, "checkout.session", session["id"])
        return _form(scope, held, typed=typed | {"number": "", "cvc": ""}, wrong={field: refusal.message})
    intent = objects.any_of(scope, done["payment_intent"] or done["setup_intent"]) or {}
    if intent["status"] == WAITING:
        return rendering.redirect(to=f"/stripe/challenge/{intent['id']}")
    return rendering.redirect(to=thanks(done))


def thanks(session: Body) -> str:
    """Return where the shop wants the person to go after a completed page."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def asked(session: Body) -> str:
    """Write what the page is for, as a sum with its currency; nothing where a card is only kept."""
    if session["mode"] != "payment":
        return ""
    currency = session["currency"]
    return money(session["amount_total"], currency)


def money(amount: int, currency: str) -> str:
    """Write a sum with its currency for a person, with a space that does not break."""
    return f"{currency.upper()}\N{NO-BREAK SPACE}{grouped(amount, currency)}"


def grouped(amount: int, currency: str) -> str:
    """Write a sum for a person, its thousands apart."""
    whole, _, fraction = currencies.shown(abs(amount), currency).partition(".")
    sign = "\N{MINUS SIGN}" if amount < 0 else ""
    return f"{sign}{int(whole):,}{f'.{fraction}' if fraction else ''}"


def _wrong(scope: Scope, session: Body, typed: Mapping[str, str]) -> dict[str, str]:
    wrong = {}
    if not _known(session) and not re.fullmatch(r"[^@\s]+@[^@\s]+", typed["email"]):
        wrong["email"] = "Enter an e-mail address, as amina@example.com."
    if not re.fullmatch(r"[0-9 ]{12,23}", typed["number"]):
        wrong["number"] = "Enter the digits of the card number."
    found = re.fullmatch(r"(0[1-9]|1[0-2])\s*/?\s*([0-9]{2})", typed["expiry"])
    today = moment(at=scope.now)
    if found is None:
        wrong["expiry"] = "Enter month and year, as 12 / 34."
    elif (2000 + int(found[2]), int(found[1])) < (today.year, today.month):
        wrong["expiry"] = "This card has expired."
    if not re.fullmatch(r"[0-9]{3,4}", typed["cvc"]):
        wrong["cvc"] = "Enter the 3 or 4 digits."
    return wrong


def _known(session: Body) -> str:
    return str(session["customer_email"] or "") or ("known" if session["customer"] else "")


def _form(scope: Scope, session: Body, *, typed: Mapping[str, str], wrong: Mapping[str, str]) -> Response:
    lines = objects.private(scope, session["id"])["lines"]
    sum_asked = asked(session)
    context = {
        "title": f"Pay {scope.account.name}" if sum_asked else f"Save a card for {scope.account.name}",
        "clock": moment(at=scope.now).strftime("%H:%M"),
        "shop": scope.account.name,
        "initials": "".join(word[0] for word in scope.account.name.split()[:2]).upper(),
        "sum": sum_asked,
        "button": f"Pay {sum_asked}" if sum_asked else "Save card",
        "lines": [_line(line) for line in lines],
        "back": session["cancel_url"] or "",
        "asks_email": not _known(session),
        "email": session["customer_email"] or "",
        "typed": dict(typed),
        "wrong": dict(wrong),
        "cards": [{"number": number, "does": does} for number, does in SHOWN_CARDS],
    }
    return rendering.page(template="stripe/checkout.html", context=context, status=400 if wrong else 200)


def _line(line: Body) -> dict[str, str]:
    return {
        "name": line["description"],
        "quantity": f"{line['quantity']} x" if line["quantity"] > 1 else "",
        "sum": money(line["amount_total"], line["currency"]),
    }


def _over(session: Body) -> Response:
    title, sentence = ENDS[session["status"]]
    context = {
        "title": title,
        "sentence": sentence,
        "back": thanks(session) if session["status"] == "complete" else session["cancel_url"] or "",
    }
    return rendering.page(template="over.html", context=context)
