"""Fault scripts that wait for calls: which call each one matches, and how often it still fires."""

import json
import sqlite3
from collections.abc import Mapping
from fnmatch import fnmatchcase

from apps.simulator.services import faults

MATCH_FIELDS = {"face", "path", "method", "nth", "body"}
DARAJA = "daraja"
RATES = "rates"
PHONE = "phone"
STRIPE = "stripe"
PAYPAL = "paypal"
FACES = (DARAJA, RATES, PHONE, STRIPE, PAYPAL)
MOST = 1_000_000
SCRIPT_FIELDS = {"match", "times", "actions"}


class ScriptRefused(Exception):
    """The script is not one that could ever fire."""


def add(*, tx: sqlite3.Connection, script: Mapping[str, object]) -> int:
    """Store a script and return its number; raise ScriptRefused where it makes no sense."""
    match, times, actions = script.get("match", {}), script.get("times", 1), script.get("actions")
    if set(script) - SCRIPT_FIELDS:
        raise ScriptRefused(f"A script has the fields {', '.join(sorted(SCRIPT_FIELDS))}.")
    if not isinstance(match, dict) or set(match) - MATCH_FIELDS:
        raise ScriptRefused(f"match is an object with {', '.join(sorted(MATCH_FIELDS))}.")
    _check_match(match)
    if times is not None and (
        isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= MOST
    ):
        raise ScriptRefused("times is a whole number from 1 to a million, or null for always.")
    if not isinstance(actions, list) or not actions:
        raise ScriptRefused("actions is a list of at least one action.")
    try:
        faults.compose(actions=actions)
    except faults.ActionRefused as refusal:
        raise ScriptRefused(str(refusal)) from refusal
    added = tx.execute(
        "INSERT INTO script (match, actions, times) VALUES (?, ?, ?) RETURNING id",
        (json.dumps(match), json.dumps(actions), times),
    )
    return int(added.fetchone()["id"])


def claim(
    *, tx: sqlite3.Connection, path: str, method: str, body: Mapping[str, object], face: str = DARAJA
) -> tuple[int | None, list[object]]:
    """
    Return the number and the actions of the first script that fires for this call.

    Every script that matches counts the call for its `nth`; only the one that fires spends a time.
    """
    claimed: tuple[int | None, list[object]] = (None, [])
    for row in tx.execute("SELECT * FROM script ORDER BY id").fetchall():
        match = json.loads(row["match"])
        if match.get("face", DARAJA) != face or not _matches(match, path=path, method=method, body=body):
            continue
        seen = row["seen"] + 1
        is_left = row["times"] is None or row["fired"] < row["times"]
        fires = claimed[0] is None and is_left and seen >= match.get("nth", 1)
        tx.execute(
            "UPDATE script SET seen = ?, fired = fired + ? WHERE id = ?", (seen, int(fires), row["id"])
        )
        if fires:
            claimed = (row["id"], json.loads(row["actions"]))
    return claimed


def waiting(*, tx: sqlite3.Connection) -> list[dict[str, object]]:
    """Return all scripts with their counters."""
    return [
        {
            "id": row["id"],
            "match": json.loads(row["match"]),
            "actions": json.loads(row["actions"]),
            "times": row["times"],
            "seen": row["seen"],
            "fired": row["fired"],
        }
        for row in tx.execute("SELECT * FROM script ORDER BY id")
    ]


def clear(*, tx: sqlite3.Connection) -> int:
    """Forget all scripts and return how many there were."""
    return tx.execute("DELETE FROM script").rowcount


def _check_match(match: Mapping[str, object]) -> None:
    nth, body = match.get("nth", 1), match.get("body", {})
    if match.get("face", DARAJA) not in FACES:
        raise ScriptRefused(f"face is {' or '.join(FACES)}.")
    if isinstance(nth, bool) or not isinstance(nth, int) or nth < 1:
        raise ScriptRefused("nth is a whole number from 1.")
    if not isinstance(body, dict):
        raise ScriptRefused("body is an object of field and value.")
    if not all(isinstance(match.get(name, ""), str) for name in ("path", "method")):
        raise ScriptRefused("path and method are texts.")


def _matches(match: Mapping[str, object], *, path: str, method: str, body: Mapping[str, object]) -> bool:
    wanted = match.get("body", {})
    return (
        fnmatchcase(path, str(match.get("path", "*")))
        and method == str(match.get("method", method)).upper()
        and isinstance(wanted, dict)
        and all(str(body.get(name)) == str(value) for name, value in wanted.items())
    )
