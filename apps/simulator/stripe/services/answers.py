"""Answers that were given under an idempotency key, kept for a day."""

from dataclasses import dataclass

from apps.simulator.stripe.contracts import Scope

KEPT_FOR_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a key was answered with, and what it was used for."""

    fingerprint: str
    status: int
    body: str


def find(scope: Scope, key: str) -> KeptAnswer | None:
    """Return what the key got within the last day, or None."""
    row = scope.tx.execute(
        "SELECT fingerprint, status, body FROM stripe_answer WHERE account = ? AND key = ? AND at > ?",
        (scope.account.id, key, scope.now - KEPT_FOR_MS),
    ).fetchone()
    return None if row is None else KeptAnswer(**dict(row))


def keep(scope: Scope, key: str, *, fingerprint: str, status: int, body: str) -> None:
    """Keep an answer over what the key got before."""
    scope.tx.execute(
        "INSERT OR REPLACE INTO stripe_answer (account, key, fingerprint, status, body, at) VALUES (?, ?, ?, ?, ?, ?)",
        (scope.account.id, key, fingerprint, status, body, scope.now),
    )
