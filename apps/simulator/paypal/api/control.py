"""What the control interface does on the PayPal face: accounts, the deeds of persons and of PayPal, and the statement."""

import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from apps.simulator.api.control_json import ControlRefusal, content, shown
from apps.simulator.contracts import Request, Response
from apps.simulator.paypal.contracts import Account, Body, PayPalRefusal, Scope
from apps.simulator.paypal.services import (
    accounts,
    captures,
    certificates,
    currencies,
    disputes,
    objects,
    orders,
    outcomes,
    people,
    refunds,
    statements,
    vault,
    webhooks,
)
from apps.simulator.services.world import World

ACCOUNT = "[A-Z0-9]{13}"
TEXTS = {"name": "Simulated shop", "client_id": "", "client_secret": "", "country": "US", "currency": "USD"}
NUMBERS = {"fee_bps": 349, "fee_fixed": 49, "dispute_fee": 2_000}
KNOWN = {*TEXTS, *NUMBERS, "rates", "webhooks"}
RATES = 'rates are texts by currency, as {"EUR": "1.08"}.'
Deed = Callable[[Scope, Body, Mapping[str, object]], Body]


def save(world: World, request: Request, identifier: str) -> Response:
    """Open a PayPal account or replace it; ``webhooks`` replaces the addresses that it tells."""
    given = content(request)
    account = _account(identifier, given)
    hooks = given.get("webhooks")
    with world.store.transaction() as tx:
        try:
            accounts.save(tx=tx, account=account)
        except sqlite3.IntegrityError as taken:
            raise ControlRefusal(409, "client_id_in_use", "Another account has this client_id.") from taken
        scope = Scope(tx=tx, account=account, now=world.clock.now(), origin=_origin(request))
        if hooks is not None:
            webhooks.forget_all(scope)
            for hook in hooks if isinstance(hooks, list) else [None]:
                _listen(scope, hook)
        return shown(statements.account(scope))


def statement(world: World, identifier: str) -> Response:
    """Return the statement of a PayPal account, in the shape of a shortcode's."""
    with world.store.transaction() as tx:
        try:
            account = accounts.get(tx=tx, identifier=identifier)
        except accounts.UnknownAccount as unknown:
            raise ControlRefusal(404, "unknown_account", "No account has this merchant id.") from unknown
        return shown(statements.statement(Scope(tx=tx, account=account, now=world.clock.now())))


def certificate(world: World, _: Request) -> Response:
    """Return the root that has signed the certificate of webhooks, for a client that pins it."""
    with world.store.transaction() as tx:
        pem = certificates.root(tx=tx)
    return Response(body=pem.encode(), content_type="application/x-pem-file")


def state(*, tx: sqlite3.Connection) -> Body:
    """Return the accounts, and how many objects of each kind there are."""
    return {
        "accounts": [account.id for account in accounts.all_accounts(tx=tx)],
        "objects": dict(objects.counts(tx=tx)),
    }


def listed(world: World, _: Request, kind: str) -> Response:
    """Return the objects of one kind of all accounts, newest first."""
    if kind not in KINDS:
        raise ControlRefusal(404, "not_found", f"There are {', '.join(KINDS)}.")
    with world.store.transaction() as tx:
        return shown({kind: objects.everywhere(tx=tx, kind=KINDS[kind])})


def act(world: World, request: Request, kind: str, identifier: str, deed: str) -> Response:
    """Do to an object what a person or PayPal would, and return it; a refusal says why not."""
    do = DEEDS.get((kind, deed))
    if do is None:
        raise ControlRefusal(404, "not_found", f"Nobody does {deed} to {kind}.")
    given = content(request)
    with world.store.transaction() as tx:
        now, origin = world.clock.now(), _origin(request)
        try:
            scope, body = people.find(
                tx=tx, now=now, kinds=(KINDS[kind],), identifier=identifier, origin=origin
            )
        except people.Unknown as unknown:
            raise ControlRefusal(
                404, "unknown_object", f"There is no {identifier} among {kind}."
            ) from unknown
        try:
            done = do(scope, body, given)
        except PayPalRefusal as refusal:
            told = {"code": refusal.issue, "title": refusal.words, "detail": refusal.words}
            return replace(shown(told, status=409), content_type="application/problem+json")
        finally:
            world.has_changed.set()
    return shown(done)


def _funding(given: Mapping[str, object]) -> str:
    chosen = str(given.get("funding", "balance"))
    if chosen not in outcomes.FUNDING and not outcomes.ISSUE.fullmatch(chosen):
        raise ControlRefusal(
            400, "invalid_request", f"funding is {', '.join(outcomes.FUNDING)}, or an issue."
        )
    return chosen


def _approve(scope: Scope, order: Body, given: Mapping[str, object]) -> Body:
    return orders.approve(scope, order, funding=_funding(given), email=str(given.get("email", "")))


def _approve_setup(scope: Scope, setup: Body, given: Mapping[str, object]) -> Body:
    return vault.approve(scope, setup, funding=_funding(given), email=str(given.get("email", "")))


def _drop(scope: Scope, token: Body, _: Mapping[str, object]) -> Body:
    vault.forget(scope, token)
    return token


def _dispute(scope: Scope, capture: Body, given: Mapping[str, object]) -> Body:
    reason, stage = str(given.get("reason", "UNAUTHORISED")), str(given.get("stage", disputes.CHARGEBACK))
    if reason not in disputes.REASONS or stage not in disputes.STAGES:
        known = f"reason is {', '.join(disputes.REASONS)}; stage is {', '.join(disputes.STAGES)}."
        raise ControlRefusal(400, "invalid_request", known)
    amount = given.get("amount")
    if amount is None:
        return disputes.add(scope, capture, reason=reason, stage=stage)
    money = {"currency_code": capture["amount"]["currency_code"], "value": amount}
    disputed = min(currencies.minor(currencies.check(money, at="/amount")), captures.left(scope, capture))
    return disputes.add(scope, capture, reason=reason, stage=stage, amount=disputed)


KINDS = {
    "orders": "order",
    "authorizations": "authorization",
    "captures": "capture",
    "refunds": "refund",
    "disputes": "dispute",
    "setups": "setup_token",
    "tokens": "payment_token",
}
DEEDS: dict[tuple[str, str], Deed] = {
    ("orders", "approve"): _approve,
    ("captures", "complete"): lambda scope, body, _: captures.complete(scope, body),
    ("captures", "deny"): lambda scope, body, _: captures.deny(scope, body),
    ("captures", "dispute"): _dispute,
    ("refunds", "complete"): lambda scope, body, _: refunds.complete(scope, body),
    ("refunds", "fail"): lambda scope, body, _: refunds.fail(scope, body),
    ("disputes", "escalate"): lambda scope, body, _: disputes.escalate(scope, body),
    ("disputes", "win"): lambda scope, body, _: disputes.decide(scope, body, is_won=True),
    ("disputes", "lose"): lambda scope, body, _: disputes.decide(scope, body, is_won=False),
    ("disputes", "withdraw"): lambda scope, body, _: disputes.withdraw(scope, body),
    ("disputes", "shut"): lambda scope, body, _: disputes.shut(scope, body),
    ("setups", "approve"): _approve_setup,
    ("tokens", "drop"): _drop,
}


def _origin(request: Request) -> str:
    return f"http://{request.headers.get('host', '127.0.0.1')}"


def _listen(scope: Scope, hook: object) -> None:
    is_good = (
        isinstance(hook, dict)
        and isinstance(hook.get("url"), str)
        and not set(hook) - {"url", "id", "event_types"}
    )
    if not isinstance(hook, dict) or not is_good:
        raise ControlRefusal(
            400, "invalid_account", "webhooks is a list of objects with url, and optional id and event_types."
        )
    try:
        webhooks.add(
            scope, url=hook["url"], names=hook.get("event_types", ["*"]), identifier=hook.get("id", "")
        )
    except PayPalRefusal as refusal:
        raise ControlRefusal(400, "invalid_account", refusal.words) from refusal


def _account(identifier: str, given: Mapping[str, object]) -> Account:
    if set(given) - KNOWN:
        unknown = ", ".join(sorted(set(given) - KNOWN))
        raise ControlRefusal(400, "invalid_account", f"Unknown fields: {unknown}.")
    texts = {name: given.get(name, default) for name, default in TEXTS.items()}
    wrong = [name for name, value in texts.items() if not isinstance(value, str) or not value]
    if wrong or not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", str(texts["client_id"])):
        raise ControlRefusal(400, "invalid_account", f"Texts are needed for {', '.join(TEXTS)}.")
    if texts["currency"] not in currencies.KNOWN:
        raise ControlRefusal(400, "invalid_account", "currency is one that PayPal has, as USD.")
    numbers = {name: given.get(name, default) for name, default in NUMBERS.items()}
    if any(isinstance(value, bool) or not isinstance(value, int) or value < 0 for value in numbers.values()):
        raise ControlRefusal(400, "invalid_account", f"{', '.join(NUMBERS)} are whole numbers from 0.")
    return Account(
        id=identifier,
        name=str(texts["name"]),
        client_id=str(texts["client_id"]),
        client_secret=str(texts["client_secret"]),
        country=str(texts["country"]),
        currency=str(texts["currency"]),
        fee_bps=int(str(numbers["fee_bps"])),
        fee_fixed=int(str(numbers["fee_fixed"])),
        dispute_fee=int(str(numbers["dispute_fee"])),
        rates=_rates(given.get("rates", {})),
    )


def _rates(given: object) -> dict[str, str]:
    if not isinstance(given, dict):
        raise ControlRefusal(400, "invalid_account", RATES)
    for currency, rate in given.items():
        try:
            is_good = currency in currencies.KNOWN and isinstance(rate, str) and Decimal(rate) > 0
        except InvalidOperation:
            is_good = False
        if not is_good:
            raise ControlRefusal(400, "invalid_account", RATES)
    return given
