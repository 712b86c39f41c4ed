"""Change rules: a second person agrees, by the rules that were in force before the change."""

from dataclasses import replace

import pytest

from apps.access.models import Membership, Role
from apps.approvals import subscribers
from apps.approvals.contracts import RULE_CHANGE, ApprovalStatus, CountedBy, NewStep
from apps.approvals.models import ApprovalRequest, ApprovalRule
from apps.approvals.selectors import requests as stored
from apps.approvals.selectors.authority import NotADecider, OwnRequest
from apps.approvals.services import rule_changes, rules, strictness
from apps.approvals.services.requests import NotTheMaker, RequestPending
from apps.approvals.services.rule_changes import NotARuleChange, NotARuleManager
from apps.approvals.services.rules import RuleInvalid
from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.kit.actors import SYSTEM
from tests.approvals.test_two_connections import approving, at_once
from tests.factories import access
from tests.factories import approvals as make

NOW, LATER = make.NOW, make.LATER
WHOLE = {
    "branch_id": None,
    "maximum_minor": 90_000_00,
    "priority": -3,
    "window_hours": 24,
    "window_by": CountedBy.PERSON,
    "remind_after_hours": 4,
    "escalate_after_hours": 8,
    "escalate_roles": ("controller",),
    "steps": (NewStep(("approver", "controller"), 2, ("owner",), 9), NewStep(("owner",), 1)),
}


@pytest.fixture
def strict(acme):
    """Enter acme as an organisation that is no small team."""
    access.seed_roles()
    access.head_office()
    with make.no_small_team():
        yield acme


@pytest.fixture
def boss(strict):
    return make.person("boss", "controller")


def asking(by, **facts):
    return {"application_id": access.application().id, "actor": by, "now": NOW, **facts}


def do(request):
    """Do what was decided, as its event does, and hear it twice."""
    event = OutboxEvent.objects.get(type="approval_decided", aggregate_id=request.id).as_event()
    for _ in range(2):
        subscribers.execute_approval(event)


def described(rule):
    return {**rules.described(rule, list(rule.steps.order_by("sequence")))}


@pytest.mark.parametrize("facts", [{}, WHOLE, {"currency": "", "minimum_minor": None}])
def test_a_rule_holds_when_another_person_has_agreed(boss, facts):
    outcome = rule_changes.create(rule=make.wanted_rule(**facts), **asking(boss))

    request = outcome.request
    assert (outcome.rule, request.kind, request.rule) == (None, RULE_CHANGE.name, None)
    assert not ApprovalRule.objects.exists()
    with pytest.raises(OwnRequest):
        make.approve(request, boss)
    with pytest.raises(NotADecider):
        make.approve(request, make.maker())
    make.approve(request, make.person())
    assert not ApprovalRule.objects.exists()

    do(request)

    made = ApprovalRule.objects.get()
    assert described(made) == stored.present_version(request).payload["wanted"]
    assert (made.id, made.created_by, made.is_active) == (request.subject_id, str(boss), True)
    record = AuditRecord.objects.get(action="approval_rule.created")
    assert (record.approval, record.person) == (str(request.id), boss.person)


def test_the_rules_of_before_decide_about_their_own_change(boss):
    old = make.rule(
        kind=RULE_CHANGE.name, currency="", minimum_minor=None, steps=(NewStep(("controller",), 2),)
    )
    lax = make.wanted_rule(kind=RULE_CHANGE.name, currency="", minimum_minor=None, priority=5)

    waiting = [
        rule_changes.create(rule=lax, **asking(boss)).request,
        rule_changes.replace(rule_id=old.id, rule=lax, **asking(boss)).request,
    ]
    waiting.append(rule_changes.deactivate(rule_id=make.rule().id, **asking(boss)).request)

    for request in waiting:
        assert request.rule == old
        with pytest.raises(NotADecider):
            make.approve(request, make.person())
        make.approve(request, make.person("c1", "controller"))
        assert make.reload(request).is_pending
    make.approve(waiting[0], make.person("c2", "controller"))
    do(waiting[0])
    assert make.reload(waiting[1]).is_pending
    make.approve(waiting[1], make.person("c2", "controller"))
    do(waiting[1])
    assert ApprovalRule.objects.get(id=old.id).is_active is False
    assert ApprovalRule.objects.filter(kind=RULE_CHANGE.name, is_active=True).count() == 2


def test_a_refused_change_changes_nothing_and_one_waits_at_a_time(boss):
    rule = make.rule()
    request = rule_changes.deactivate(rule_id=rule.id, **asking(boss)).request

    with pytest.raises(RequestPending):
        rule_changes.replace(rule_id=rule.id, rule=make.wanted_rule(), **asking(boss))
    assert rule_changes.deactivate(rule_id=rule.id, **asking(boss)).request == request
    make.refuse(request, make.person())
    do(request)

    assert ApprovalRule.objects.get().is_active
    assert ApprovalRequest.objects.count() == 1


@pytest.mark.parametrize("is_within", [False, True])
def test_what_cannot_be_is_not_asked_for(boss, is_within):
    make.rule(steps=(NewStep(("approver",), 2),))
    branch = access.branch()
    facts = {"branch_id": branch.id} if is_within else {"steps": ()}
    refusal = strictness.RuleTooLax if is_within else RuleInvalid

    with pytest.raises(refusal):
        rule_changes.create(
            rule=make.wanted_rule(**facts),
            **asking(boss, within={branch.id} if is_within else None),
        )

    assert not ApprovalRequest.objects.exists()
    assert ApprovalRule.objects.count() == 1


def test_what_cannot_be_any_more_is_left_and_on_record(boss):
    rule = make.rule()
    request = rule_changes.replace(rule_id=rule.id, rule=make.wanted_rule(priority=1), **asking(boss)).request
    make.approve(request, make.person())
    rules.deactivate(rule_id=rule.id, actor=SYSTEM, now=LATER)

    do(request)

    assert not ApprovalRule.objects.filter(is_active=True).exists()
    left = AuditRecord.objects.filter(action="approval_rule.change_left").first()
    assert (left.approval, left.reason) == (
        str(request.id),
        "This rule is out of use already. Make a new one.",
    )


def test_its_maker_edits_it_and_decisions_are_void(boss):
    request = rule_changes.create(rule=make.wanted_rule(), **asking(boss)).request
    make.rule(kind=RULE_CHANGE.name, currency="", minimum_minor=None, steps=(NewStep(("approver",), 2),))
    other = make.wanted_rule(minimum_minor=1_00)

    with pytest.raises(NotTheMaker):
        rule_changes.amend(request_id=request.id, rule=other, actor=make.person(), now=LATER)
    with pytest.raises(RuleInvalid):
        rule_changes.amend(request_id=request.id, rule=replace(other, steps=()), actor=boss, now=LATER)
    elsewhere = replace(other, branch_id=access.branch().id)
    with pytest.raises(NotARuleChange):
        rule_changes.amend(request_id=request.id, rule=elsewhere, actor=boss, now=LATER)
    assert make.reload(request).payload_version == 1
    rule_changes.amend(request_id=request.id, rule=other, actor=boss, now=LATER)

    make.approve(request, make.person())
    assert make.reload(request).is_pending  # the rule of now asks for two
    make.approve(request, make.person("second"))
    do(request)
    made = ApprovalRule.objects.get(kind="refund")
    assert (made.id, made.minimum.text) == (request.subject_id, "1.00")


def test_only_a_change_that_puts_a_rule_in_place_is_edited(boss):
    retiring = rule_changes.deactivate(rule_id=make.rule().id, **asking(boss)).request
    refund = make.waiting(by=boss)

    for request in (retiring, refund):
        with pytest.raises(NotARuleChange):
            rule_changes.amend(request_id=request.id, rule=make.wanted_rule(), actor=boss, now=LATER)
        assert make.reload(request).payload_version == 1


def test_a_small_team_asks_whoever_else_decides(acme):
    boss = make.person("boss", "controller")
    make.person("other", "approver")
    access.head_office()

    outcome = rule_changes.create(rule=make.wanted_rule(), **asking(boss))

    assert (outcome.rule, outcome.request.is_pending) == (None, True)
    assert not ApprovalRule.objects.exists()


def test_a_key_changes_rules_only_while_its_maker_manages_them(boss):
    key, rule = make.key_of(boss), make.rule()
    waits = rule_changes.create(rule=make.wanted_rule(), **asking(key)).request
    Membership.objects.filter(user_id=boss.person).update(role=Role.objects.get(code="approver"))

    for deed in (
        lambda: rule_changes.create(rule=make.wanted_rule(), **asking(key)),
        lambda: rule_changes.replace(rule_id=rule.id, rule=make.wanted_rule(), **asking(key)),
        lambda: rule_changes.deactivate(rule_id=rule.id, **asking(key)),
        lambda: rule_changes.amend(
            request_id=waits.id, rule=make.wanted_rule(priority=2), actor=key, now=LATER
        ),
    ):
        with pytest.raises(NotARuleManager):
            deed()
    Membership.objects.filter(user_id=boss.person).update(is_active=False)
    with pytest.raises(NotARuleManager):
        rule_changes.deactivate(rule_id=rule.id, **asking(key))


def test_a_small_team_does_it_alone_and_says_so(acme):
    boss = make.person("boss", "controller")
    access.seed_roles()

    made = rule_changes.create(rule=make.wanted_rule(), **asking(boss)).rule
    other = rule_changes.replace(rule_id=made.id, rule=make.wanted_rule(priority=1), **asking(boss)).rule
    rule_changes.deactivate(rule_id=other.id, **asking(boss))
    rule_changes.deactivate(rule_id=other.id, **asking(boss))

    assert not ApprovalRule.objects.filter(is_active=True).exists()
    assert not ApprovalRequest.objects.exists()
    alone = AuditRecord.objects.filter(action="approval_rule.changed_alone").order_by("id")
    assert [record.changes["action"][1] for record in alone] == ["create", "replace", "deactivate"]
    assert {record.reason for record in alone} == {"A small team: nobody else agreed to this change."}


def test_two_ask_to_retire_a_rule_and_two_agree_at_once(committed_acme):
    rule, boss = make.rule(), make.person("boss", "controller")
    people, facts = [make.person("a"), make.person("b")], asking(boss)
    access.head_office()

    with make.no_small_team():
        asked = at_once(*[lambda: rule_changes.deactivate(rule_id=rule.id, **facts)] * 3)
        request = asked[0].request
        at_once(*[approving(request, person) for person in people])
    event = OutboxEvent.objects.get(type="approval_decided").as_event()
    at_once(*[lambda: subscribers.execute_approval(event)] * 3)

    assert {outcome.request for outcome in asked} == {request}
    assert make.reload(request).status == ApprovalStatus.APPROVED
    assert ApprovalRule.objects.get().is_active is False
    assert AuditRecord.objects.filter(action="approval_rule.deactivated").count() == 1
    assert not AuditRecord.objects.filter(action="approval_rule.changed_alone").exists()
