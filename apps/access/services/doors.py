"""What happens at the doors of the two sites, on record: in the organisation's audit trail, or in the platform's."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model

from apps.access.selectors import memberships
from apps.accounts.services import platform_records
from apps.audit.services import records
from apps.kit import schema
from apps.kit.actors import SYSTEM, Actor, person

NOBODY = "unknown"
SHOWN = 2


def record(
    action: str,
    *,
    user_id: UUID,
    now: datetime,
    actor: Actor | None = None,
    changes: dict[str, Any] | None = None,
) -> None:
    """Record what a person did or tried at the door that he stands before; he is the actor unless another is named."""
    _write(
        action=action,
        object_type="user",
        object_id=str(user_id),
        actor=actor or person(user_id),
        now=now,
        changes=changes,
    )


def refuse(address: str, *, is_locked: bool, now: datetime) -> None:
    """Record a sign-in that was refused: whose it would have been, or of a stranger as much of the e-mail as names nobody."""
    user = get_user_model().objects.filter(email__iexact=address).first() if "\0" not in address else None
    is_known = user is not None and _belongs(user)
    _write(
        action="sign_in.locked" if is_locked else "sign_in.refused",
        object_type="user" if is_known else "stranger",
        object_id=str(user.pk) if user and is_known else NOBODY,
        actor=SYSTEM,
        now=now,
        changes=None if is_known else {"email": [None, _masked(address)]},
    )


def _belongs(user: Any) -> bool:
    """Whether the person has his place here: who is a member elsewhere is a stranger."""
    if schema.name() == schema.PUBLIC:
        return bool(user.is_platform_staff)
    return memberships.everybody().filter(user_id=user.pk).exists()


def _masked(address: str) -> str:
    """Return the first letters of an e-mail and its domain: people type passwords into the wrong field."""
    name, at, domain = address.replace("\0", "").partition("@")
    return f"{name[:SHOWN]}•••@{domain[:64]}" if at else "•••"


def _write(**facts: Any) -> None:
    write = platform_records.write if schema.name() == schema.PUBLIC else records.write
    write(**facts)
