"""What happens at the doors of the two sites, on record: in the organisation's audit trail, or in the platform's."""

from datetime import datetime
from typing import Any
from uuid import UUID

from apps.accounts.services import platform_records
from apps.audit.services import records
from apps.kit import schema
from apps.kit.actors import Actor, person


def record(
    action: str,
    *,
    user_id: UUID,
    now: datetime,
    actor: Actor | None = None,
    changes: dict[str, Any] | None = None,
) -> None:
    """Record what a person did or tried at the door that he stands before; he is the actor unless another is named."""
    write = platform_records.write if schema.name() == schema.PUBLIC else records.write
    write(
        action=action,
        object_type="user",
        object_id=str(user_id),
        actor=actor or person(user_id),
        now=now,
        changes=changes,
    )
