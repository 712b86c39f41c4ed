"""Writing the audit trail."""

from datetime import datetime
from typing import Any

import structlog

from apps.audit.models import AuditRecord
from apps.kit import trail
from apps.kit.actors import Actor


def write(  # noqa: PLR0913 (an audit record has that many facts, each by keyword)
    *,
    action: str,
    object_type: str,
    object_id: str,
    actor: Actor,
    now: datetime,
    changes: dict[str, Any] | None = None,
    reason: str = "",
    branch: object = "",
    approval: object = "",
    request_id: str = "",
    ip: str = "",
) -> AuditRecord:
    """
    Record one deed in the transaction of the caller: if the deed is rolled back, so is the record.

    ``changes`` maps a field to ``[before, after]`` in JSON values and holds no secret. ``branch`` is the id of the branch
    that it is about, ``approval`` that of the request which was agreed to, by default the one that is being carried out.
    Request id and address default to those of the request that is being served, as the middleware bound them for the
    logs.
    """
    context = structlog.contextvars.get_contextvars()
    return AuditRecord.objects.create(
        occurred_at=now,
        action=action,
        object_type=object_type,
        object_id=object_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        person=actor.person,
        application=actor.application,
        changes=changes or {},
        reason=reason,
        request_id=request_id or str(context.get("request_id", "")),
        ip=ip or str(context.get("ip", "")),
        user_agent=trail.user_agent.get(),
        branch=str(branch or ""),
        approval=str(approval or trail.present_approval()),
    )
