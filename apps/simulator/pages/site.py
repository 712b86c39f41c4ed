"""The pages of the simulator: what is here, a phone that answers prompts, and statements."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, quote

from apps.simulator.contracts import Account, Payment, PaymentState, Prompt, Request, Response, StatementRow
from apps.simulator.pages import paying, rendering
from apps.simulator.pages.messages import local, message
from apps.simulator.paypal.pages import overview as paypal
from apps.simulator.services import accounts, payments, prompts, results, statements
from apps.simulator.services.amounts import display, text
from apps.simulator.services.clock import moment
from apps.simulator.services.world import World
from apps.simulator.stripe.pages import overview as stripe

PHONE = r"/phone/(254[17][0-9]{8})"
IDLE_REFRESH_SECONDS = 3
LONGEST_REFRESH_SECONDS = 20
MESSAGES_SHOWN = 20


def handle(*, world: World, request: Request) -> Response:
    """Answer a browser."""
    for method, pattern, view in (
        ("GET", r"/", index),
        ("GET", r"/phone/?", any_phone),
        ("GET", PHONE, one_phone),
        ("POST", PHONE + r"/prompts/([^/]+)", answer_prompt),
        ("GET", PHONE + r"/pay", paying.show),
        ("POST", PHONE + r"/pay", paying.pay),
        ("GET", r"/statement/([0-9]{5,7})", statement),
        ("GET", r"/statement/(acct_[A-Za-z0-9]+)", stripe.statement),
        ("GET", r"/statement/([A-Z0-9]{13})", paypal.statement),
    ):
        found = re.fullmatch(pattern, request.path)
        if found and method == request.method:
            return view(world, request, *found.groups())
    if request.path == "/static/simulator/simulator.css":
        return rendering.stylesheet()
    return _missing("There is no such page.")


def index(world: World, _: Request) -> Response:
    """List the phones that have been asked for money or have paid unasked, and the businesses."""
    with world.store.transaction() as tx:
        found: list[Prompt | Payment] = [
            *prompts.newest(tx=tx, limit=1_000),
            *payments.newest(tx=tx, limit=1_000),
        ]
        businesses: list[Mapping[str, object]] = [
            *(_business_row(account) for account in accounts.all_accounts(tx=tx)),
            *stripe.account_rows(tx=tx, now=world.clock.now()),
            *paypal.account_rows(tx=tx, now=world.clock.now()),
        ]
        pages = [*stripe.open_pages(tx=tx), *paypal.open_pages(tx=tx)]
    phones: dict[str, list[Prompt | Payment]] = {}
    for paid in found:
        phones.setdefault(paid.msisdn, []).append(paid)
    context = {
        "title": "Simulated providers",
        "refresh": str(IDLE_REFRESH_SECONDS),
        "phones": [_phone_row(msisdn, own) for msisdn, own in phones.items()],
        "businesses": businesses,
        "pages": pages,
        "now": moment(at=world.clock.now()).strftime("%d %b %Y, %H:%M:%S"),
    }
    return rendering.page(template="index.html", context=context)


def any_phone(world: World, request: Request) -> Response:
    """Show the prompts of all phones, or go to the phone whose number was typed."""
    typed = re.sub(r"[^0-9]", "", request.query.get("msisdn", ""))
    if not typed:
        return _phone(world, request, msisdn=None)
    msisdn = "254" + re.sub(r"^(254|0)", "", typed)
    if not re.fullmatch(PHONE, f"/phone/{msisdn}"):
        return _missing("Enter a Kenyan number, as 0712 345 678.")
    return rendering.redirect(to=f"/phone/{msisdn}")


def one_phone(world: World, request: Request, msisdn: str) -> Response:
    """Show one phone."""
    return _phone(world, request, msisdn=msisdn)


def answer_prompt(world: World, request: Request, msisdn: str, prompt_id: str) -> Response:
    """Take the pressed button; a second press changes nothing and shows the outcome of the first."""
    form = parse_qs(request.body.decode(errors="replace"), keep_blank_values=True)
    if "cancel" in form:
        result_code = results.CANCELLED
    elif "wrong-pin" in form:
        result_code = results.WRONG_PIN
    elif re.fullmatch(r"[0-9]{4}", form.get("pin", [""])[0]):
        result_code = results.SUCCESS
    else:
        return rendering.redirect(to=f"/phone/{msisdn}?again={quote(prompt_id)}")
    try:
        with world.store.transaction() as tx:
            if prompts.get(tx=tx, prompt_id=prompt_id).msisdn != msisdn:
                return _missing("This phone has no such prompt.")
            prompts.decide(tx=tx, prompt_id=prompt_id, result_code=result_code, now=world.clock.now())
    except prompts.UnknownPrompt:
        return _missing("This phone has no such prompt.")
    except prompts.AlreadyDecided:
        return rendering.redirect(to=f"/phone/{msisdn}")
    world.has_changed.set()
    return rendering.redirect(to=f"/phone/{msisdn}")


def statement(world: World, _: Request, shortcode: str) -> Response:
    """Show a shortcode's statement, newest last."""
    with world.store.transaction() as tx:
        try:
            account = accounts.get(tx=tx, shortcode=shortcode)
        except accounts.UnknownShortcode:
            return _missing("No account has this shortcode.")
        rows = statements.rows(tx=tx, shortcode=shortcode)
    context = {
        "title": f"Statement of {account.name}",
        "business": _business_row(account),
        "currency": "KES",
        "rows": [_statement_row(row) for row in rows],
        "paid_in": _grouped(sum(row.paid_in_cents for row in rows)),
        "withdrawn": _grouped(sum(row.withdrawn_cents for row in rows)),
    }
    return rendering.page(template="statement.html", context=context)


def _phone(world: World, request: Request, *, msisdn: str | None) -> Response:
    with world.store.transaction() as tx:
        found = prompts.newest(tx=tx, msisdn=msisdn)
        unasked = payments.newest(tx=tx, msisdn=msisdn)
    now = world.clock.now()
    waiting = [prompt for prompt in found if prompt.state is PaymentState.WAITING and not prompt.is_ignored]
    told: list[Prompt | Payment] = [
        *(prompt for prompt in found if prompt.state is not PaymentState.WAITING),
        *unasked,
    ]
    told.sort(key=lambda paid: paid.decided_at or paid.created_at, reverse=True)
    is_sending = any(paid.state is PaymentState.WAITING for paid in unasked)
    again = request.query.get("again", "")
    context = {
        "title": f"Phone {local(msisdn)}" if msisdn else "All phones",
        "phone": local(msisdn) if msisdn else "",
        "pay": f"/phone/{msisdn}/pay" if msisdn else "",
        "refresh": "1" if is_sending else str(_refresh_seconds(waiting, now=now)),
        "prompts": [
            _prompt_card(prompt, now=now, needs_pin=prompt.id == again) for prompt in reversed(waiting)
        ],
        "messages": [message(paid) for paid in told[:MESSAGES_SHOWN]],
        "clock": moment(at=now).strftime("%H:%M"),
    }
    return rendering.page(template="phone.html", context=context)


def _refresh_seconds(waiting: list[Prompt], *, now: int) -> int:
    """Reload when the next prompt ends by itself, so that nobody loses a half-typed PIN before."""
    ends = [(prompt.due_at or now) - now for prompt in waiting]
    if not ends:
        return IDLE_REFRESH_SECONDS
    return min(max(min(ends) // 1_000 + 1, 1), LONGEST_REFRESH_SECONDS)


def _prompt_card(prompt: Prompt, *, now: int, needs_pin: bool) -> dict[str, object]:
    left_ms = max(prompt.expires_at - now, 0)
    is_bill = prompt.transaction_type == "CustomerPayBillOnline"
    return {
        "id": prompt.id,
        "action": f"/phone/{prompt.msisdn}/prompts/{quote(prompt.id)}",
        "phone": local(prompt.msisdn),
        "business": prompt.business_name,
        "initials": "".join(word[0] for word in prompt.business_name.split()[:2]).upper(),
        "amount": display(cents=prompt.amount_cents),
        "kind": "Paybill" if is_bill else "Till",
        "receiver": prompt.receiver,
        "reference": prompt.reference,
        "description": prompt.description,
        "seconds": str(left_ms // 1_000),
        "share": f"{left_ms * 100 // prompts.LIFE_MS}%",
        "is_automatic": prompt.plan.result_code is not None,
        "needs_pin": needs_pin,
    }


def _phone_row(msisdn: str, found: list[Prompt | Payment]) -> dict[str, object]:
    waiting = sum(paid.state is PaymentState.WAITING for paid in found)
    asked = sum(isinstance(paid, Prompt) for paid in found)
    told = [f"{asked} asked" if asked else "", f"{len(found) - asked} unasked" if asked < len(found) else ""]
    return {
        "msisdn": msisdn,
        "phone": local(msisdn),
        "waiting": f"{waiting} waiting" if waiting else "",
        "asked": ", ".join(filter(None, told)),
        "paid": display(cents=sum(paid.moved_cents for paid in found)),
    }


def _business_row(account: Account) -> dict[str, object]:
    return {
        "shortcode": account.shortcode,
        "name": account.name,
        "kind": account.type.capitalize(),
        "balance": display(cents=account.balance_cents),
    }


def _statement_row(row: StatementRow) -> dict[str, object]:
    return {
        "receipt": row.receipt,
        "kind": row.kind,
        "details": row.details,
        "time": moment(at=row.completed_at).strftime("%d %b %Y, %H:%M:%S"),
        "paid_in": _grouped(row.paid_in_cents) if row.paid_in_cents else "",
        "withdrawn": _grouped(row.withdrawn_cents) if row.withdrawn_cents else "",
        "balance": _grouped(row.balance_cents),
    }


def _grouped(cents: int) -> str:
    whole, _, fraction = text(cents=abs(cents)).partition(".")
    sign = "\N{MINUS SIGN}" if cents < 0 else ""
    return f"{sign}{int(whole):,}.{fraction}"


def _missing(sentence: str) -> Response:
    return rendering.page(
        template="missing.html", context={"title": "Not found", "sentence": sentence}, status=404
    )
