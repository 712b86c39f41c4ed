"""Remind deciders: what waits too long at a step is called to mind once, and told to others later."""

from datetime import timedelta

import pytest

from apps.approvals import tasks
from apps.approvals.contracts import NewStep, ReminderStage
from apps.approvals.models import ApprovalReminder
from apps.approvals.selectors import authority
from apps.approvals.selectors import requests as stored
from apps.approvals.services import reminders
from apps.events.models import OutboxEvent
from apps.kit import clock
from tests.approvals.test_two_connections import at_once
from tests.factories import approvals as make

NOW = make.NOW
TWO_STEPS = (NewStep(roles=("approver",)), NewStep(roles=("owner",)))
TIMES = {"remind_after_hours": 4, "escalate_after_hours": 26, "escalate_roles": ("controller",)}


def after(hours: float):
    return NOW + timedelta(hours=hours)


def waiting(**facts):
    make.rule(steps=TWO_STEPS, **{**TIMES, **facts})
    return make.waiting()


def said(request, *, at):
    """Let the sweep and its job run, and return what was said then."""
    due = {row.id for stage in ReminderStage for row in stored.waits_too_long(stage, now=at)}
    sent = reminders.send(request_id=request.id, now=at)
    assert (request.id in due) == bool(sent)
    return [reminder.stage for reminder in sent]


def test_is_said_once_to_who_decides_and_once_to_others(acme):
    request = waiting()

    assert said(request, at=after(3.9)) == []
    assert said(request, at=after(4)) == ["REMINDED"]
    assert said(request, at=after(25.9)) == []
    assert said(request, at=after(26)) == ["ESCALATED"]
    assert said(request, at=after(60)) == []

    told = [event.data for event in OutboxEvent.objects.filter(type="approval_reminder").order_by("id")]
    assert [(one["stage"], one["roles"], one["waiting_hours"]) for one in told] == [
        ("reminded", ["approver"], 4),
        ("escalated", ["controller"], 26),
    ]
    assert told[0]["object"]["status"] == "pending"
    assert OutboxEvent.objects.filter(type="approval_reminder").first().audience == "PARTNER"


def test_each_step_waits_by_itself(acme):
    request = waiting()
    said(request, at=after(5))

    make.approve(request, make.person(), now=after(10))

    assert said(request, at=after(13)) == []
    assert said(request, at=after(14)) == ["REMINDED"]
    assert ApprovalReminder.objects.get(step=2).roles == ["owner"]
    make.amend(request, make.maker(), now=after(15))
    assert said(request, at=after(18)) == []
    assert said(request, at=after(19)) == ["REMINDED"]


def test_others_are_told_and_do_not_decide(acme):
    request = waiting()
    said(request, at=after(30))

    with pytest.raises(authority.NotADecider):
        make.approve(request, make.person("told", "controller"), now=after(31))


def test_what_is_decided_or_over_or_without_hours_is_left_alone(acme):
    quiet = waiting(remind_after_hours=None, escalate_after_hours=None, escalate_roles=())
    assert said(quiet, at=after(71)) == []
    make.refuse(quiet, make.person())
    assert said(quiet, at=after(71)) == []
    late = waiting(priority=1)
    assert said(late, at=after(73)) == []
    assert not ApprovalReminder.objects.exists()


def test_the_sweep_starts_a_job_for_each(acme, django_capture_on_commit_callbacks):
    waiting(), make.waiting(subject_reference="re_2")

    with clock.fixed(after(5)):
        with django_capture_on_commit_callbacks(execute=False) as callbacks:
            tasks.sweep_organisation()
        for request in stored.within(None, None):
            tasks.remind_request(request_id=str(request.id))
        with django_capture_on_commit_callbacks(execute=False) as again:
            tasks.sweep_organisation()

    assert (len(callbacks), len(again)) == (2, 0)
    assert ApprovalReminder.objects.count() == 2


def test_two_workers_say_it_once(committed_acme):
    request = waiting()

    at_once(*[lambda: reminders.send(request_id=request.id, now=after(5))] * 4)

    assert ApprovalReminder.objects.count() == 1
    assert make.told(request.id) == ["approval_requested", "approval_reminder"]
