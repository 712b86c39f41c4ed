"""Manage rules: made, taken out of use, never changed."""

import pytest

from apps.access.services import memberships
from apps.approvals.contracts import NewRule, NewStep
from apps.approvals.models import ApprovalRule
from apps.approvals.selectors import rules as stored
from apps.approvals.services import rules, strictness
from apps.audit.models import AuditRecord
from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.errors import NotFound
from tests.factories import access
from tests.factories import approvals as make
from treasury import onboarding

NOW = make.NOW


def test_keeps_the_steps_in_their_order(acme):
    rule = make.rule(
        steps=(NewStep(roles=("owner", "approver", "owner"), needed=2), NewStep(roles=("controller",)))
    )

    assert [(s.sequence, s.roles, s.needed) for s in stored.steps_of(rule)] == [
        (1, ["approver", "owner"], 2),
        (2, ["controller"], 1),
    ]
    record = AuditRecord.objects.get(action="approval_rule.created")
    assert record.changes["rule"][1]["minimum"] == "10000.00"


@pytest.mark.parametrize(
    ("pointer", "facts"),
    [
        ("/kind", {"kind": "launch"}),
        ("/currency", {"currency": ""}),
        ("/currency", {"currency": "XXX"}),
        ("/currency", {"kind": "approval_rule"}),
        ("/minimum", {"minimum_minor": -1}),
        ("/maximum", {"maximum_minor": 10_000_00}),
        ("/maximum", {"minimum_minor": None, "maximum_minor": 0}),
        ("/priority", {"priority": 1001}),
        ("/steps", {"steps": ()}),
        ("/steps", {"steps": make.ONE_APPROVER * 11}),
        ("/steps/0/needed", {"steps": (NewStep(roles=("owner",), needed=0),)}),
        ("/steps/1/roles", {"steps": (*make.ONE_APPROVER, NewStep(roles=()))}),
        ("/steps/0/roles", {"steps": (NewStep(roles=("owner", "king")),)}),
    ],
)
def test_refuses_what_cannot_be(acme, pointer, facts):
    with pytest.raises(rules.RuleInvalid) as refusal:
        make.rule(**facts)

    assert [error.pointer for error in refusal.value.errors] == [pointer]
    assert ApprovalRule.objects.exists() is False


def test_an_unknown_branch_is_not_found(acme):
    with pytest.raises(NotFound):
        make.rule(branch_id=ids.new())


def test_goes_out_of_use_once(acme):
    rule = make.rule()

    rules.deactivate(rule_id=rule.id, actor=SYSTEM, now=NOW)
    rules.deactivate(rule_id=rule.id, actor=SYSTEM, now=make.LATER)

    rule = ApprovalRule.objects.get()
    assert (rule.is_active, rule.deactivated_at) == (False, NOW)
    assert AuditRecord.objects.filter(action="approval_rule.deactivated").count() == 1
    with pytest.raises(NotFound):
        rules.deactivate(rule_id=ids.new(), actor=SYSTEM, now=NOW)


def test_another_takes_its_place(acme):
    rule = make.rule()
    wanted = NewRule(kind="refund", steps=make.ONE_APPROVER)

    other = rules.replace(rule_id=rule.id, rule=wanted, actor=SYSTEM, now=NOW)

    assert list(ApprovalRule.objects.filter(is_active=True)) == [other]
    with pytest.raises(rules.RuleInvalid):
        rules.replace(rule_id=rule.id, rule=wanted, actor=SYSTEM, now=NOW)


def test_a_wrong_successor_leaves_the_old_one_in_use(acme):
    rule = make.rule()

    with pytest.raises(rules.RuleInvalid):
        rules.replace(rule_id=rule.id, rule=NewRule(kind="launch", steps=()), actor=SYSTEM, now=NOW)

    assert ApprovalRule.objects.get().is_active is True


def test_says_when_a_group_is_too_small(acme):
    rule = make.rule(branch_id=access.head_office().id, steps=(NewStep(roles=("approver",), needed=2),))
    make.person("a")
    make.person("b", branches=(access.branch(),))
    assert stored.is_satisfiable(rule) is False

    make.person("c")

    assert stored.is_satisfiable(rule) is True


def test_a_new_organisation_has_its_first_rules(acme):
    owner = onboarding.Owner("first@example.test", "First", "correct horse battery")

    onboarding.fill(head_office=onboarding.HeadOffice("HQ", "Head office"), owner=owner, now=NOW)

    rule = ApprovalRule.objects.get(kind="refund")
    assert (rule.minimum.text, rule.currency, rule.branch_id) == ("10000.00", "KES", None)
    any_rate = ApprovalRule.objects.get(kind="fx_rate")
    assert (any_rate.minimum, any_rate.currency, any_rate.branch_id) == (None, "", None)
    assert stored.lacking_people([rule, any_rate]) == {rule.id, any_rate.id}  # the owner decides nothing

    memberships.create(user_id=access.user("c@example.test").id, role="approver", actor=SYSTEM, now=NOW)

    assert stored.lacking_people([rule, any_rate]) == set()


TWO_APPROVERS = (NewStep(roles=("approver",), needed=2),)


def by_branch(deed, branch, **facts):
    """Do a deed as somebody who works for this branch only."""
    return deed(actor=SYSTEM, now=NOW, within={branch.id}, **facts)


@pytest.mark.parametrize(
    ("facts", "is_allowed"),
    [
        ({"steps": TWO_APPROVERS}, False),
        ({"steps": (*TWO_APPROVERS, NewStep(roles=("owner",)))}, True),
        ({"steps": (NewStep(roles=("owner",)), NewStep(roles=("owner",)))}, False),
        ({"minimum_minor": 50_000_00}, False),
        ({"minimum_minor": 1_00, "maximum_minor": 10_000_00}, True),
        ({"minimum_minor": None, "currency": ""}, False),
        ({"minimum_minor": None, "currency": "", "priority": -1}, True),
        ({"minimum_minor": None, "currency": "", "priority": 1}, False),
        ({"currency": "USD"}, True),
    ],
)
def test_a_branch_asks_for_as_much_as_everybody_or_more(acme, facts, is_allowed):
    make.rule(steps=(*TWO_APPROVERS, NewStep(roles=("owner", "controller"))))
    branch = access.branch()
    wanted = make.wanted_rule(branch_id=branch.id, **facts)

    if is_allowed:
        by_branch(rules.create, branch, rule=wanted)
        return
    with pytest.raises(strictness.RuleTooLax):
        by_branch(rules.create, branch, rule=wanted)
    assert ApprovalRule.objects.count() == 1
    assert AuditRecord.objects.filter(action="approval_rule.created").count() == 1


def test_a_branch_takes_no_approval_of_its_own_away(acme):
    branch = access.branch()
    strict = make.rule(branch_id=branch.id, steps=TWO_APPROVERS)
    make.rule()
    laxer, stricter = (
        make.wanted_rule(branch_id=branch.id, steps=(NewStep(roles=("approver",), needed=needed),))
        for needed in (1, 3)
    )

    with pytest.raises(strictness.RuleTooLax):
        by_branch(rules.deactivate, branch, rule_id=strict.id)
    with pytest.raises(strictness.RuleTooLax):
        by_branch(rules.replace, branch, rule_id=strict.id, rule=laxer)
    assert ApprovalRule.objects.get(id=strict.id).is_active

    made = by_branch(rules.replace, branch, rule_id=strict.id, rule=stricter)

    assert made.is_active
    rules.deactivate(rule_id=made.id, actor=SYSTEM, now=NOW)
