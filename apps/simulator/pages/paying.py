"""Lipa na M-Pesa: the form with which a person pays a business that has not asked for it."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs

from apps.simulator.contracts import PaymentOrder, Request, Response
from apps.simulator.pages import forms, rendering
from apps.simulator.pages.messages import local
from apps.simulator.services import accounts, payments
from apps.simulator.services.clock import moment
from apps.simulator.services.world import World

FIELDS = ("business", "account", "amount")
LONGEST_ACCOUNT = 20
LARGEST_DIGITS = 9


def show(world: World, request: Request, msisdn: str) -> Response:
    """Show the form; an address may fill it in."""
    return _form(world, msisdn=msisdn, typed={name: request.query.get(name, "") for name in FIELDS}, wrong={})


def pay(world: World, request: Request, msisdn: str) -> Response:
    """Pay once, and go to the phone where M-Pesa's message comes; what is missing is said beside its field."""
    form = parse_qs(request.body.decode(errors="replace"), keep_blank_values=True)
    typed = {name: form.get(name, [""])[0].strip() for name in FIELDS}
    is_pin_right = "wrong-pin" not in form
    wrong = _wrong(typed)
    if is_pin_right and not re.fullmatch(r"[0-9]{4}", form.get("pin", [""])[0]):
        wrong["pin"] = "Enter the 4 digits of the PIN."
    if wrong:
        return _form(world, msisdn=msisdn, typed=typed, wrong=wrong)
    order = PaymentOrder(
        receiver=typed["business"],
        payer=msisdn,
        amount_cents=int(typed["amount"]) * 100,
        reference=typed["account"],
    )
    with world.store.transaction() as tx:
        if forms.spend(tx=tx, mark=form.get("mark", [""])[0]):
            payments.pay(tx=tx, order=order, is_pin_right=is_pin_right, now=world.clock.now())
    world.has_changed.set()
    return rendering.redirect(to=f"/phone/{msisdn}")


def _wrong(typed: Mapping[str, str]) -> dict[str, str]:
    wrong = {}
    if not re.fullmatch(r"[0-9]{5,7}", typed["business"]):
        wrong["business"] = "Enter the 5 to 7 digits of the paybill or till."
    if len(typed["account"]) > LONGEST_ACCOUNT or not typed["account"].isprintable():
        wrong["account"] = f"Enter at most {LONGEST_ACCOUNT} characters."
    if not re.fullmatch(rf"[1-9][0-9]{{0,{LARGEST_DIGITS - 1}}}", typed["amount"]):
        wrong["amount"] = "Enter whole shillings, at least 1."
    return wrong


def _form(world: World, *, msisdn: str, typed: Mapping[str, str], wrong: Mapping[str, str]) -> Response:
    with world.store.transaction() as tx:
        known = accounts.all_accounts(tx=tx)
        mark = forms.draw(tx=tx)
    context = {
        "title": "Lipa na M-Pesa",
        "clock": moment(at=world.clock.now()).strftime("%H:%M"),
        "phone": local(msisdn),
        "back": f"/phone/{msisdn}",
        "mark": mark,
        "typed": typed,
        "wrong": wrong,
        "businesses": [{"shortcode": account.shortcode, "name": account.name} for account in known],
        "longest_account": str(LONGEST_ACCOUNT),
    }
    return rendering.page(template="pay.html", context=context, status=400 if wrong else 200)
