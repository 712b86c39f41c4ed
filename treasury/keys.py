"""A new data key of an organisation: made, and every secret sealed with it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.audit.services import records
from apps.events.services import sandbox_inboxes, webhook_endpoints
from apps.integrations.services import accounts
from apps.kit import crypto, errors
from apps.kit.actors import Actor
from apps.payments.services import method_tokens
from apps.tenancy.selectors import organisations
from apps.tenancy.services import data_keys

SEALED = {
    "provider accounts": accounts.reseal,
    "saved methods": method_tokens.reseal,
    "webhook endpoints": webhook_endpoints.reseal,
    "sandbox inboxes": sandbox_inboxes.reseal,
}
"""Whose rows hold secrets that a data key seals: a new kind of row adds its line."""


class SecretUnreadable(errors.DomainError):
    """A secret cannot be opened with the key that it names: its row was changed past us, or came from elsewhere."""

    code = "secret_unreadable"
    title = "Secret not readable"


@dataclass(frozen=True, slots=True)
class Rotated:
    """The number of the new key, and how many rows of each kind it seals now."""

    version: int
    resealed: dict[str, int]


@transaction.atomic
def rotate_data_key(*, reason: str, actor: Actor, now: datetime) -> Rotated:
    """
    Seal every secret of the present organisation with a new data key: all of them, or nothing.

    Processes that run need not be told: each value says which key opens it. The old key stays, for what backups hold
    and for a secret that is sealed at this very moment; the next rotation takes that one along.
    Raises SecretUnreadable.
    """
    key = data_keys.create(organisation=organisations.current())
    resealed = {kind: _resealed(kind, reseal) for kind, reseal in SEALED.items()}
    records.write(
        action="data_key.rotated",
        object_type="data_key",
        object_id=str(key.version),
        actor=actor,
        now=now,
        changes={"version": [key.version - 1, key.version]},
        reason=reason,
    )
    return Rotated(key.version, resealed)


def _resealed(kind: str, reseal: Callable[[], int]) -> int:
    try:
        return reseal()
    except crypto.Unreadable:
        raise SecretUnreadable(
            f"A secret of the {kind} cannot be opened: set it anew, then rotate."
        ) from None
