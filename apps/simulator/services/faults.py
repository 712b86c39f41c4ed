"""The vocabulary of faults: what each action of a script, and so each magic number, does to a call."""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from apps.simulator.contracts import Answer, AnswerKind, Delivery, Faults, StatementExtra
from apps.simulator.services import amounts

Fields = Mapping[str, object]

MAGIC_PREFIX = "254700000"
PAYS = {"action": "result", "code": "0"}
MAGIC_NUMBERS: dict[str, tuple[Fields, ...]] = {
    "000": (PAYS,),
    "001": ({"action": "result", "code": "1"},),
    "017": ({"action": "result", "code": "17"},),
    "019": ({"action": "result", "code": "1019"},),
    "032": ({"action": "result", "code": "1032"},),
    "037": ({"action": "result", "code": "1037", "ms": 60_000},),
    "201": ({"action": "result", "code": "2001"},),
    "777": (PAYS, {"action": "drop_callback"}),
    "778": (PAYS, {"action": "duplicate_callback", "n": 2}),
    "779": (PAYS, {"action": "callback_before_response"}),
    "780": (PAYS, {"action": "hang", "processed": True}),
    "781": ({"action": "status", "status": 500},),
    "782": (PAYS, {"action": "status", "status": 500, "processed": True}),
    "783": ({"action": "hang"},),
    "784": (PAYS, {"action": "hang", "processed": True}, {"action": "drop_callback"}),
}
REVERSAL_NUMBERS: dict[str, tuple[Fields, ...]] = {
    "801": ({"action": "result", "code": "1"},),
    "806": ({"action": "result", "code": "2006"},),
    "811": ({"action": "result", "code": "11"},),
    "877": (PAYS, {"action": "drop_callback"}),
    "878": (PAYS, {"action": "duplicate_callback", "n": 2}),
    "879": (PAYS, {"action": "callback_before_response"}),
    "880": (PAYS, {"action": "hang", "processed": True}),
    "881": ({"action": "status", "status": 500},),
    "882": (PAYS, {"action": "status", "status": 500, "processed": True}),
    "883": ({"action": "hang"},),
    "884": (PAYS, {"action": "hang", "processed": True}, {"action": "drop_callback"}),
    "885": ({"action": "queue_timeout"},),
    "886": ({"action": "queue_timeout", "processed": True},),
}
HTML_ERROR = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
SPIKE_ARREST = '{"requestId":"","errorCode":"500.003.02","errorMessage":"Spike Arrest Violation"}'
TOO_MANY = (
    '{"fault":{"faultstring":"Rate limit quota violation.","detail":{"errorcode":"policies.ratelimit"}}}'
)
INTERNAL_ERROR = '{"requestId":"","errorCode":"500.001.1001","errorMessage":"Internal Server Error"}'
XML_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE bomb [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {name} "{f"&{inner};" * 10}">' for inner, name in pairwise("abcdefghij"))
    + "]><bomb>&j;</bomb>"
)
"""A billion laughs: a few hundred bytes that a careless reader makes gigabytes of."""
MESSAGES = ("callback", "confirmation", "validation")
STRANGER = "127.0.0.66"
LARGEST_SKEW = 7 * 24 * 3_600
LONGEST_MS = 24 * 3_600_000
MOST_COPIES = 50
LONGEST_TEXT = 100_000


class ActionRefused(Exception):
    """The action is unknown, or one of its fields is not what it must be."""


def magic_actions(*, msisdn: str) -> tuple[Fields, ...]:
    """Return what a magic phone number stands for when it is asked to pay; those for reversals just pay."""
    suffix = _magic_suffix(msisdn)
    return (PAYS,) if suffix in REVERSAL_NUMBERS else MAGIC_NUMBERS.get(suffix, ())


def magic_reversal_actions(*, msisdn: str) -> tuple[Fields, ...]:
    """Return what a magic phone number stands for when its payment is reversed."""
    return REVERSAL_NUMBERS.get(_magic_suffix(msisdn), ())


def compose(*, actions: Sequence[object]) -> Faults:
    """Apply the actions in their order to a call that is otherwise normal, or raise ActionRefused."""
    faults = Faults()
    for action in actions:
        fields = {"action": action} if isinstance(action, str) else action
        if not isinstance(fields, Mapping):
            raise ActionRefused("An action is a name or an object with the field action.")
        name = fields.get("action")
        if not isinstance(name, str) or name not in ACTIONS:
            raise ActionRefused(f"Unknown action {name!r}; known are {', '.join(sorted(ACTIONS))}.")
        known, apply = ACTIONS[name]
        unknown = set(fields) - known - {"action"}
        if unknown:
            raise ActionRefused(f"{name} has no field {', '.join(sorted(map(str, unknown)))}.")
        faults = apply(faults, fields)
    return faults


def _magic_suffix(msisdn: str) -> str:
    return msisdn.removeprefix(MAGIC_PREFIX) if msisdn.startswith(MAGIC_PREFIX) else ""


def _number(
    fields: Fields, name: str, *, default: int | None = None, low: int = 0, high: int = LONGEST_MS
) -> int:
    value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ActionRefused(f"{fields['action']}: {name} is a whole number from {low} to {high}.")
    return value


def _text(fields: Fields, name: str, *, default: str | None = None) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise ActionRefused(f"{fields['action']}: {name} is a text.")
    if not value.isprintable() and name != "body":
        raise ActionRefused(f"{fields['action']}: {name} is one printable line.")
    return value


def _flag(fields: Fields, name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise ActionRefused(f"{fields['action']}: {name} is true or false.")
    return value


def _cents(fields: Fields, name: str) -> int:
    try:
        return amounts.cents(value=fields.get(name))
    except amounts.AmountRefused as refusal:
        raise ActionRefused(f"{fields['action']}: {name}: {refusal}") from refusal


def _answer(faults: Faults, **changes: Any) -> Faults:
    return replace(faults, answer=replace(faults.answer, **changes))


def _plan(faults: Faults, **changes: Any) -> Faults:
    return replace(faults, plan=replace(faults.plan, **changes))


def _delivery(faults: Faults, fields: Fields, **changes: Any) -> Faults:
    """Change how one of the messages travels: the callback, unless the action names another."""
    of = _text(fields, "of", default="callback")
    if of not in MESSAGES:
        raise ActionRefused(f"{fields['action']}: of is {' or '.join(MESSAGES)}.")
    held = getattr(faults.plan, of) or Delivery()
    return _plan(faults, **{of: replace(held, **changes)})


def _wrong_ip(faults: Faults, fields: Fields) -> Faults:
    ip = _text(fields, "ip", default=STRANGER)
    try:
        is_local = ipaddress.IPv4Address(ip).is_loopback
    except ValueError:
        is_local = False
    if not is_local:
        raise ActionRefused("wrong_ip: ip is an address of this computer, as 127.0.0.66.")
    return _delivery(faults, fields, source=ip)


def _scripted(faults: Faults, fields: Fields, *, status: int, body: str, content_type: str) -> Faults:
    answer = Answer(
        kind=AnswerKind.SCRIPTED,
        is_processed=_flag(fields, "processed"),
        status=_number(fields, "status", default=status, low=200, high=599),
        body=body,
        content_type=content_type,
        delay_ms=faults.answer.delay_ms,
        is_kept=_flag(fields, "kept"),
    )
    return replace(faults, answer=answer)


def _status(faults: Faults, fields: Fields) -> Faults:
    body = _text(fields, "body", default=INTERNAL_ERROR)
    return _scripted(faults, fields, status=500, body=body, content_type="application/json")


def _rate_limit(faults: Faults, fields: Fields) -> Faults:
    code = _text(fields, "code", default="500.003.02")
    if code not in {"429", "500.003.02"}:
        raise ActionRefused("rate_limit: code is 429 or 500.003.02.")
    status, body = (429, TOO_MANY) if code == "429" else (500, SPIKE_ARREST)
    return _scripted(faults, fields, status=status, body=body, content_type="application/json")


def _result(faults: Faults, fields: Fields) -> Faults:
    code = _text(fields, "code")
    if not code.replace("_", "").isalnum():
        raise ActionRefused("result: code is a result code such as 1032.")
    return _plan(faults, result_code=code, result_after_ms=_number(fields, "ms", default=2_000))


def _statement_extra(faults: Faults, fields: Fields) -> Faults:
    kind = _text(fields, "kind", default="payment")
    if kind not in {"payment", "charge"}:
        raise ActionRefused("statement_extra: kind is payment or charge.")
    extra = StatementExtra(
        kind=kind,
        amount_cents=_cents(fields, "amount"),
        details=_text(fields, "details", default="Organization Settlement"),
        receipt=_text(fields, "receipt", default=""),
    )
    return _plan(faults, extras=(*faults.plan.extras, extra))


def _before_response(faults: Faults, _: Fields) -> Faults:
    return _plan(
        faults,
        callback=replace(faults.plan.callback, is_first=True),
        result_after_ms=0,
        result_code=faults.plan.result_code or "0",
    )


def _queue_timeout(faults: Faults, fields: Fields) -> Faults:
    return _plan(
        faults,
        queue_timeout_ms=_number(fields, "ms", default=60_000),
        is_moved_despite_timeout=_flag(fields, "processed"),
    )


def _partial_result(faults: Faults, fields: Fields) -> Faults:
    missing = fields.get("missing", [] if _flag(fields, "swapped") else None)
    is_list = isinstance(missing, list) and all(isinstance(name, str) for name in missing)
    if missing is not None and not is_list:
        raise ActionRefused("partial_result: missing is a list of names.")
    return _plan(
        faults,
        missing=tuple(missing) if isinstance(missing, list) else None,
        is_single_object=_flag(fields, "as_object"),
        is_container_swapped=_flag(fields, "swapped"),
    )


Action = Callable[[Faults, Fields], Faults]
ACTIONS: dict[str, tuple[set[str], Action]] = {
    "delay": ({"ms"}, lambda faults, fields: _answer(faults, delay_ms=_number(fields, "ms"))),
    "hang": (
        {"processed"},
        lambda faults, fields: _answer(faults, kind=AnswerKind.HANG, is_processed=_flag(fields, "processed")),
    ),
    "reset": (
        {"processed"},
        lambda faults, fields: _answer(
            faults, kind=AnswerKind.RESET, is_processed=_flag(fields, "processed")
        ),
    ),
    "status": ({"status", "body", "processed", "kept"}, _status),
    "malformed_json": (
        {"processed"},
        lambda faults, fields: _answer(
            faults, kind=AnswerKind.MALFORMED, is_processed=_flag(fields, "processed")
        ),
    ),
    "html_error": (
        {"status", "processed"},
        lambda faults, fields: _scripted(
            faults, fields, status=502, body=HTML_ERROR, content_type="text/html"
        ),
    ),
    "empty_body": (
        {"status", "processed"},
        lambda faults, fields: _scripted(faults, fields, status=200, body="", content_type="text/plain"),
    ),
    "xml_bomb": (
        {"processed"},
        lambda faults, fields: _scripted(
            faults, fields, status=200, body=XML_BOMB, content_type="application/xml"
        ),
    ),
    "rate_limit": ({"code", "processed"}, _rate_limit),
    "expire_token": (set(), lambda faults, _: _answer(faults, is_token_expired=True)),
    "result": ({"code", "ms"}, _result),
    "drop_callback": (
        {"of"},
        lambda faults, fields: _delivery(faults, fields, is_dropped=True),
    ),
    "duplicate_callback": (
        {"of", "n", "spacing_ms"},
        lambda faults, fields: _delivery(
            faults,
            fields,
            count=_number(fields, "n", default=2, low=2, high=MOST_COPIES),
            spacing_ms=_number(fields, "spacing_ms", default=0),
        ),
    ),
    "delay_callback": (
        {"of", "ms"},
        lambda faults, fields: _delivery(faults, fields, delay_ms=_number(fields, "ms")),
    ),
    "reorder": (
        {"of", "behind"},
        lambda faults, fields: _delivery(
            faults, fields, behind=_number(fields, "behind", default=1, low=1, high=MOST_COPIES)
        ),
    ),
    "bad_signature": (
        {"of"},
        lambda faults, fields: _delivery(faults, fields, is_badly_signed=True),
    ),
    "wrong_ip": ({"of", "ip"}, _wrong_ip),
    "clock_skew": (
        {"seconds"},
        lambda faults, fields: _plan(
            faults, skew_ms=1_000 * _number(fields, "seconds", low=-LARGEST_SKEW, high=LARGEST_SKEW)
        ),
    ),
    "callback_before_response": (set(), _before_response),
    "wrong_amount": (
        {"amount"},
        lambda faults, fields: _plan(faults, moved_cents=_cents(fields, "amount")),
    ),
    "wrong_amount_callback_only": (
        {"amount"},
        lambda faults, fields: _plan(faults, announced_cents=_cents(fields, "amount")),
    ),
    "late_success": (
        {"ms"},
        lambda faults, fields: _plan(faults, late_success_ms=_number(fields, "ms", default=30_000)),
    ),
    "late_failure": (
        {"ms"},
        lambda faults, fields: _plan(faults, late_failure_ms=_number(fields, "ms", default=30_000)),
    ),
    "replay_old": (
        {"of", "n"},
        lambda faults, fields: _delivery(
            faults, fields, replay_count=_number(fields, "n", default=1, low=1, high=MOST_COPIES)
        ),
    ),
    "queue_timeout": ({"ms", "processed"}, _queue_timeout),
    "partial_result": ({"missing", "as_object", "swapped"}, _partial_result),
    "statement_omit": (set(), lambda faults, _: _plan(faults, is_hidden_from_statement=True)),
    "statement_extra": ({"amount", "kind", "details", "receipt"}, _statement_extra),
}
