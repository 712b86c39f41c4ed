"""What a PayPal-Request-Id was used for: a repeat is told how the thing now stands that the first call made."""

from dataclasses import dataclass

from apps.simulator.paypal.contracts import Scope

HOUR_MS = 3_600_000
KEPT_MS = (("/v2/checkout", 6 * HOUR_MS), ("/v3/vault", 3 * HOUR_MS), ("", 45 * 24 * HOUR_MS))
"""By the beginning of an endpoint; the first that fits."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a key was used for: the request, and the object that it made or changed."""

    fingerprint: str
    made: str


def find(scope: Scope, endpoint: str, key: str) -> KeptAnswer | None:
    """Return what the key was used for at an endpoint, or None where that is forgotten."""
    since = scope.now - next(kept for beginning, kept in KEPT_MS if endpoint.startswith(beginning))
    row = scope.tx.execute(
        "SELECT fingerprint, made FROM paypal_answer WHERE account = ? AND endpoint = ? AND key = ? AND at > ?",
        (scope.account.id, endpoint, key, since),
    ).fetchone()
    return None if row is None else KeptAnswer(**dict(row))


def keep(scope: Scope, endpoint: str, key: str, *, fingerprint: str, made: str) -> None:
    """Remember what the key was used for."""
    scope.tx.execute(
        "INSERT OR REPLACE INTO paypal_answer (account, endpoint, key, fingerprint, made, at) VALUES (?, ?, ?, ?, ?, ?)",
        (scope.account.id, endpoint, key, fingerprint, made, scope.now),
    )
