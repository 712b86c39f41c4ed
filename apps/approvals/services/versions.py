"""Versions of a request: what was asked for, and the steps frozen beside it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from apps.approvals.contracts import Named
from apps.approvals.models import ApprovalRequest, ApprovalVersion, NamedRow, RequestedStep
from apps.approvals.selectors import people
from apps.approvals.services.strictness import Step
from apps.kit.actors import Actor


def keep(
    request: ApprovalRequest,
    *,
    payload: Mapping[str, Any],
    names: Iterable[Named],
    steps: Iterable[Step],
    actor: Actor,
    now: datetime,
) -> None:
    """Keep the present version of a request, the rows that it names, and the steps that it passes through in their order."""
    ApprovalVersion.objects.create(
        request=request,
        number=request.payload_version,
        payload=dict(payload),
        payload_hash=request.payload_hash,
        amount_minor=request.amount_minor,
        currency=request.currency,
        summary=request.summary,
        made_by=str(actor),
        maker=actor.person,
        created_at=now,
    )
    RequestedStep.objects.bulk_create(
        [
            RequestedStep(
                request=request,
                payload_version=request.payload_version,
                sequence=place,
                roles=list(step.roles),
                needed=step.needed,
                further_roles=list(step.further_roles),
                further_after_hours=step.further_after_hours,
            )
            for place, step in enumerate(steps, start=1)
        ]
    )
    NamedRow.objects.bulk_create(
        [
            NamedRow(
                request=request,
                payload_version=request.payload_version,
                object_type=object_type,
                object_id=object_id,
                maker=people.behind(made_by),
                created_at=now,
            )
            for (object_type, object_id), made_by in _once(names).items()
        ]
    )


def _once(names: Iterable[Named]) -> dict[tuple[str, str], str]:
    return {(one.object_type, one.object_id): one.made_by for one in names}
