"""Writing the platform's audit trail."""

from datetime import datetime
from typing import Any

import structlog

from apps.accounts.models import PlatformRecord
from apps.kit import schema, trail
from apps.kit.actors import Actor


def write(
    *,
    action: str,
    object_type: str,
    object_id: str,
    actor: Actor,
    now: datetime,
    changes: dict[str, Any] | None = None,
    reason: str = "",
) -> PlatformRecord:
    """
    Record one deed in the transaction of the caller: if the deed is rolled back, so is the record.

    ``changes`` maps a field to ``[before, after]`` in JSON values and holds no secret. Request id and address are
    those of the request that is being served, the schema is the present one.
    """
    context = structlog.contextvars.get_contextvars()
    return PlatformRecord.objects.create(
        occurred_at=now,
        action=action,
        object_type=object_type,
        object_id=object_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        person=actor.person,
        schema=schema.name(),
        changes=changes or {},
        reason=reason,
        request_id=str(context.get("request_id", "")),
        ip=str(context.get("ip", "")),
        user_agent=trail.user_agent.get(),
    )
