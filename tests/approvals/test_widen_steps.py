"""Widen steps: what waits too long at a step is decided by further roles as well, and not before."""

from datetime import timedelta

import pytest

from apps.approvals.contracts import ApprovalStatus, NewStep, ReminderStage
from apps.approvals.models import ApprovalDecision, ApprovalRequest
from apps.approvals.selectors import requests as stored
from apps.approvals.selectors.authority import NotADecider
from apps.approvals.services import reminders, strictness
from apps.approvals.services.rules import RuleInvalid
from apps.events.models import OutboxEvent
from tests.approvals.test_delegate_decisions import delegated
from tests.approvals.test_guard_approvals import decision, inserting
from tests.factories import approvals as make

NOW = make.NOW
WIDENS = NewStep(("approver",), 2, further_roles=("controller",), further_after_hours=8)
OPENS = NOW + timedelta(hours=8)
JUST_BEFORE = OPENS - timedelta(microseconds=1)


def for_person(person, *, at):
    return stored.for_person(ApprovalRequest.objects.all(), person.person, now=at).exists()


def test_further_roles_decide_from_their_hour_on(acme):
    request = make.waiting(steps=(WIDENS, NewStep(("owner",))))
    controller, approver = make.person("c", "controller"), make.person()

    assert not for_person(controller, at=JUST_BEFORE)
    with pytest.raises(NotADecider, match="After 8 hours also by: controller"):
        make.approve(request, controller, now=JUST_BEFORE)
    assert for_person(controller, at=OPENS)
    assert not for_person(make.person("a", "accountant"), at=OPENS)
    make.approve(request, controller, now=OPENS)
    assert make.reload(request).current_step == 1
    make.approve(request, approver, now=OPENS)

    assert make.reload(request).current_step == 2
    assert not for_person(make.person("c2", "controller"), at=OPENS)
    assert set(ApprovalDecision.objects.values_list("role", flat=True)) == {"controller", "approver"}


def test_the_hours_begin_with_the_step_and_anew_with_an_edit(acme):
    request = make.waiting(steps=(NewStep(("approver",)), WIDENS))
    controller = make.person("c", "controller")
    make.approve(request, make.person(), now=NOW + timedelta(hours=5))

    assert not for_person(controller, at=OPENS)
    assert for_person(controller, at=NOW + timedelta(hours=13))
    make.amend(request, make.maker(), now=NOW + timedelta(hours=13))
    make.approve(request, make.person(), now=NOW + timedelta(hours=14))
    assert not for_person(controller, at=NOW + timedelta(hours=21))
    assert for_person(controller, at=NOW + timedelta(hours=22))


def test_who_may_by_then_lets_a_colleague_decide(acme):
    request = make.waiting(steps=(WIDENS,))
    controller, colleague = make.person("c", "controller"), make.person("owner", "owner")
    delegated(controller, colleague)

    assert not for_person(colleague, at=JUST_BEFORE)
    assert for_person(colleague, at=OPENS)
    make.approve(request, colleague, now=OPENS)
    assert ApprovalDecision.objects.get().on_behalf_of == controller.person


def test_the_database_knows_the_hour_too(acme):
    request = make.waiting(steps=(WIDENS,))
    controller = make.person("c", "controller")

    inserting(decision(request, controller, decided_at=JUST_BEFORE), match="does not decide this step")
    decision(request, controller, decided_at=OPENS).save()

    assert make.reload(request).status == ApprovalStatus.PENDING


def test_it_is_said_once_to_who_may_decide_now(acme):
    request = make.waiting(steps=(WIDENS,))

    def said(at):
        due = list(stored.waits_too_long(ReminderStage.WIDENED, now=at))
        sent = reminders.send(request_id=request.id, now=at)
        assert (request in due) == bool(sent)
        return [(one.stage, one.roles) for one in sent]

    assert said(JUST_BEFORE) == []
    assert said(OPENS) == [("WIDENED", ["controller"])]
    assert said(OPENS) == []
    event = OutboxEvent.objects.get(type="approval_reminder")
    assert (event.data["stage"], event.data["roles"]) == ("widened", ["controller"])


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"further_roles": ("controller",)}, "further_roles"),
        ({"further_after_hours": 8}, "further_roles"),
        ({"further_after_hours": 8, "further_roles": ("approver",)}, "further_roles"),
        ({"further_after_hours": 8, "further_roles": ("king",)}, "further_roles"),
        ({"further_after_hours": 72, "further_roles": ("controller",)}, "further_after_hours"),
    ],
)
def test_a_step_says_both_or_neither(acme, facts, pointer):
    with pytest.raises(RuleInvalid) as refusal:
        make.rule(steps=(NewStep(("approver",), **facts),))

    assert [error.pointer for error in refusal.value.errors] == [f"/steps/0/{pointer}"]


def test_sooner_or_more_is_laxer():
    plain = NewStep(("approver", "controller"))
    late, soon = (
        NewStep(("approver",), further_roles=("owner",), further_after_hours=hours) for hours in (9, 8)
    )

    assert strictness.covers([late], [soon])
    assert not strictness.covers([soon], [late])
    assert not strictness.covers([late], [plain])
    assert strictness.covers([NewStep(("approver",))], [soon])
    widened = NewStep(("approver",), further_roles=("controller",), further_after_hours=1)
    assert strictness.covers([widened], [plain])
