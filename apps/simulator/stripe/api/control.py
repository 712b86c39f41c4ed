"""What the control interface does on the Stripe face: accounts, the deeds of persons and banks, and the statement."""

import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from apps.simulator.api.control_json import ControlRefusal, content, shown
from apps.simulator.contracts import Request, Response
from apps.simulator.services.world import World
from apps.simulator.stripe.contracts import Account, Body, Scope, StripeRefusal
from apps.simulator.stripe.services import (
    accounts,
    cards,
    connected,
    currencies,
    disputes,
    endpoints,
    objects,
    payouts,
    people,
    refunds,
    sessions,
    statements,
)

ACCOUNT = "acct_[A-Za-z0-9]+"
TEXTS = {"name": "Simulated shop", "secret_key": "", "country": "US", "currency": "usd"}
NUMBERS = {"fee_bps": 290, "fee_fixed": 30, "dispute_fee": 1_500}
KNOWN = {*TEXTS, *NUMBERS, "rates", "webhooks", "may_overdraw"}
Deed = Callable[[Scope, Body, Mapping[str, object]], Body]


def save(world: World, request: Request, identifier: str) -> Response:
    """Open a Stripe account or replace it; ``webhooks`` replaces the addresses that it tells."""
    given = content(request)
    account = _account(identifier, given)
    hooks = given.get("webhooks")
    with world.store.transaction() as tx:
        try:
            accounts.save(tx=tx, account=account)
        except sqlite3.IntegrityError as taken:
            raise ControlRefusal(409, "key_in_use", "Another account has this secret_key.") from taken
        scope = Scope(tx=tx, account=account, now=world.clock.now())
        if hooks is not None:
            endpoints.forget_all(scope)
            for hook in hooks if isinstance(hooks, list) else [None]:
                _listen(scope, hook)
        return shown(statements.account(scope))


def statement(world: World, identifier: str) -> Response:
    """Return the statement of a Stripe account, in the shape of a shortcode's."""
    with world.store.transaction() as tx:
        try:
            account = accounts.get(tx=tx, identifier=identifier)
        except accounts.UnknownAccount as unknown:
            raise ControlRefusal(404, "unknown_account", "No account has this identifier.") from unknown
        return shown(statements.statement(Scope(tx=tx, account=account, now=world.clock.now())))


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
    """Do to an object what a person or a bank would, and return it; a refusal says why not."""
    do = DEEDS.get((kind, deed))
    if do is None or kind not in KINDS:
        raise ControlRefusal(404, "not_found", f"Nobody does {deed} to {kind}.")
    given = content(request)
    with world.store.transaction() as tx:
        try:
            scope, body = people.find(
                tx=tx,
                now=world.clock.now(),
                kinds=(KINDS[kind],),
                identifier=identifier,
                origin=f"http://{request.headers.get('host', '127.0.0.1')}",
            )
        except people.Unknown as unknown:
            raise ControlRefusal(
                404, "unknown_object", f"There is no {identifier} among {kind}."
            ) from unknown
        try:
            done = do(scope, body, given)
        except StripeRefusal as refusal:
            code = refusal.details.get("decline_code") or refusal.details.get("code") or "refused"
            answer = shown({"code": code, "title": refusal.message, "detail": refusal.message}, status=409)
            return replace(answer, content_type="application/problem+json")
        finally:
            world.has_changed.set()
    return shown(done)


def sweep(world: World, _: Request, identifier: str) -> Response:
    """Pay out all that is available, as Stripe does every day."""
    with world.store.transaction() as tx:
        try:
            account = accounts.get(tx=tx, identifier=identifier)
            paid = payouts.sweep(Scope(tx=tx, account=account, now=world.clock.now()))
        except accounts.UnknownAccount as unknown:
            raise ControlRefusal(404, "unknown_account", "No account has this identifier.") from unknown
        except StripeRefusal as refusal:
            raise ControlRefusal(409, "balance_insufficient", refusal.message) from refusal
    world.has_changed.set()
    return shown(paid)


def _pay(scope: Scope, session: Body, given: Mapping[str, object]) -> Body:
    number = str(given.get("card", "4242424242424242"))
    card = cards.BY_TOKEN.get(number) or cards.of_number(number)
    return people.pay(scope, session, card, email=str(given.get("email", "")))


def _authenticate(scope: Scope, session: Body, given: Mapping[str, object]) -> Body:
    return people.authenticate(scope, session, succeeds=given.get("succeeds", True) is True)


def _dispute(scope: Scope, charge: Body, given: Mapping[str, object]) -> Body:
    amount = given.get("amount")
    return disputes.add(
        scope,
        charge,
        reason=str(given.get("reason", "fraudulent")),
        amount=amount if isinstance(amount, int) else None,
    )


KINDS = {
    "sessions": "checkout.session",
    "intents": "payment_intent",
    "charges": "charge",
    "refunds": "refund",
    "disputes": "dispute",
    "payouts": "payout",
    "accounts": "account",
    "transfers": "transfer",
}
DEEDS: dict[tuple[str, str], Deed] = {
    ("sessions", "pay"): _pay,
    ("sessions", "authenticate"): _authenticate,
    ("sessions", "expire"): lambda scope, body, _: sessions.expire(scope, body),
    ("intents", "authenticate"): lambda scope, body, given: people.challenge(
        scope, body, succeeds=given.get("succeeds", True) is True
    ),
    ("charges", "dispute"): _dispute,
    ("refunds", "fail"): lambda scope, body, given: refunds.fail(
        scope, body, reason=str(given.get("reason", "lost_or_stolen_card"))
    ),
    ("refunds", "succeed"): lambda scope, body, _: refunds.succeed(scope, body),
    ("disputes", "win"): lambda scope, body, _: disputes.decide(scope, body, is_won=True),
    ("disputes", "escalate"): lambda scope, body, _: disputes.escalate(scope, body),
    ("disputes", "lose"): lambda scope, body, _: disputes.decide(scope, body, is_won=False),
    ("payouts", "fail"): lambda scope, body, _: payouts.fail(scope, body),
    ("accounts", "finish"): lambda scope, body, _: connected.finish(scope, body),
    ("accounts", "restrict"): lambda scope, body, _: connected.restrict(scope, body),
    ("accounts", "close"): lambda scope, body, _: connected.close(scope, body),
    ("accounts", "leave"): lambda scope, body, _: connected.leave(scope, body),
}


def _listen(scope: Scope, hook: object) -> None:
    is_object = isinstance(hook, dict) and isinstance(hook.get("url"), str)
    if (
        not isinstance(hook, dict)
        or not is_object
        or set(hook) - {"url", "secret", "enabled_events", "connect"}
    ):
        raise ControlRefusal(
            400,
            "invalid_account",
            "webhooks is a list of objects with url, secret, enabled_events and connect.",
        )
    endpoints.add(
        scope,
        url=hook["url"],
        enabled_events=hook.get("enabled_events", ["*"]),
        secret=hook.get("secret", ""),
        is_connect=hook.get("connect", False) is True,
    )


def _account(identifier: str, given: Mapping[str, object]) -> Account:
    if set(given) - KNOWN:
        raise ControlRefusal(
            400, "invalid_account", f"Unknown fields: {', '.join(sorted(set(given) - KNOWN))}."
        )
    texts = {name: given.get(name, default) for name, default in TEXTS.items()}
    wrong = [name for name, value in texts.items() if not isinstance(value, str) or not value]
    if wrong or not re.fullmatch(r"(sk|rk)_(test|live)_[A-Za-z0-9_]+", str(texts["secret_key"])):
        raise ControlRefusal(
            400,
            "invalid_account",
            "Texts are needed for name, country and currency; secret_key is as sk_test_abc.",
        )
    if str(texts["currency"]).lower() not in currencies.KNOWN:
        raise ControlRefusal(400, "invalid_account", "currency is one that Stripe settles, as usd.")
    numbers = {name: given.get(name, default) for name, default in NUMBERS.items()}
    if any(isinstance(value, bool) or not isinstance(value, int) or value < 0 for value in numbers.values()):
        raise ControlRefusal(400, "invalid_account", f"{', '.join(NUMBERS)} are whole numbers from 0.")
    return Account(
        id=identifier,
        name=str(texts["name"]),
        secret_key=str(texts["secret_key"]),
        country=str(texts["country"]),
        currency=str(texts["currency"]).lower(),
        fee_bps=int(str(numbers["fee_bps"])),
        fee_fixed=int(str(numbers["fee_fixed"])),
        dispute_fee=int(str(numbers["dispute_fee"])),
        rates=_rates(given.get("rates", {})),
        may_overdraw=given.get("may_overdraw") is True,
    )


def _rates(given: object) -> dict[str, str]:
    if not isinstance(given, dict):
        raise ControlRefusal(400, "invalid_account", 'rates are texts by currency, as {"kes": "0.0077"}.')
    for currency, rate in given.items():
        try:
            is_good = currency in currencies.KNOWN and isinstance(rate, str) and Decimal(rate) > 0
        except InvalidOperation:
            is_good = False
        if not is_good:
            raise ControlRefusal(400, "invalid_account", 'rates are texts by currency, as {"kes": "0.0077"}.')
    return given
