"""Guard approvals: what the database refuses whoever asks, psql and data fixes included."""

import psycopg
import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from apps.access.selectors import memberships
from apps.approvals.contracts import ApprovalStatus, NewStep
from apps.approvals.models import ApprovalDecision, ApprovalRequest
from apps.kit import ids
from apps.kit.models import InsertOnlyViolation
from tests.conftest import owner
from tests.factories import approvals as make

TABLES = [
    "approvalrequest",
    "approvalrule",
    "approvalstep",
    "approvalversion",
    "requestedstep",
    "approvaldecision",
]


def refused(statement, *parameters, match, error=IntegrityError):
    with pytest.raises(error, match=match), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def decision(request, by, **facts):
    request = make.reload(request)
    member = memberships.of_person(by.person)
    chosen = {
        "request": request,
        "payload_version": request.payload_version,
        "payload_hash": request.payload_hash,
        "step": request.current_step,
        "verdict": "APPROVED",
        "membership": member,
        "person": by.person,
        "role": member.role.code,
        "decided_by": str(by),
        "decided_at": make.LATER,
        **facts,
    }
    return ApprovalDecision(**chosen)


def inserting(row, match):
    with pytest.raises(IntegrityError, match=match), transaction.atomic():
        row.save()


def test_nothing_is_approved_without_enough_people(acme):
    request = make.waiting(steps=(NewStep(roles=("approver",), needed=2),))
    approve = "UPDATE approvals_approvalrequest SET status = 'APPROVED', decided_at = now() WHERE id = %s"
    refused(approve, request.id, match="lacks approvals")

    make.approve(request, make.person("a"))
    refused(approve, request.id, match="lacks approvals")
    decision(request, make.person("b")).save()

    with connection.cursor() as cursor:
        cursor.execute(approve, [request.id])
    assert make.reload(request).status == ApprovalStatus.APPROVED


def test_the_time_to_decide_does_not_grow(acme):
    request = make.waiting()

    refused(
        "UPDATE approvals_approvalrequest SET expires_at = expires_at + interval '1 day' WHERE id = %s",
        request.id,
        match="is fixed",
    )


def test_the_maker_has_no_decision(acme):
    boss = make.person("boss", "owner")
    request = make.waiting(by=boss)

    inserting(decision(request, boss), "the maker")


def test_a_person_has_one_decision_a_version(acme):
    request = make.waiting(steps=(NewStep(roles=("approver",), needed=2),))
    make.approve(request, make.person("a"))

    inserting(decision(request, make.person("a")), "decision_once_per_person")


@pytest.mark.parametrize(
    ("facts", "match"),
    [
        ({"payload_hash": "0" * 64}, "has changed"),
        ({"payload_version": 2}, "has changed"),
        ({"step": 2}, "has changed"),
        ({"role": "auditor"}, "does not decide this step"),
        ({"decided_at": make.TOO_LATE}, "no decision any more"),
        ({"verdict": "REFUSED"}, "decision_refusal_has_reason"),
        ({"person": ""}, "decision_by_a_person"),
    ],
)
def test_a_decision_is_about_what_waits(acme, facts, match):
    request = make.waiting()

    inserting(decision(request, make.person("a"), **facts), match)


def test_what_is_decided_stays(acme):
    request = make.waiting()
    make.refuse(request, make.person())

    for change in ("status = 'PENDING', decided_at = NULL", "status = 'APPROVED'", "summary = 'other'"):
        refused(
            f"UPDATE approvals_approvalrequest SET {change} WHERE id = %s",
            request.id,
            match="is REFUSED and stays so",
        )
    inserting(decision(request, make.person("b")), "no decision any more")


def test_a_request_changes_by_a_version(acme):
    request = make.waiting()

    for change in (
        "amount_minor = 1",
        f"payload_hash = '{'0' * 64}'",
        "payload_version = 3",
        "step_count = 2",
    ):
        refused(
            f"UPDATE approvals_approvalrequest SET {change} WHERE id = %s", request.id, match="new version"
        )
    for change in ("kind = 'other'", "requester = ''", f"subject_id = '{ids.new()}'"):
        refused(f"UPDATE approvals_approvalrequest SET {change} WHERE id = %s", request.id, match="is fixed")


def test_a_request_begins_pending(acme):
    request = make.waiting()
    other = make.reload(request)
    other.pk, other.subject_id = ids.new(), ids.new()
    other.expire(at=make.LATER)

    with pytest.raises(IntegrityError, match="begins pending"), transaction.atomic():
        other.save(force_insert=True)


def test_one_request_a_deed_waits(acme):
    request = make.waiting()
    other = make.reload(request)
    other.pk = ids.new()

    with pytest.raises(IntegrityError, match="request_one_pending_per_subject"), transaction.atomic():
        other.save(force_insert=True)


def test_a_rule_only_goes_out_of_use(acme):
    rule = make.rule()

    refused("UPDATE approvals_approvalrule SET minimum_minor = 1 WHERE id = %s", rule.id, match="out of use")
    refused(
        "UPDATE approvals_approvalrule SET is_active = false WHERE id = %s", rule.id, match="deactivated_once"
    )


@pytest.mark.parametrize("table", TABLES)
def test_the_application_may_delete_nothing(acme, table):
    refused(f"DELETE FROM approvals_{table}", match="permission denied", error=ProgrammingError)


@pytest.mark.parametrize("table", TABLES)
def test_the_owner_deletes_nothing_either(committed_acme, table):
    make.approve(make.waiting(), make.person())

    with owner() as database, pytest.raises(psycopg.errors.RestrictViolation):
        database.execute(f"DELETE FROM org_acme.approvals_{table}")


def test_states_change_by_transition_only(acme):
    request = make.waiting()

    with pytest.raises(AttributeError):
        request.status = ApprovalStatus.APPROVED
    with pytest.raises(InsertOnlyViolation):
        request.versions.get().save()

    assert ApprovalRequest.objects.get().status == ApprovalStatus.PENDING
