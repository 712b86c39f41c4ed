"""Delegate decisions: a colleague decides in one's name for a time, never more, and both are on record."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from apps.access.contracts import LimitKind
from apps.access.selectors import memberships
from apps.access.selectors.limits import LimitExceeded
from apps.access.services import limits
from apps.access.services import memberships as team
from apps.approvals.contracts import ApprovalStatus, NewStep
from apps.approvals.models import ApprovalDecision, ApprovalDelegation, ApprovalRequest
from apps.approvals.selectors import authority
from apps.approvals.selectors import requests as stored
from apps.approvals.services import delegations
from apps.approvals.services.delegations import NewDelegation
from apps.audit.models import AuditRecord
from apps.kit import ids
from apps.kit.actors import SYSTEM, Actor
from apps.kit.errors import NotFound
from apps.kit.money import Money
from tests.approvals.test_two_connections import approving, at_once
from tests.factories import access
from tests.factories import approvals as make

NOW, LATER, OVER = make.NOW, make.LATER, make.NOW + timedelta(days=2)
CONTROLLER = (NewStep(roles=("controller",)),)


def wanted(to: Actor, **facts) -> NewDelegation:
    member = memberships.of_person(to.person)
    return NewDelegation(
        **{
            "delegate_id": member.id,
            "starts_at": NOW,
            "ends_at": OVER,
            "reason": "On leave until Thursday",
            **facts,
        }
    )


def delegated(giver: Actor, to: Actor, **facts) -> ApprovalDelegation:
    return delegations.create(delegation=wanted(to, **facts), actor=giver, now=NOW)


def for_person(person: Actor, *, now=LATER) -> int:
    return stored.for_person(ApprovalRequest.objects.all(), person.person, now=now).count()


def refused(request: ApprovalRequest, by: Actor, error=authority.NotADecider, **facts) -> None:
    before = ApprovalDecision.objects.count()
    with pytest.raises(error):
        make.approve(request, by, **facts)
    assert ApprovalDecision.objects.count() == before


def test_a_colleague_decides_in_ones_name(acme):
    grace, peter = make.person("grace", "controller"), make.person("peter")
    request = make.waiting(steps=CONTROLLER)
    refused(request, peter)
    assert for_person(peter) == 0

    given = delegated(grace, peter)
    assert for_person(peter) == 1
    decided = make.approve(request, make.key_of(peter))

    assert decided.status == ApprovalStatus.APPROVED
    decision = ApprovalDecision.objects.get()
    assert (decision.person, decision.on_behalf_of, decision.role, decision.delegation) == (
        peter.person,
        grace.person,
        "controller",
        given,
    )
    record = AuditRecord.objects.get(action="approval.approved")
    assert (record.person, record.changes) == (peter.person, {"on_behalf_of": [None, grace.person]})
    assert AuditRecord.objects.get(action="approval_delegation.created").reason == "On leave until Thursday"


def test_both_count_as_one_hand(acme):
    two = (NewStep(roles=("controller",), needed=2), NewStep(roles=("approver", "controller")))
    grace, joy = make.person("grace", "controller"), make.person("joy", "controller")
    peter, ann = make.person("peter"), make.person("ann")
    request = make.waiting(steps=two)
    for giver, to in ((grace, peter), (joy, peter), (grace, ann)):
        delegated(giver, to)

    make.approve(request, peter)

    for again in (grace, peter, ann):
        error = authority.NotADecider if again is ann else authority.DecidedBefore
        refused(request, again, error)
    assert [for_person(person) for person in (grace, joy, peter, ann)] == [0, 1, 0, 0]
    make.approve(request, joy)
    for again in (grace, peter):
        refused(request, again, authority.DecidedBefore)
    assert make.approve(request, ann).status == ApprovalStatus.APPROVED


def test_gives_never_more_than_the_giver_has(acme):
    westlands = access.branch()
    far = make.person("far", "controller", branches=(westlands,))
    boss = make.person("boss", "owner")
    grace, peter = make.person("grace", "controller"), make.person("peter")
    everything = NewStep(roles=("controller", "owner"))
    for giver in (far, boss, grace):
        delegated(giver, peter)

    asked_by_boss = make.waiting(by=boss, steps=(everything,), summary="Of the boss")
    touched = make.waiting(subject_reference="re_2")
    make.amend(touched, grace)
    assert for_person(peter) == 2
    decided = make.approve(asked_by_boss, peter)
    assert ApprovalDecision.objects.get().on_behalf_of == grace.person
    assert decided.status == ApprovalStatus.APPROVED
    make.approve(touched, peter)
    assert ApprovalDecision.objects.get(request=touched).on_behalf_of == boss.person

    only_far = make.waiting(subject_reference="re_3", by=boss)
    make.amend(only_far, grace)
    refused(only_far, peter)
    own = make.waiting(by=peter, subject_reference="re_4")
    refused(own, peter, authority.OwnRequest)


def test_the_limit_of_the_giver_holds(acme):
    grace, peter = make.person("grace", "controller"), make.person("peter")
    request = make.waiting(steps=CONTROLLER)
    delegated(grace, peter)
    limits.put(
        code="controller",
        wanted={LimitKind.APPROVE: [Money(24_999_99, "KES")]},
        actor=SYSTEM,
        now=NOW,
    )

    refused(request, peter, LimitExceeded)

    assert make.refuse(request, peter).status == ApprovalStatus.REFUSED


def test_what_was_delegated_is_not_passed_on(acme):
    grace, peter, ann = make.person("grace", "controller"), make.person("peter"), make.person("ann")
    request = make.waiting(steps=CONTROLLER)
    delegated(grace, peter)
    delegated(peter, ann)

    refused(request, ann)
    assert for_person(ann) == 0


def test_holds_for_its_time_kinds_and_sums(acme):
    grace, peter = make.person("grace", "controller"), make.person("peter")
    request = make.waiting(steps=CONTROLLER)
    for facts in (
        {"starts_at": LATER + timedelta(minutes=1)},
        {"kinds": ("journal",)},
        {"maximum": Money(24_999_99, "KES")},
        {"maximum": Money(90_000_00, "USD")},
        {"ends_at": LATER},
    ):
        delegated(grace, peter, **facts)

    refused(request, peter)
    assert for_person(peter) == 0
    delegated(grace, peter, kinds=("refund", "journal"), maximum=Money(25_000_00, "KES"))
    assert for_person(peter) == 1
    assert make.approve(request, peter).status == ApprovalStatus.APPROVED


def test_ends_when_it_is_taken_back_or_the_giver_leaves(acme):
    make.person("boss", "owner")
    grace, joy, peter = (
        make.person("grace", "controller"),
        make.person("joy", "controller"),
        make.person("peter"),
    )
    request = make.waiting(steps=CONTROLLER)
    given, other = delegated(grace, peter), delegated(joy, peter)

    with pytest.raises(delegations.NotYourDelegation):
        delegations.revoke(delegation_id=given.id, actor=peter, now=LATER)
    for _ in range(2):
        delegations.revoke(delegation_id=given.id, actor=make.key_of(grace), now=LATER)
    team.change(
        membership_id=memberships.of_person(joy.person).id,
        role="controller",
        is_active=False,
        branch_ids=[],
        actor=SYSTEM,
        now=LATER,
    )

    refused(request, peter)
    assert for_person(peter) == 0
    assert AuditRecord.objects.filter(action="approval_delegation.revoked").count() == 1
    delegations.revoke(delegation_id=other.id, actor=grace, now=LATER)
    with pytest.raises(NotFound):
        delegations.revoke(delegation_id=ids.new(), actor=grace, now=LATER)


def test_refuses_what_cannot_be(acme):
    grace, peter = make.person("grace", "controller"), make.person("peter")
    officer = make.person("officer", "treasury_officer")

    def wrong(pointer: str, to: Actor = peter, **facts) -> None:
        with pytest.raises(delegations.DelegationInvalid) as refusal:
            delegated(grace, to, **facts)
        assert [error.pointer for error in refusal.value.errors] == [pointer]

    wrong("/delegate", grace)
    wrong("/delegate", officer)
    wrong("/delegate", delegate_id=ids.new())
    wrong("/starts_at", starts_at=NOW - timedelta(seconds=1))
    wrong("/ends_at", ends_at=NOW)
    wrong("/ends_at", ends_at=NOW + timedelta(days=93))
    wrong("/kinds", kinds=("launch",))
    wrong("/maximum", maximum=Money(0, "KES"))
    wrong("/reason", reason=" no ")
    for nobody in (officer, SYSTEM):
        with pytest.raises(delegations.NotADelegator):
            delegated(nobody, peter)
    assert not ApprovalDelegation.objects.exists()
    assert not AuditRecord.objects.filter(object_type="approval_delegation").exists()


def test_the_database_refuses_a_false_name(acme):
    grace, joy, peter = (
        make.person("grace", "controller"),
        make.person("joy", "controller"),
        make.person("peter"),
    )
    request = make.waiting(steps=CONTROLLER)
    given = delegated(grace, peter)

    def insert(match: str, **facts) -> None:
        decision = ApprovalDecision(
            **{
                "request": request,
                "payload_version": 1,
                "payload_hash": request.payload_hash,
                "step": 1,
                "verdict": "APPROVED",
                "membership": memberships.of_person(peter.person),
                "person": peter.person,
                "role": "controller",
                "decided_by": str(peter),
                "decided_at": LATER,
                "delegation": given,
                "on_behalf_of": grace.person,
                **facts,
            }
        )
        with pytest.raises(IntegrityError, match=match), transaction.atomic():
            decision.save()

    insert("nobody delegated", on_behalf_of=joy.person)
    insert("nobody delegated", membership=memberships.of_person(joy.person), person=joy.person)
    insert("nobody delegated", decided_at=OVER)
    insert("decision_in_a_name_by_delegation", delegation=None)
    for change in (
        "ends_at = ends_at + interval '1 day'",
        "maximum_minor = 1, currency = 'KES'",
        "kinds = '{journal}'",
    ):
        with (
            pytest.raises(IntegrityError, match="only ever revoked"),
            transaction.atomic(),
            connection.cursor() as c,
        ):
            c.execute(f"UPDATE approvals_approvaldelegation SET {change}")
    delegations.revoke(delegation_id=given.id, actor=grace, now=LATER)
    insert("nobody delegated")


def test_giver_and_colleague_at_once_count_once(committed_acme):
    grace, peter = make.person("grace", "controller"), make.person("peter")
    request = make.waiting(steps=(NewStep(roles=("controller",), needed=2),))
    delegated(grace, peter)

    results = at_once(
        approving(request, grace), approving(request, peter), approving(request, make.key_of(peter))
    )

    assert sum(isinstance(result, ApprovalRequest) for result in results) == 1
    assert ApprovalDecision.objects.count() == 1
    assert make.reload(request).status == ApprovalStatus.PENDING


def test_taking_back_and_deciding_at_once_have_one_order(committed_acme):
    grace, peter = make.person("grace", "controller"), make.person("peter")
    request = make.waiting(steps=CONTROLLER)
    given = delegated(grace, peter)

    at_once(
        approving(request, peter),
        lambda: delegations.revoke(delegation_id=given.id, actor=grace, now=LATER),
    )

    assert ApprovalDelegation.objects.get().revoked_at == LATER
    is_approved = make.reload(request).status == ApprovalStatus.APPROVED
    assert ApprovalDecision.objects.exists() == is_approved
    assert make.told(request.id).count("approval_decided") == is_approved
