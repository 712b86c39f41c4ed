"""Reminders: a request that waits too long at a step is called to mind, once a step, and to other roles later."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.approvals import events
from apps.approvals.contracts import ReminderStage
from apps.approvals.models import ApprovalReminder, ApprovalRequest
from apps.approvals.selectors import requests as stored
from apps.approvals.services import decisions
from apps.events.services import outbox
from apps.kit import jobs

BATCH = 500


def run(*, now: datetime) -> None:
    """Start a job for each request that is to be called to mind; safe to run at any time and twice at once."""
    waiting = {
        request_id
        for stage in ReminderStage
        for request_id in stored.waits_too_long(stage, now=now).values_list("id", flat=True)[:BATCH]
    }
    for request_id in sorted(waiting):
        jobs.enqueue("approvals.remind_request", request_id=request_id)


@transaction.atomic
def send(*, request_id: UUID, now: datetime) -> list[ApprovalReminder]:
    """
    Say that a request waits longer at its step than its rule allows, and return what was said.

    Each stage is said once for a step of a version, whoever asks and however often. A request that is decided or out of
    time is not called to mind any more.
    """
    request = decisions.locked(request_id)
    if not request.is_pending or request.expires_at <= now:
        return []
    said = set(stored.reminders_of(request).values_list("stage", flat=True))
    return [_sent(request, stage, now) for stage in _due(request, now) if stage not in said]


def _due(request: ApprovalRequest, now: datetime) -> list[ReminderStage]:
    waits = now - request.step_began_at
    patience = {ReminderStage.WIDENED: stored.present_step(request).further_after_hours}
    for stage, column in stored.PATIENCE.items():
        patience[stage] = getattr(request.rule, column) if request.rule else None
    return [
        stage for stage in ReminderStage if (hours := patience[stage]) and waits >= timedelta(hours=hours)
    ]


def _sent(request: ApprovalRequest, stage: ReminderStage, now: datetime) -> ApprovalReminder:
    reminder = ApprovalReminder.objects.create(
        request=request,
        payload_version=request.payload_version,
        step=request.current_step,
        stage=stage.value,
        roles=_told(request, stage),
        sent_at=now,
    )
    outbox.publish(events.reminder(reminder), now=now)
    return reminder


def _told(request: ApprovalRequest, stage: ReminderStage) -> list[str]:
    if stage is ReminderStage.ESCALATED and request.rule is not None:
        return request.rule.escalate_roles
    step = stored.present_step(request)
    return step.further_roles if stage is ReminderStage.WIDENED else step.roles
