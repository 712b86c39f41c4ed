"""The control interface under /__control/: accounts, time, scripts, prompts, log and statement."""

import json
import re
from collections.abc import Callable, Mapping

from apps.simulator.api import shapes
from apps.simulator.contracts import Account, AccountType, Request, Response
from apps.simulator.services import (
    accounts,
    call_log,
    callbacks,
    clock,
    credentials,
    prompts,
    rates,
    results,
    reversals,
    scripts,
    statements,
)
from apps.simulator.services.world import World
from apps.simulator.store import read_setting

Content = dict[str, object]
REQUIRED = ("name", "consumer_key", "consumer_secret", "passkey")
WHOLE_BPS = 10_000
MOST_TAKEN = 1_000
OPTIONAL = ("initiator", "initiator_password")
DECISIONS = {
    "approve": results.SUCCESS,
    "cancel": results.CANCELLED,
    "wrong-pin": results.WRONG_PIN,
}


class ControlRefusal(Exception):
    """The control interface does not do this; the message says why."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


def handle(*, world: World, request: Request) -> Response:
    """Answer one call; `request.path` starts after /__control. Refusals are problem documents."""
    allowed = []
    for method, pattern, view in ROUTES:
        found = re.fullmatch(pattern, request.path)
        if found and method == request.method:
            try:
                return view(world, request, *found.groups())
            except ControlRefusal as refusal:
                return _problem(refusal)
        if found:
            allowed.append(method)
    if allowed:
        return _problem(ControlRefusal(405, "method_not_allowed", f"Use {' or '.join(allowed)}."))
    return _problem(ControlRefusal(404, "not_found", f"There is no /__control{request.path}."))


def health(world: World, _: Request) -> Response:
    """Tell that the simulator is ready."""
    return _json({"status": "ok", "now": clock.iso(at=world.clock.now())})


def certificate(world: World, _: Request) -> Response:
    """Return the certificate for SecurityCredential as PEM."""
    with world.store.transaction() as tx:
        pem = credentials.certificate(tx=tx)
    return Response(body=pem.encode(), content_type="application/x-pem-file")


def save_account(world: World, request: Request, shortcode: str) -> Response:
    """Create or replace an account."""
    account = _account(shortcode, _content(request))
    with world.store.transaction() as tx:
        return _json(shapes.account(accounts.save(tx=tx, account=account)))


def state(world: World, _: Request) -> Response:
    """Return the whole picture in short."""
    with world.store.transaction() as tx:
        counted = {
            table: {
                row["state"]: row["n"]
                for row in tx.execute(f"SELECT state, count(*) n FROM {table} GROUP BY 1")  # noqa: S608
            }
            for table in ("prompt", "reversal", "callback")
        }
        return _json(
            {
                "now": clock.iso(at=world.clock.now()),
                "offset_seconds": world.clock.offset_ms // 1_000,
                "seed": int(read_setting(tx=tx, key="seed") or 0),
                "accounts": [shapes.account(account) for account in accounts.all_accounts(tx=tx)],
                "is_clock_stopped": world.clock.is_stopped,
                "prompts": counted["prompt"],
                "reversals": counted["reversal"],
                "callbacks": counted["callback"],
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
        return _json({"entries": call_log.entries(tx=tx, since=int(since))})


def statement(world: World, request: Request) -> Response:
    """Return the statement of one shortcode."""
    with world.store.transaction() as tx:
        try:
            account = accounts.get(tx=tx, shortcode=request.query.get("shortcode", ""))
        except accounts.UnknownShortcode as refusal:
            raise ControlRefusal(404, "unknown_shortcode", "No account has this shortcode.") from refusal
        return _json(shapes.statement(account, statements.rows(tx=tx, shortcode=account.shortcode)))


def list_prompts(world: World, request: Request) -> Response:
    """Return the latest prompts, newest first, of one phone where `msisdn` is given."""
    with world.store.transaction() as tx:
        found = prompts.newest(tx=tx, msisdn=request.query.get("msisdn"))
    return _json({"prompts": [shapes.prompt(prompt) for prompt in found]})


def list_reversals(world: World, _: Request) -> Response:
    """Return the latest reversals, newest first."""
    with world.store.transaction() as tx:
        found = reversals.newest(tx=tx)
    return _json({"reversals": [shapes.reversal(reversal) for reversal in found]})


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
    return _json(shapes.prompt(prompt))


def tick(world: World, request: Request) -> Response:
    """Move virtual time forward; what fell due is decided when this returns, callbacks follow."""
    seconds = _content(request).get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise ControlRefusal(400, "invalid_request", "seconds is a whole number.")
    try:
        decided = world.tick(seconds=seconds)
    except clock.StepRefused as refusal:
        raise ControlRefusal(400, "invalid_request", str(refusal)) from refusal
    return _json({"now": clock.iso(at=world.clock.now()), "decided": decided})


def set_clock(world: World, request: Request) -> Response:
    """Go to a moment, or stop where time stands, or let it go on; what fell due is decided when this returns."""
    content = _content(request)
    at, is_stopped = content.get("at"), content.get("stopped", False)
    if set(content) - {"at", "stopped"} or not content or not isinstance(is_stopped, bool):
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
    return _json({"now": clock.iso(at=world.clock.now()), "decided": decided})


def hold_callbacks(world: World, request: Request) -> Response:
    """Hand callbacks out instead of sending them, or send them again."""
    is_held = _content(request).get("hold")
    if not isinstance(is_held, bool):
        raise ControlRefusal(400, "invalid_request", "hold is true or false.")
    world.hold_callbacks(is_held=is_held)
    return _json({"status": "ok"})


def take_callbacks(world: World, request: Request) -> Response:
    """Hand out held callbacks that are due; who takes one delivers it, or loses it."""
    limit = _content(request).get("limit", MOST_TAKEN)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST_TAKEN:
        raise ControlRefusal(400, "invalid_request", f"limit is a whole number from 1 to {MOST_TAKEN}.")
    with world.store.transaction() as tx:
        if not callbacks.are_held(tx=tx):
            raise ControlRefusal(
                409, "callbacks_not_held", "The simulator sends callbacks itself: hold them first."
            )
        taken = callbacks.take(tx=tx, now=world.clock.now(), limit=limit)
    return _json({"callbacks": [shapes.callback(callback) for callback in taken]})


def reset(world: World, request: Request) -> Response:
    """Forget what happened, and the accounts too where the body says so."""
    with_accounts = _content(request).get("accounts", False)
    if not isinstance(with_accounts, bool):
        raise ControlRefusal(400, "invalid_request", "accounts is true or false.")
    world.reset(with_accounts=with_accounts)
    return _json({"status": "ok"})


def publish_rates(world: World, request: Request, source: str) -> Response:
    """Have a source of exchange rates publish a sheet from now on."""
    content = _content(request)
    if set(content) - {"day", "rates"}:
        raise ControlRefusal(400, "invalid_request", "A sheet has day and rates.")
    try:
        with world.store.transaction() as tx:
            rates.publish(tx=tx, source=source, day=content.get("day", ""), rates=content.get("rates"))
            shown = rates.sheet(tx=tx, source=source, now=world.clock.now())
    except rates.SheetRefused as refusal:
        raise ControlRefusal(400, "invalid_request", str(refusal)) from refusal
    return _json({"day": shown.day, "rates": shown.rates})


def add_script(world: World, request: Request) -> Response:
    """Add a fault script."""
    try:
        with world.store.transaction() as tx:
            return _json({"id": scripts.add(tx=tx, script=_content(request))}, status=201)
    except scripts.ScriptRefused as refusal:
        raise ControlRefusal(400, "invalid_script", str(refusal)) from refusal


def list_scripts(world: World, _: Request) -> Response:
    """Return the scripts with their counters."""
    with world.store.transaction() as tx:
        return _json({"scripts": scripts.waiting(tx=tx)})


def clear_scripts(world: World, _: Request) -> Response:
    """Forget all scripts."""
    with world.store.transaction() as tx:
        return _json({"removed": scripts.clear(tx=tx)})


ROUTES: tuple[tuple[str, str, Callable[..., Response]], ...] = (
    ("GET", "/health", health),
    ("GET", "/certificate", certificate),
    ("PUT", "/accounts/([0-9]{5,7})", save_account),
    ("GET", "/state", state),
    ("GET", "/log", log),
    ("GET", "/statement", statement),
    ("GET", "/prompts", list_prompts),
    ("POST", "/prompts/([^/]+)/(approve|cancel|wrong-pin|ignore)", decide),
    ("GET", "/reversals", list_reversals),
    ("POST", "/tick", tick),
    ("POST", "/clock", set_clock),
    ("POST", "/callbacks/hold", hold_callbacks),
    ("POST", "/callbacks/take", take_callbacks),
    ("PUT", "/rates/(ecb|cbk|quotes)", publish_rates),
    ("POST", "/reset", reset),
    ("POST", "/scripts", add_script),
    ("GET", "/scripts", list_scripts),
    ("DELETE", "/scripts", clear_scripts),
)


def _account(shortcode: str, content: Mapping[str, object]) -> Account:
    unknown = set(content) - {*REQUIRED, *OPTIONAL, "type", "charge_bps"}
    if unknown:
        raise ControlRefusal(400, "invalid_account", f"Unknown fields: {', '.join(sorted(unknown))}.")
    if content.get("type") not in ("paybill", "till"):
        raise ControlRefusal(400, "invalid_account", "type is paybill or till.")
    texts = {name: content.get(name) for name in REQUIRED} | {
        name: content.get(name, "") for name in OPTIONAL
    }
    wrong = [
        name
        for name, value in texts.items()
        if not isinstance(value, str) or not value.isprintable() or (name in REQUIRED and not value)
    ]
    if wrong:
        raise ControlRefusal(400, "invalid_account", f"Printable texts are needed: {', '.join(wrong)}.")
    charge_bps = content.get("charge_bps", 0)
    if isinstance(charge_bps, bool) or not isinstance(charge_bps, int) or not 0 <= charge_bps <= WHOLE_BPS:
        raise ControlRefusal(400, "invalid_account", "charge_bps is a whole number from 0 to 10000.")
    return Account(
        shortcode=shortcode,
        type=AccountType(str(content["type"])),
        name=str(texts["name"]),
        consumer_key=str(texts["consumer_key"]),
        consumer_secret=str(texts["consumer_secret"]),
        passkey=str(texts["passkey"]),
        initiator=str(texts["initiator"]),
        initiator_password=str(texts["initiator_password"]),
        charge_bps=charge_bps,
    )


def _content(request: Request) -> Content:
    try:
        content = json.loads(request.body or b"{}")
    except ValueError as error:
        raise ControlRefusal(400, "invalid_json", "The body is not JSON.") from error
    if not isinstance(content, dict):
        raise ControlRefusal(400, "invalid_json", "The body is a JSON object.")
    return content


def _json(content: Mapping[str, object], *, status: int = 200) -> Response:
    return Response(status=status, body=json.dumps(content).encode())


def _problem(refusal: ControlRefusal) -> Response:
    content = {
        "title": refusal.detail,
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal.detail,
    }
    body = json.dumps(content).encode()
    return Response(status=refusal.status, body=body, content_type="application/problem+json")
