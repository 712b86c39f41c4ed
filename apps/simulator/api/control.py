"""The control interface under /__control/: what there is, time, scripts, prompts, callbacks, log and statement."""

import re
from collections.abc import Callable

from apps.simulator.api import businesses, payers, shapes
from apps.simulator.api.control_json import ControlRefusal, content, problem, shown
from apps.simulator.contracts import Request, Response
from apps.simulator.paypal.api import control as paypal
from apps.simulator.services import (
    accounts,
    call_log,
    callbacks,
    clock,
    credentials,
    prompts,
    rates,
    registrations,
    results,
    reversals,
    scripts,
    statements,
)
from apps.simulator.services.world import World
from apps.simulator.store import read_setting
from apps.simulator.stripe.api import control as stripe

MOST_TAKEN = 1_000
DECISIONS = {
    "approve": results.SUCCESS,
    "cancel": results.CANCELLED,
    "wrong-pin": results.WRONG_PIN,
}


def handle(*, world: World, request: Request) -> Response:
    """Answer one call; `request.path` starts after /__control. Refusals are problem documents."""
    allowed = []
    for method, pattern, view in ROUTES:
        found = re.fullmatch(pattern, request.path)
        if found and method == request.method:
            try:
                return view(world, request, *found.groups())
            except ControlRefusal as refusal:
                return problem(refusal)
        if found:
            allowed.append(method)
    if allowed:
        return problem(ControlRefusal(405, "method_not_allowed", f"Use {' or '.join(allowed)}."))
    return problem(ControlRefusal(404, "not_found", f"There is no /__control{request.path}."))


def health(world: World, _: Request) -> Response:
    """Tell that the simulator is ready."""
    return shown({"status": "ok", "now": clock.iso(at=world.clock.now())})


def certificate(world: World, _: Request) -> Response:
    """Return the certificate for SecurityCredential as PEM."""
    with world.store.transaction() as tx:
        pem = credentials.certificate(tx=tx)
    return Response(body=pem.encode(), content_type="application/x-pem-file")


def state(world: World, _: Request) -> Response:
    """Return the whole picture in short."""
    with world.store.transaction() as tx:
        counted = {
            table: {
                row["state"]: row["n"]
                for row in tx.execute(f"SELECT state, count(*) n FROM {table} GROUP BY 1")  # noqa: S608
            }
            for table in ("prompt", "payment", "reversal", "callback")
        }
        return shown(
            {
                "now": clock.iso(at=world.clock.now()),
                "offset_seconds": world.clock.offset_ms // 1_000,
                "seed": int(read_setting(tx=tx, key="seed") or 0),
                "accounts": [
                    shapes.account(account, registrations.find(tx=tx, shortcode=account.shortcode))
                    for account in accounts.all_accounts(tx=tx)
                ],
                "is_clock_stopped": world.clock.is_stopped,
                "prompts": counted["prompt"],
                "payments": counted["payment"],
                "reversals": counted["reversal"],
                "callbacks": counted["callback"],
                "stripe": stripe.state(tx=tx),
                "paypal": paypal.state(tx=tx),
                "are_callbacks_held": callbacks.are_held(tx=tx),
                "next_callback_at": clock.iso(at=callbacks.next_due(tx=tx)),
                "scripts": scripts.waiting(tx=tx),
            }
        )


def log(world: World, request: Request) -> Response:
    """Return calls and callbacks after the entry number `since`."""
    since = request.query.get("since", "0")
    if not re.fullmatch(r"[0-9]{1,18}", since):
        raise ControlRefusal(400, "invalid_request", "since is the number of an entry.")
    with world.store.transaction() as tx:
        return shown({"entries": call_log.entries(tx=tx, since=int(since))})


def statement(world: World, request: Request) -> Response:
    """Return the statement of one shortcode, or of the account of another rail that is named in its place."""
    named = request.query.get("shortcode", "")
    if re.fullmatch(stripe.ACCOUNT, named):
        return stripe.statement(world, named)
    if re.fullmatch(paypal.ACCOUNT, named):
        return paypal.statement(world, named)
    with world.store.transaction() as tx:
        try:
            account = accounts.get(tx=tx, shortcode=named)
        except accounts.UnknownShortcode as refusal:
            raise ControlRefusal(404, "unknown_shortcode", "No account has this shortcode.") from refusal
        return shown(shapes.statement(account, statements.rows(tx=tx, shortcode=account.shortcode)))


def list_prompts(world: World, request: Request) -> Response:
    """Return the latest prompts, newest first, of one phone where `msisdn` is given."""
    with world.store.transaction() as tx:
        found = prompts.newest(tx=tx, msisdn=request.query.get("msisdn"))
    return shown({"prompts": [shapes.prompt(prompt) for prompt in found]})


def list_reversals(world: World, _: Request) -> Response:
    """Return the latest reversals, newest first."""
    with world.store.transaction() as tx:
        found = reversals.newest(tx=tx)
    return shown({"reversals": [shapes.reversal(reversal) for reversal in found]})


def decide(world: World, _: Request, prompt_id: str, decision: str) -> Response:
    """Answer a prompt as its person would; only the first answer counts."""
    try:
        with world.store.transaction() as tx:
            if decision == "ignore":
                prompt = prompts.ignore(tx=tx, prompt_id=prompt_id)
            else:
                now = world.clock.now()
                prompt = prompts.decide(tx=tx, prompt_id=prompt_id, result_code=DECISIONS[decision], now=now)
    except prompts.UnknownPrompt as refusal:
        raise ControlRefusal(404, "unknown_prompt", "There is no such prompt.") from refusal
    except prompts.AlreadyDecided as refusal:
        raise ControlRefusal(409, "already_decided", "The prompt has its outcome.") from refusal
    world.has_changed.set()
    return shown(shapes.prompt(prompt))


def tick(world: World, request: Request) -> Response:
    """Move virtual time forward; what fell due is decided when this returns, callbacks follow."""
    seconds = content(request).get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise ControlRefusal(400, "invalid_request", "seconds is a whole number.")
    try:
        decided = world.tick(seconds=seconds)
    except clock.StepRefused as refusal:
        raise ControlRefusal(400, "invalid_request", str(refusal)) from refusal
    return shown({"now": clock.iso(at=world.clock.now()), "decided": decided})


def set_clock(world: World, request: Request) -> Response:
    """Go to a moment, or stop where time stands, or let it go on; what fell due is decided when this returns."""
    given = content(request)
    at, is_stopped = given.get("at"), given.get("stopped", False)
    if set(given) - {"at", "stopped"} or not given or not isinstance(is_stopped, bool):
        raise ControlRefusal(400, "invalid_request", "at is a moment, stopped is true or false.")
    if at is not None and not isinstance(at, str):
        raise ControlRefusal(400, "invalid_request", "at is a moment as 2026-11-02T06:00:00+03:00.")
    try:
        moment = None if at is None else clock.read_iso(text=at)
        decided = world.set_clock(at=moment, is_stopped=is_stopped)
    except clock.MomentRefused as refusal:
        raise ControlRefusal(400, "invalid_request", str(refusal)) from refusal
    except clock.StepRefused as refusal:
        raise ControlRefusal(409, "clock_runs_forward", str(refusal)) from refusal
    return shown({"now": clock.iso(at=world.clock.now()), "decided": decided})


def hold_callbacks(world: World, request: Request) -> Response:
    """Hand callbacks out instead of sending them, or send them again."""
    is_held = content(request).get("hold")
    if not isinstance(is_held, bool):
        raise ControlRefusal(400, "invalid_request", "hold is true or false.")
    world.hold_callbacks(is_held=is_held)
    return shown({"status": "ok"})


def take_callbacks(world: World, request: Request) -> Response:
    """Hand out held callbacks that are due; who takes one delivers it, or loses it."""
    limit = content(request).get("limit", MOST_TAKEN)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST_TAKEN:
        raise ControlRefusal(400, "invalid_request", f"limit is a whole number from 1 to {MOST_TAKEN}.")
    with world.store.transaction() as tx:
        if not callbacks.are_held(tx=tx):
            raise ControlRefusal(
                409, "callbacks_not_held", "The simulator sends callbacks itself: hold them first."
            )
        taken = callbacks.take(tx=tx, now=world.clock.now(), limit=limit)
    return shown({"callbacks": [shapes.callback(callback) for callback in taken]})


def reset(world: World, request: Request) -> Response:
    """Forget what happened, and the accounts too where the body says so."""
    with_accounts = content(request).get("accounts", False)
    if not isinstance(with_accounts, bool):
        raise ControlRefusal(400, "invalid_request", "accounts is true or false.")
    world.reset(with_accounts=with_accounts)
    return shown({"status": "ok"})


def publish_rates(world: World, request: Request, source: str) -> Response:
    """Have a source of exchange rates publish a sheet from now on."""
    given = content(request)
    if set(given) - {"day", "rates"}:
        raise ControlRefusal(400, "invalid_request", "A sheet has day and rates.")
    try:
        with world.store.transaction() as tx:
            rates.publish(tx=tx, source=source, day=given.get("day", ""), rates=given.get("rates"))
            published = rates.sheet(tx=tx, source=source, now=world.clock.now())
    except rates.SheetRefused as refusal:
        raise ControlRefusal(400, "invalid_request", str(refusal)) from refusal
    return shown({"day": published.day, "rates": published.rates})


def add_script(world: World, request: Request) -> Response:
    """Add a fault script."""
    try:
        with world.store.transaction() as tx:
            return shown({"id": scripts.add(tx=tx, script=content(request))}, status=201)
    except scripts.ScriptRefused as refusal:
        raise ControlRefusal(400, "invalid_script", str(refusal)) from refusal


def list_scripts(world: World, _: Request) -> Response:
    """Return the scripts with their counters."""
    with world.store.transaction() as tx:
        return shown({"scripts": scripts.waiting(tx=tx)})


def clear_scripts(world: World, _: Request) -> Response:
    """Forget all scripts."""
    with world.store.transaction() as tx:
        return shown({"removed": scripts.clear(tx=tx)})


ROUTES: tuple[tuple[str, str, Callable[..., Response]], ...] = (
    ("GET", "/health", health),
    ("GET", "/certificate", certificate),
    ("PUT", "/accounts/([0-9]{5,7})", businesses.save),
    ("DELETE", "/accounts/([0-9]{5,7})/addresses", businesses.forget_addresses),
    ("PUT", f"/accounts/({stripe.ACCOUNT})", stripe.save),
    ("POST", f"/accounts/({stripe.ACCOUNT})/payout", stripe.sweep),
    ("POST", "/stripe/([a-z]+)/([A-Za-z0-9_]+)/([a-z]+)", stripe.act),
    ("GET", "/stripe/([a-z]+)", stripe.listed),
    ("PUT", f"/accounts/({paypal.ACCOUNT})", paypal.save),
    ("GET", "/paypal/certificate", paypal.certificate),
    ("POST", "/paypal/([a-z]+)/([A-Za-z0-9-]+)/([a-z]+)", paypal.act),
    ("GET", "/paypal/([a-z]+)", paypal.listed),
    ("GET", "/state", state),
    ("GET", "/log", log),
    ("GET", "/statement", statement),
    ("GET", "/prompts", list_prompts),
    ("POST", "/prompts/([^/]+)/(approve|cancel|wrong-pin|ignore)", decide),
    ("GET", "/payments", payers.list_payments),
    ("POST", "/payments", payers.pay),
    ("GET", "/reversals", list_reversals),
    ("POST", "/tick", tick),
    ("POST", "/clock", set_clock),
    ("POST", "/callbacks/hold", hold_callbacks),
    ("POST", "/callbacks/take", take_callbacks),
    ("POST", "/callbacks/([0-9]{1,18})/answer", payers.answer_validation),
    ("PUT", "/rates/(ecb|cbk|quotes)", publish_rates),
    ("POST", "/reset", reset),
    ("POST", "/scripts", add_script),
    ("GET", "/scripts", list_scripts),
    ("DELETE", "/scripts", clear_scripts),
)
