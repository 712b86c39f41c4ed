"""What payers do at their phones, and what goes wrong at the provider."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.simulation.partner import prompts
from tests.simulation.world import TILL, World

PUSH = "/mpesa/stkpush/v1/processrequest"
QUERY = "/mpesa/stkpushquery/v1/query"
STATUS = "/mpesa/transactionstatus/v1/query"
REVERSAL = "/mpesa/reversal/v1/request"
PULL = "/pulltransactions/v1/query"
PULL_REGISTER = "/pulltransactions/v1/register"
REGISTER = "/mpesa/c2b/v2/registerurl"
BALANCE = "/mpesa/accountbalance/v1/query"
QR = "/mpesa/qrcode/v1/generate"
PAY = "/pay"
"""The path of what people pay of themselves, on the face of the phone."""
TOKEN = "/oauth/v1/generate"
PAID = {"action": "result", "code": "0"}
FAILED = {"action": "result", "code": "1032"}
ONE_OBJECT = {"action": "partial_result", "missing": [], "as_object": True}
SWAPPED = {"action": "partial_result", "swapped": True}
SHAPES = ("as_object", "swapped")
LATE = {"action": "delay", "ms": 60_000}
SCRIPTS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    (PUSH, ("hang",)),
    (PUSH, ({"action": "hang", "processed": True},)),
    (PUSH, ("reset",)),
    (PUSH, ({"action": "reset", "processed": True},)),
    (PUSH, ("status",)),
    (PUSH, ({"action": "status", "processed": True},)),
    (PUSH, ({"action": "malformed_json", "processed": True},)),
    (PUSH, ({"action": "html_error", "processed": True},)),
    (PUSH, ({"action": "empty_body", "processed": True},)),
    (PUSH, ("rate_limit",)),
    (PUSH, ({"action": "rate_limit", "code": "429"},)),
    (PUSH, ("expire_token",)),
    (PUSH, ({"action": "duplicate_callback", "n": 3, "spacing_ms": 4_000},)),
    (PUSH, ({"action": "delay_callback", "ms": 20_000},)),
    (PUSH, ("drop_callback",)),
    (PUSH, ("callback_before_response",)),
    (PUSH, (PAID, {"action": "wrong_amount", "amount": "77.00"})),
    (PUSH, (FAILED, {"action": "late_success", "ms": 15_000})),
    (PUSH, ({"action": "replay_old", "n": 2},)),
    (PUSH, ({"action": "partial_result", "missing": ["TransactionDate", "Balance"]},)),
    (QUERY, ("hang",)),
    (QUERY, ("status",)),
    (QUERY, ("malformed_json",)),
    (QUERY, ("rate_limit",)),
    (STATUS, ("drop_callback",)),
    (STATUS, ("queue_timeout",)),
    (REVERSAL, ("hang",)),
    (REVERSAL, ({"action": "reset", "processed": True},)),
    (REVERSAL, ({"action": "status", "processed": True},)),
    (REVERSAL, ("rate_limit",)),
    (REVERSAL, ("drop_callback",)),
    (REVERSAL, ("queue_timeout",)),
    (REVERSAL, ({"action": "queue_timeout", "processed": True},)),
    (REVERSAL, ("partial_result",)),
    (REVERSAL, ({"action": "duplicate_callback", "n": 3, "spacing_ms": 4_000},)),
    (PULL, ("hang",)),
    (PULL, ("html_error",)),
    (PULL, ({"action": "partial_result", "missing": ["billreference"]},)),
    (PUSH, ({"action": "drop_callback", "of": "confirmation"},)),
    (PUSH, ({"action": "reorder", "behind": 1},)),
    (PAY, ("drop_callback",)),
    (PAY, ({"action": "duplicate_callback", "n": 3, "spacing_ms": 4_000},)),
    (PAY, ({"action": "delay_callback", "ms": 20_000},)),
    (PAY, ({"action": "reorder", "behind": 2},)),
    (PAY, ({"action": "drop_callback", "of": "validation"},)),
    (PAY, ({"action": "partial_result", "missing": ["BillRefNumber", "MSISDN"]},)),
    (PAY, ({"action": "clock_skew", "seconds": -90_000},)),
    (PAY, ({"action": "result", "code": "26"}, {"action": "late_success", "ms": 15_000})),
    (PUSH, (LATE,)),
    (PUSH, ("wrong_ip",)),
    (PAY, ("wrong_ip",)),
    (QUERY, (LATE,)),
    (REVERSAL, (LATE,)),
    (STATUS, (ONE_OBJECT,)),
    (STATUS, (SWAPPED,)),
    (REVERSAL, (ONE_OBJECT,)),
    (REVERSAL, (SWAPPED,)),
    (BALANCE, ("hang",)),
    (BALANCE, ("drop_callback",)),
    (BALANCE, ("queue_timeout",)),
    (BALANCE, ("partial_result",)),
    (BALANCE, (ONE_OBJECT,)),
    (BALANCE, (SWAPPED,)),
    (BALANCE, ({"action": "duplicate_callback", "n": 3, "spacing_ms": 4_000},)),
    (REGISTER, ("hang",)),
    (REGISTER, ("html_error",)),
    (REGISTER, ({"action": "reset", "processed": True},)),
    (PULL_REGISTER, ("status",)),
    (PULL_REGISTER, ({"action": "reset", "processed": True},)),
    (QR, ("hang",)),
    (QR, ("malformed_json",)),
    (TOKEN, ("hang",)),
    (TOKEN, ("status",)),
)


def answer_phone(decision: str) -> Callable[[World], str | None]:
    """Return the deed of a payer who answers a prompt so."""

    def act(world: World) -> str | None:
        waiting = [
            prompt for prompt in prompts(world) if prompt["state"] == "waiting" and not prompt["is_ignored"]
        ]
        if not waiting:
            return None
        prompt = world.rng.choice(waiting)
        world.control("POST", f"/prompts/{prompt['id']}/{decision}")
        world.collect_callbacks()
        return str(prompt["reference"])

    return act


def receivers(world: World) -> Counter[str]:
    """Count the prompts that were paid, by what they paid."""
    paid = [prompt["receiver"] for prompt in prompts(world) if prompt["receipt"]]
    return Counter(f"prompt paid:{'till' if number == TILL else 'paybill'}" for number in paid)


def script_fault(world: World) -> str:
    """Let a call of the provider go wrong, in one of the ways that its simulator knows."""
    path, actions = world.rng.choices(SCRIPTS, [_weight(*script) for script in SCRIPTS])[0]
    match = {"path": path, "face": "phone" if path == PAY else "daraja"}
    world.control("POST", "/scripts", {"match": match, "times": 1, "actions": list(actions)})
    world.hit(f"script:{name_of(actions)}")
    return f"{path} {json.dumps(actions)}"


def _weight(path: str, actions: tuple[Any, ...]) -> int:
    """Prefer requests for money, which come most, and money that is late or wrong, which must meet its other faults."""
    if actions[0] == FAILED:
        return 48
    if len(actions) > 1:
        return 16
    return 3 if path in (PUSH, PAY) else 1


def name_of(actions: tuple[Any, ...]) -> str:
    """Return the name of the action that a script is there for, its last, and what shape it gives to an answer."""
    last = actions[-1]
    if isinstance(last, str):
        return last
    return " ".join([str(last["action"]), *(shape for shape in SHAPES if last.get(shape))])


def restart_simulator(world: World) -> str:
    """End the provider's process and start it again."""
    world.restart_simulator()
    return "from its store"
