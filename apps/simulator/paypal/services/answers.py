"""What a PayPal-Request-Id was used for: a repeat is told how the thing now stands that the first call made."""

from dataclasses import dataclass

from apps.simulator.paypal.contracts import Scope

HOUR_MS = 3_600_000
ORDERS_KEPT_MS = 6 * HOUR_MS
PAYMENTS_KEPT_MS = 45 * 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a key was used for: the request, and the object that it made or changed."""

    fingerprint: str
    made: str


def find(scope: Scope, endpoint: str, key: str) -> KeptAnswer | None:
    """Return what the key was used for at an endpoint, or None: orders are remembered for 6 hours, the rest for 45 days."""
    is_order = endpoint.startswith("/v2/checkout")
    since = scope.now - (ORDERS_KEPT_MS if is_order else PAYMENTS_KEPT_MS)
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
