"""Chaos: a share of the calls that no script is for goes wrong, in ways that the seed draws."""

import sqlite3
from collections.abc import Mapping

from apps.simulator.services import identifiers

WAYS: tuple[Mapping[str, object] | str, ...] = (
    {"action": "delay", "ms": 1_500},
    "hang",
    {"action": "hang", "processed": True},
    "reset",
    {"action": "reset", "processed": True},
    "status",
    {"action": "status", "processed": True},
    {"action": "malformed_json", "processed": True},
    "html_error",
    {"action": "empty_body", "processed": True},
    "rate_limit",
    {"action": "rate_limit", "code": "429"},
    "expire_token",
    "drop_callback",
    {"action": "duplicate_callback", "n": 3, "spacing_ms": 500},
    {"action": "delay_callback", "ms": 5_000},
    "reorder",
    "replay_old",
)
"""What may happen to any call; none of it moves another sum than was asked for."""


def draw(*, tx: sqlite3.Connection, share: float) -> list[object]:
    """Return the actions for one call: mostly none, and one of the ways in so large a share of the calls."""
    if share <= 0 or identifiers.fraction(tx=tx) >= share:
        return []
    return [WAYS[int(identifiers.fraction(tx=tx) * len(WAYS))]]
