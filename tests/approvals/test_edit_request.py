"""Edit request: what was decided is void, and the stricter rule holds."""

import pytest

from apps.approvals.contracts import ApprovalStatus, NewStep
from apps.approvals.selectors import authority
from apps.approvals.services import requests
from apps.kit.money import Money
from tests.approvals.test_decide_request import TWO_STEPS, steps_of
from tests.factories import approvals as make


def test_an_edit_voids_what_was_decided(acme):
    request = make.waiting(steps=TWO_STEPS)
    first, second = make.person("a"), make.person("b")
    make.approve(request, first)
    make.approve(request, second)

    make.amend(request, make.maker())

    request = make.reload(request)
    assert (request.current_step, request.payload_version) == (1, 2)
    make.approve(request, first)
    assert make.reload(request).current_step == 1
    make.approve(request, second)
    make.approve(request, make.person("c", "owner"))
    assert make.reload(request).status == ApprovalStatus.APPROVED
    assert make.told(request.id) == ["approval_requested", "approval_requested", "approval_decided"]


def test_going_back_to_the_first_payload_brings_no_decision_back(acme):
    request = make.waiting(steps=(NewStep(roles=("approver",), needed=2),))
    make.approve(request, make.person("a"))
    make.amend(request, make.maker())
    make.amend(request, make.maker(), payload=make.payload())

    make.approve(request, make.person("b"))

    assert make.reload(request).status == ApprovalStatus.PENDING


def test_who_edits_is_a_maker(acme):
    request = make.waiting()
    editor = make.person("editor")
    make.amend(request, editor)
    make.amend(request, make.maker(), payload=make.payload(note="again"))

    with pytest.raises(authority.OwnRequest):
        make.approve(request, make.key_of(editor))

    assert make.approve(request, make.person("b")).status == ApprovalStatus.APPROVED


def test_a_larger_sum_falls_under_its_own_rule(acme):
    make.rule(minimum_minor=100_000_00, steps=(NewStep(roles=("controller",), needed=2),))
    make.rule()
    request = make.waiting()

    request = make.amend(request, make.maker(), money=Money(100_000_00, "KES"))

    assert steps_of(request) == [(["approver", "owner"], 1), (["controller"], 2)]


def test_a_stricter_rule_takes_the_place_of_the_frozen_steps(acme):
    make.rule(minimum_minor=100_000_00, steps=(NewStep(roles=("owner",), needed=2),))
    make.rule()
    request = make.waiting()

    request = make.amend(request, make.maker(), money=Money(100_000_00, "KES"))

    assert steps_of(request) == [(["owner"], 2)]


def test_a_way_through_a_small_sum_leads_to_the_same_steps(acme):
    strict = make.rule(steps=TWO_STEPS)
    make.rule(minimum_minor=None, maximum_minor=10_000_00)
    request = make.waiting()
    asked = steps_of(request)

    make.amend(request, make.maker(), money=Money(1_00, "KES"), payload={"other": "text"})
    request = make.amend(request, make.maker(), money=Money(1_00, "KES"), payload=make.payload())

    assert (steps_of(request), request.rule_id) == (asked, strict.id)


def test_a_rule_made_since_holds_for_an_edit(acme):
    request = make.waiting()
    make.rule(priority=1, steps=TWO_STEPS)

    request = make.amend(request, make.maker())

    assert request.step_count == 2


def test_a_sum_below_every_rule_keeps_its_steps(acme):
    request = make.waiting(steps=TWO_STEPS)

    request = make.amend(request, make.maker(), money=Money(1_00, "KES"))

    assert request.steps.filter(payload_version=2).count() == 2
    assert request.status == ApprovalStatus.PENDING


def test_an_edit_changes_the_payload(acme):
    request = make.waiting()
    same = {"payload": make.payload(), "summary": request.summary}

    assert make.amend(request, make.maker(), **same).payload_version == 1
    with pytest.raises(requests.PayloadUnchanged):
        make.amend(request, make.maker(), **{**same, "summary": "Another summary"})
    with pytest.raises(requests.PayloadUnchanged):
        make.amend(request, make.maker(), **same, money=Money(1, "KES"))

    assert request.versions.count() == 1
