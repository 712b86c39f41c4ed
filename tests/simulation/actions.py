"""What may happen next: deeds of partners, payers, workers, clocks and networks, each with its weight."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.events.models import WebhookDelivery
from apps.kit import ids, jobs
from apps.payments.contracts import IntentStatus
from apps.payments.models import PaymentAttempt, PaymentIntent
from tests.simulation.interruptions import Crash
from tests.simulation.world import Asked, Broken, Message, Reply, World

STEPS = (1, 1, 2, 3, 5, 10, 30, 90)
MAGIC = (
    "000",
    "000",
    "000",
    "001",
    "017",
    "019",
    "032",
    "037",
    "201",
    "777",
    "778",
    "779",
    "780",
    "781",
    "782",
    "783",
    "784",
)
PUSH = "/mpesa/stkpush/v1/processrequest"
QUERY = "/mpesa/stkpushquery/v1/query"
STATUS = "/mpesa/transactionstatus/v1/query"
TOKEN = "/oauth/v1/generate"
SCRIPTS: tuple[tuple[str, Any], ...] = (
    (PUSH, "hang"),
    (PUSH, {"action": "hang", "processed": True}),
    (PUSH, "reset"),
    (PUSH, {"action": "reset", "processed": True}),
    (PUSH, "status"),
    (PUSH, {"action": "status", "processed": True}),
    (PUSH, {"action": "malformed_json", "processed": True}),
    (PUSH, {"action": "html_error", "processed": True}),
    (PUSH, {"action": "empty_body", "processed": True}),
    (PUSH, "rate_limit"),
    (PUSH, {"action": "rate_limit", "code": "429"}),
    (PUSH, "expire_token"),
    (PUSH, {"action": "duplicate_callback", "n": 3, "spacing_ms": 4_000}),
    (PUSH, {"action": "delay_callback", "ms": 20_000}),
    (PUSH, "drop_callback"),
    (PUSH, "callback_before_response"),
    (PUSH, {"action": "wrong_amount", "amount": "77.00"}),
    (PUSH, {"action": "late_success", "ms": 15_000}),
    (PUSH, {"action": "replay_old", "n": 2}),
    (PUSH, {"action": "partial_result", "missing": ["TransactionDate", "Balance"]}),
    (QUERY, "hang"),
    (QUERY, "status"),
    (QUERY, "malformed_json"),
    (QUERY, "rate_limit"),
    (STATUS, "drop_callback"),
    (STATUS, "queue_timeout"),
    (TOKEN, "hang"),
    (TOKEN, "status"),
)
MAXIMUM = 250_000
FORGED_TOKEN = "f0" * 16


@dataclass(frozen=True)
class Action:
    """One kind of deed: how often it is drawn, and what it does; it says what it did, or None if nothing could be done."""

    weight: int
    act: Callable[[World], str | None]


@dataclass(frozen=True)
class Aside:
    """A deed of another process, for a named point."""

    text: str
    act: Callable[[], str]


def step(world: World) -> None:
    """Draw an action, let it act, and write down what it did."""
    names = list(ACTIONS)
    name = world.rng.choices(names, [ACTIONS[name].weight for name in names])[0]
    try:
        done = ACTIONS[name].act(world)
    except Crash:
        world.recover()
        done = "no answer: the process ended"
    if done is not None:
        world.hit(f"action:{name}")
        world.note(f"{name}: {done}")
    world.collect_jobs()


def choose_aside(world: World) -> Aside | None:
    """Draw what another process does at a named point: a job, a callback, or a call of the partner."""
    due = world.due_jobs()
    kinds = [
        *(["job"] * 3 if due else []),
        *(["callback"] if world.wire else []),
        *(["cancel"] if world.payments else []),
    ]
    if not kinds:
        return None
    kind = world.rng.choice(kinds)
    if kind == "job":
        message = world.rng.choice(due)
        return Aside(f"job {_job(message)}", lambda: _finish(world, message))
    if kind == "callback":
        message = world.rng.choice(world.wire)
        return Aside(f"callback {message.content['id']}", lambda: _arrive(world, message))
    asked = Asked(f"/payments/{world.rng.choice(world.payments)}/cancel", {}, new_key(world))
    return Aside(f"{asked.path} {asked.key}", lambda: _try(world, asked))


# -- the partner ---------------------------------------------------------------------------------------------------


def create(world: World, **changes: Any) -> str:
    """Ask for money."""
    suffix = world.rng.choice(MAGIC)
    is_person = world.chance(0.35)
    phone = f"07{world.rng.randrange(11_000_000, 11_000_006):08d}" if is_person else f"0700000{suffix}"
    body = {
        "amount": {"amount": f"{world.rng.randrange(10, 3_000)}.00", "currency": "KES"},
        "method": "mpesa",
        "payer": {"phone": phone},
        "branch_id": world.rng.choice(world.branch_ids),
        "reference": f"ORD-{world.next_number()}",
        **changes,
    }
    asked = Asked("/payments", body, new_key(world))
    reply = send(world, asked)
    if reply.status == 201:
        world.payments.append(reply.body["id"])
    return f"{body['amount']['amount']} from {phone} -> {reply.status}"


def create_unconfirmed(world: World) -> str:
    """Ask for money later."""
    return create(world, confirm=False)


def create_refused(world: World) -> str:
    """Ask for what must be refused, and see that nothing came of it."""
    before = PaymentIntent.objects.count()
    amount = world.rng.choice(["10.50", "0.50", f"{MAXIMUM + 1}.00"])
    said = create(world, amount={"amount": amount, "currency": "KES"})
    if not said.endswith("422") or PaymentIntent.objects.count() != before:
        raise Broken(f"an amount that must be refused was taken: {said}")
    return said


def repeat(world: World) -> str | None:
    """Send a request again with its key: the answer is the same and nothing happens twice."""
    if not world.asked:
        return None
    asked = world.rng.choice(world.asked)
    before = asked.reply
    reply = send(world, asked, is_new=False)
    if (
        before is not None
        and reply.status < 500
        and (reply.status, reply.body) != (before.status, before.body)
    ):
        raise Broken(
            f"{asked.path} repeated with its key was answered {reply.status} {reply.body}, first {before}"
        )
    if before is None and reply.status == 201 and "amount" in asked.body:
        world.payments.append(reply.body["id"])
    asked.reply = reply if reply.status < 400 else before
    return f"{asked.path} {asked.key} -> {reply.status}"


def reuse_key(world: World) -> str | None:
    """Send another body with a key that was used: refused."""
    used = [asked for asked in world.asked if asked.reply is not None and asked.reply.status < 400]
    if not used:
        return None
    asked = world.rng.choice(used)
    reply = world.call("POST", asked.path, {**asked.body, "description": "another"}, key=asked.key)
    if reply.status != 422:
        raise Broken(f"a used key with another body was answered {reply.status}: {reply.body}")
    return f"{asked.key} -> {reply.status}"


def confirm(world: World) -> str | None:
    """Confirm a payment that waits for it."""
    found = PaymentIntent.objects.filter(status=IntentStatus.REQUIRES_CONFIRMATION).order_by("id").first()
    return _deed(world, found, "confirm") if found else None


def cancel(world: World) -> str | None:
    """Ask to cancel whatever payment."""
    if not world.payments:
        return None
    payment = world.rng.choice(world.payments)
    reply = send(world, Asked(f"/payments/{payment}/cancel", {}, new_key(world)))
    return f"{payment} -> {reply.status}"


def verify(world: World) -> str | None:
    """Hold a receipt against a payment without an answer: the right one, or another's."""
    found = PaymentIntent.objects.filter(status=IntentStatus.UNKNOWN).order_by("id").first()
    receipts = [prompt["receipt"] for prompt in _prompts(world) if prompt["receipt"]]
    if found is None or not receipts:
        return None
    right = receipt_of(world, found)
    receipt = right if right and world.chance(0.7) else world.rng.choice(receipts)
    return _deed(world, found, "verify", {"receipt": receipt})


def replay_webhook(world: World) -> str | None:
    """Have a webhook sent again."""
    found = WebhookDelivery.objects.order_by("id").first()
    if found is None:
        return None
    reply = world.call("POST", f"/webhook-deliveries/{ids.encode('whd', found.id)}/replay")
    if reply.status == 404:
        raise Broken("a webhook delivery cannot be found to be replayed")
    return f"{found.id} -> {reply.status}"


def fail_inbox(world: World) -> str:
    """Let the partner's server fail."""
    reply = world.call("POST", f"/sandbox-inboxes/{world.inbox_id}/fail-next", {"status": 503, "times": 2})
    return str(reply.status)


# -- the payer and the provider ------------------------------------------------------------------------------------


def answer_phone(decision: str) -> Callable[[World], str | None]:
    """Return the deed of a payer who answers a prompt so."""

    def act(world: World) -> str | None:
        waiting = [
            prompt for prompt in _prompts(world) if prompt["state"] == "waiting" and not prompt["is_ignored"]
        ]
        if not waiting:
            return None
        prompt = world.rng.choice(waiting)
        world.control("POST", f"/prompts/{prompt['id']}/{decision}")
        world.collect_callbacks()
        return str(prompt["reference"])

    return act


def script_fault(world: World) -> str:
    """Let a call of the provider go wrong, in one of the ways that its simulator knows."""
    path, action = world.rng.choice(SCRIPTS)
    name = action if isinstance(action, str) else action["action"]
    world.control("POST", "/scripts", {"match": {"path": path}, "times": 1, "actions": [action]})
    world.hit(f"script:{name}")
    return f"{path} {json.dumps(action)}"


def restart_simulator(world: World) -> str:
    """End the provider's process and start it again."""
    world.restart_simulator()
    return "from its store"


# -- workers, broker, wire and clock -------------------------------------------------------------------------------


def work(world: World) -> str | None:
    """Deliver a job, in whatever order; seldom lose it, or deliver it once more later."""
    due = world.due_jobs()
    if not due:
        return None
    message = world.rng.choice(due)
    fate = world.rng.choices(("once", "lost", "again"), (88, 5, 7))[0]
    if fate == "lost":
        world.broker.remove(message)
        world.hit("broker:lost")
        return f"{_job(message)} is lost"
    if fate == "again":
        world.hit("broker:duplicated")
        return f"{_job(message)}, and once more later: {world.run_job(message.content)}"
    return f"{_job(message)}: {_finish(world, message)}"


def beat(world: World) -> str:
    """Start the sweeps, as beat does every few seconds."""
    for name in SWEEPS:
        world.broker.append(Message(world.now, world.next_number(), jobs.Job(name, {})))
    return "sweeps"


def tick(world: World) -> str:
    """Let time pass."""
    seconds = world.rng.choice(STEPS)
    world.tick(seconds)
    return f"{seconds} s"


def receive(world: World) -> str | None:
    """Bring a callback; any of those on the wire, so they overtake each other."""
    if not world.wire:
        return None
    place = world.rng.randrange(len(world.wire))
    if place:
        world.hit("wire:reordered")
    message = world.wire[place]
    fate = world.rng.choices(("once", "lost", "again"), (80, 8, 12))[0]
    what = f"{message.content['kind']} {message.content['id']}"
    if fate == "lost":
        world.wire.remove(message)
        world.hit("wire:lost")
        return f"{what} is lost"
    if fate == "again":
        world.hit("wire:duplicated")
        reply = world.deliver(message.content)
        return f"{what}, and once more later: {reply.status if reply else 'no answer'}"
    return f"{what}: {_arrive(world, message)}"


def forge(world: World) -> str:
    """Send a callback that nobody asked for."""
    body = {"Body": {"stkCallback": {"CheckoutRequestID": "ws_CO_1", "ResultCode": 0, "ResultDesc": "Paid"}}}
    url = f"/hooks/{world.organisation.id.hex}/{FORGED_TOKEN}/collection"
    reply = world.deliver({"url": url, "body": body})
    return str(reply.status if reply else "no answer")


SWEEPS = ("payments.sweep_organisation", "events.sweep_organisation")
ACTIONS: dict[str, Action] = {
    "create": Action(12, create),
    "create_unconfirmed": Action(2, create_unconfirmed),
    "create_refused": Action(1, create_refused),
    "repeat": Action(3, repeat),
    "reuse_key": Action(1, reuse_key),
    "confirm": Action(3, confirm),
    "cancel": Action(2, cancel),
    "verify": Action(3, verify),
    "replay_webhook": Action(1, replay_webhook),
    "fail_inbox": Action(1, fail_inbox),
    "approve": Action(7, answer_phone("approve")),
    "cancel_on_phone": Action(2, answer_phone("cancel")),
    "wrong_pin": Action(1, answer_phone("wrong-pin")),
    "ignore": Action(1, answer_phone("ignore")),
    "script_fault": Action(6, script_fault),
    "restart_simulator": Action(1, restart_simulator),
    "work": Action(45, work),
    "beat": Action(5, beat),
    "tick": Action(12, tick),
    "receive": Action(12, receive),
    "forge": Action(1, forge),
}


def send(world: World, asked: Asked, *, is_new: bool = True) -> Reply:
    if is_new:
        world.asked.append(asked)
    reply = world.call("POST", asked.path, asked.body, key=asked.key)
    if reply.status == 500:
        raise Broken(f"{asked.path} was answered 500")
    if is_new:
        asked.reply = reply
    return reply


def _try(world: World, asked: Asked) -> str:
    """Send a request that may have to wait for a row: then it is answered 500, and nothing came of it."""
    world.asked.append(asked)
    reply = world.call("POST", asked.path, asked.body, key=asked.key)
    if reply.status >= 500:
        return "blocked"
    asked.reply = reply
    return str(reply.status)


def _deed(world: World, intent: PaymentIntent, deed: str, body: Any = None) -> str:
    payment = ids.encode("pi", intent.id)
    reply = send(world, Asked(f"/payments/{payment}/{deed}", body or {}, new_key(world)))
    return f"{payment} {json.dumps(body or {})} -> {reply.status}"


def new_key(world: World) -> str:
    return f"key-{world.next_number()}"


def _finish(world: World, message: Message) -> str:
    world.broker.remove(message)
    outcome = world.run_job(message.content)
    if outcome == "blocked" or outcome.startswith("crashed"):
        world.broker.append(message)  # acknowledged late: what a worker has not finished is delivered again
    return outcome


def _arrive(world: World, message: Message) -> str:
    world.wire.remove(message)
    reply = world.deliver(message.content)
    return str(reply.status) if reply else "no answer"


def _job(message: Message) -> str:
    return f"{message.content.name} {json.dumps(message.content.arguments, sort_keys=True)}"


def _prompts(world: World) -> list[dict[str, Any]]:
    return list(world.control("GET", "/prompts")["prompts"])


def receipt_of(world: World, intent: PaymentIntent) -> str:
    codes = set(PaymentAttempt.objects.filter(intent=intent).values_list("code", flat=True))
    return next((p["receipt"] for p in _prompts(world) if p["reference"] in codes and p["receipt"]), "")
