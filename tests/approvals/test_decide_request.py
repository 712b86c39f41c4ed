"""Decide request: other people, of the right role and branch, on what they saw."""

from dataclasses import replace
from datetime import timedelta

import pytest

from apps.access.models import Membership
from apps.access.selectors.branches import BranchForbidden
from apps.access.services import memberships, roles
from apps.approvals.contracts import ApprovalStatus, Decided, NewStep
from apps.approvals.models import ApprovalDecision
from apps.approvals.selectors import authority
from apps.approvals.services import decisions, requests, sweeps
from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.events.services import outbox
from apps.kit import ids
from apps.kit.actors import SYSTEM, Actor, ActorKind
from apps.kit.errors import NotFound
from tests.factories import access
from tests.factories import approvals as make

LATER = make.LATER
TWO_STEPS = (NewStep(roles=("approver",), needed=2), NewStep(roles=("controller", "owner")))


def steps_of(request):
    """Return what the present version needs."""
    steps = request.steps.filter(payload_version=request.payload_version).order_by("sequence")
    return [(step.roles, step.needed) for step in steps]


def is_untouched(request):
    return (
        make.reload(request).status == ApprovalStatus.PENDING
        and not ApprovalDecision.objects.exists()
        and make.told(request.id) == ["approval_requested"]
    )


def test_one_approval_decides(acme):
    request = make.waiting()

    make.approve(request, make.person(), note="Seen the goods")

    request = make.reload(request)
    assert (request.status, request.decided_at) == (ApprovalStatus.APPROVED, LATER)
    assert make.told(request.id) == ["approval_requested", "approval_decided"]
    decision = ApprovalDecision.objects.get()
    assert (decision.verdict, decision.step, decision.role, decision.reason) == (
        "APPROVED",
        1,
        "approver",
        "Seen the goods",
    )
    assert AuditRecord.objects.get(action="approval.approved").person == make.person().person


def test_a_subscriber_reads_what_was_decided(acme):
    request = make.waiting()
    make.refuse(request, make.person())

    told = Decided.read(OutboxEvent.objects.get(type="approval_decided").data)

    assert told == Decided(
        request.id,
        "refund",
        ApprovalStatus.REFUSED,
        request.subject_id,
        request.payload_hash,
        "The payer got the goods",
    )


def test_steps_follow_each_other(acme):
    request = make.waiting(steps=TWO_STEPS)
    first, second, last = make.person("a"), make.person("b"), make.person("c", "controller")

    make.approve(request, first)
    with pytest.raises(authority.NotADecider):
        make.approve(request, last)
    assert make.reload(request).current_step == 1
    make.approve(request, second)
    assert (make.reload(request).current_step, make.reload(request).status) == (2, ApprovalStatus.PENDING)
    make.approve(request, last)

    assert make.reload(request).status == ApprovalStatus.APPROVED
    assert make.told(request.id) == ["approval_requested", "approval_decided"]


def test_the_maker_decides_nothing(acme):
    owner = make.person("boss", "owner")
    request = make.waiting(by=owner)

    for act in (make.approve, make.refuse):
        for actor in (owner, make.key_of(owner), make.key_of(owner, 2)):
            with pytest.raises(authority.OwnRequest):
                act(request, actor)

    assert is_untouched(request)


def test_two_keys_of_one_person_are_one_person(acme):
    request = make.waiting(steps=(NewStep(roles=("approver",), needed=2),))
    checker = make.person()
    make.approve(request, make.key_of(checker, 1))

    for again in (checker, make.key_of(checker, 2)):
        with pytest.raises(authority.DecidedBefore):
            make.approve(request, again)

    assert make.reload(request).status == ApprovalStatus.PENDING
    assert ApprovalDecision.objects.count() == 1


def test_a_person_decides_once_across_steps(acme):
    request = make.waiting(steps=(NewStep(roles=("approver",)), NewStep(roles=("approver",))))
    checker = make.person()
    make.approve(request, checker)

    with pytest.raises(authority.DecidedBefore):
        make.approve(request, checker)

    assert make.reload(request).current_step == 2


def test_what_was_not_seen_is_not_decided(acme):
    request = make.waiting()
    seen = request.payload_hash
    make.amend(request, make.maker())

    for act in (make.approve, make.refuse):
        with pytest.raises(decisions.PayloadChanged) as refusal:
            act(request, make.person(), payload_hash=seen)
        assert refusal.value.code == "approval_payload_changed"

    assert ApprovalDecision.objects.exists() is False


@pytest.mark.parametrize("role", ["treasury_officer", "accountant", "auditor", "controller"])
def test_other_roles_decide_nothing(acme, role):
    request = make.waiting()

    with pytest.raises(authority.NotADecider, match="approver, owner"):
        make.approve(request, make.person("other", role))

    assert is_untouched(request)


def test_a_role_that_lost_its_permission_decides_nothing(acme):
    request = make.waiting()
    checker = make.person()
    roles.change(code="approver", permissions=["approvals.view"], actor=SYSTEM, now=LATER)

    with pytest.raises(authority.NotADecider):
        make.approve(request, checker)

    assert is_untouched(request)


def test_who_left_the_team_decides_nothing(acme):
    make.person("boss", "owner")
    request = make.waiting()
    checker = make.person()
    memberships.change(
        membership_id=Membership.objects.get(user_id=checker.person).id,
        role="approver",
        is_active=False,
        branch_ids=[],
        actor=SYSTEM,
        now=LATER,
    )

    nobody = Actor(ActorKind.API_KEY, "key-of-nobody")
    for actor in (checker, make.key_of(checker), SYSTEM, nobody, replace(nobody, person="no user")):
        with pytest.raises(authority.NotADecider):
            make.approve(request, actor)

    assert is_untouched(request)


def test_a_decider_works_for_the_branch(acme):
    request = make.waiting()
    elsewhere = make.person("far", branches=(access.branch(),))

    with pytest.raises(BranchForbidden):
        make.approve(request, elsewhere)

    assert is_untouched(request)
    here = make.person("near", branches=(access.branch(), access.head_office()))
    assert make.approve(request, here).status == ApprovalStatus.APPROVED


def test_the_first_refusal_ends_it(acme):
    request = make.waiting(steps=TWO_STEPS)
    make.approve(request, make.person("a"))

    make.refuse(request, make.person("b"))

    request = make.reload(request)
    assert (request.status, request.reason) == (ApprovalStatus.REFUSED, "The payer got the goods")
    with pytest.raises(decisions.RequestClosed):
        make.approve(request, make.person("c"))
    assert make.told(request.id) == ["approval_requested", "approval_decided"]


@pytest.mark.parametrize("reason", ["", "no", "  a  ", "x" * 501])
def test_a_refusal_says_why(acme, reason):
    request = make.waiting()

    with pytest.raises(requests.ReasonRequired) as refusal:
        make.refuse(request, make.person(), reason=reason)

    assert refusal.value.errors[0].pointer == "/reason"
    assert is_untouched(request)


def test_a_second_call_changes_nothing(acme):
    request = make.waiting()
    make.approve(request, make.person())

    with pytest.raises(decisions.RequestClosed):
        make.approve(request, make.person())

    assert ApprovalDecision.objects.count() == 1
    assert make.told(request.id).count("approval_decided") == 1


@pytest.mark.parametrize("act", [make.approve, make.refuse])
def test_nothing_is_kept_when_the_event_cannot_be_told(acme, monkeypatch, act):
    request = make.waiting()
    monkeypatch.setattr(outbox, "_last_versions", lambda _: {})

    with pytest.raises(KeyError):
        act(request, make.person())

    assert is_untouched(request)
    assert AuditRecord.objects.filter(action__in=["approval.approved", "approval.refused"]).exists() is False


def test_an_unknown_request_is_not_found(acme):
    with pytest.raises(NotFound):
        requests.approve(request_id=ids.new(), payload_hash="", actor=make.person(), now=LATER)


def test_only_the_maker_takes_it_back(acme):
    request = make.waiting()

    with pytest.raises(requests.NotTheMaker):
        requests.withdraw(request_id=request.id, actor=make.person(), now=LATER, reason="Not needed")
    nobody = Actor(ActorKind.API_KEY, "key-of-nobody")
    with pytest.raises(requests.NotTheMaker):
        requests.withdraw(request_id=request.id, actor=nobody, now=LATER, reason="Not needed")
    assert is_untouched(request)
    requests.withdraw(
        request_id=request.id, actor=make.key_of(make.maker()), now=make.TOO_LATE, reason="Not needed"
    )

    assert make.reload(request).status == ApprovalStatus.WITHDRAWN
    assert make.told(request.id) == ["approval_requested", "approval_decided"]
    with pytest.raises(decisions.RequestClosed):
        requests.withdraw(request_id=request.id, actor=make.maker(), now=LATER, reason="Not needed")


def test_a_key_that_nobody_made_takes_back_its_own(acme):
    key = Actor(ActorKind.API_KEY, "key-of-nobody")
    request = make.waiting(by=key)

    requests.withdraw(request_id=request.id, actor=key, now=LATER, reason="Not needed")

    assert make.reload(request).status == ApprovalStatus.WITHDRAWN


def test_after_its_time_nobody_decides(acme):
    request = make.waiting()

    for act in (make.approve, make.refuse):
        with pytest.raises(decisions.RequestExpired):
            act(request, make.person(), now=make.TOO_LATE)
    with pytest.raises(decisions.RequestExpired):
        make.amend(request, make.maker(), now=make.TOO_LATE)

    assert is_untouched(request)


def test_the_sweep_closes_what_nobody_decided(acme, django_capture_on_commit_callbacks):
    request, young = make.waiting(), make.waiting(expires_in=timedelta(hours=80))

    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=False):
            sweeps.run(now=make.TOO_LATE)
        requests.expire(request_id=request.id, now=make.TOO_LATE)
        requests.expire(request_id=young.id, now=make.TOO_LATE)

    assert make.reload(request).status == ApprovalStatus.EXPIRED
    assert make.reload(young).status == ApprovalStatus.PENDING
    assert make.told(request.id) == ["approval_requested", "approval_decided"]
    assert AuditRecord.objects.filter(action="approval.expired").count() == 1
