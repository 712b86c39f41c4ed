"""Signing off, closing and asking to reopen over the API: success, each refusal and each kind of caller."""

import pytest

from apps.approvals.models import ApprovalRequest
from apps.audit.models import AuditRecord
from apps.events.services import relay
from apps.jobs.contracts import JobStatus
from apps.jobs.models import Job
from apps.jobs.services import runs
from apps.kit import clock, ids
from apps.ledger.api import period_serializers as serializers
from apps.ledger.contracts import PERIOD_REOPEN, AccountRole
from apps.ledger.models import Period, SignOff
from tests.factories import access, approvals, ledger, periods
from tests.factories.approvals import ONE_APPROVER
from tests.ledger.partner import Partner
from tests.payments.partner import refused

SCOPES = ("ledger:read", "periods:write", "jobs:read", "approvals:read")


@pytest.fixture
def finance(committed_acme):
    with clock.fixed(periods.LATER):
        yield Partner(scopes=SCOPES)


@pytest.fixture
def january(finance):
    """Return the first month of a book on which cash was moved, sealed and not yet reconciled."""
    office = access.head_office().id
    money, fees = ledger.ref(AccountRole.CASH, office), ledger.ref(AccountRole.PROVIDER_FEES, office)
    day = periods.LATER.replace(year=2026, month=1, day=10)
    ledger.post(ledger.transfer(fees, money, 1_00, effective_date=day.date()), now=day)
    periods.months()
    periods.seal()
    return ids.encode("per", periods.month(1).uid)


def work(job_id):
    """Do the job as a worker would, and return it."""
    job = Job.objects.get(id=ids.decode("job", job_id))
    with runs.taken_up(job_id=job.id, now=periods.LATER) as run:
        while runs.go_on(run, read_clock=lambda: periods.LATER):
            pass
    job.refresh_from_db()
    return job


def sign(finance, period, kind="reconciliation", **facts):
    return finance.post(f"periods/{period}/sign-off", {"kind": kind, **facts})


def close(finance, period, **facts):
    return finance.post(f"periods/{period}/close", facts)


def test_signs_off_what_another_system_has_done_and_takes_it_back(finance, january):
    first, again = (sign(finance, january, note="Statements agree") for _ in range(2))

    said = first.json()
    assert (first.status_code, again.json()) == (200, said)
    assert set(serializers.SignOffOut().fields) == set(said)
    assert (said["period_id"], said["kind"], said["signed"]) == (january, "reconciliation", True)
    assert said["signed_by"].startswith("api_key:")
    met = {one["name"]: one["met"] for one in finance.get(f"periods/{january}/checklist").json()["data"]}
    assert met["reconciliation"]

    assert sign(finance, january, signed=False).json()["signed"] is False
    met = {one["name"]: one["met"] for one in finance.get(f"periods/{january}/checklist").json()["data"]}
    assert not met["reconciliation"]
    assert SignOff.objects.count() == 2


def test_what_is_a_judgement_no_key_signs(finance, january):
    refused(sign(finance, january, "suspense"), 403, "ledger_sign_off_personal", "/kind")
    refused(sign(finance, january, "suspense", signed=False), 403, "ledger_sign_off_personal", "/kind")
    assert not SignOff.objects.exists()


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "required", "/kind"),
        ({"kind": "nonsense"}, "ledger_sign_off_invalid", "/kind"),
        ({"kind": "reconciliation", "note": "x" * 201}, "max_length", "/note"),
        ({"kind": "reconciliation", "note": "a\0b"}, "null_characters_not_allowed", "/note"),
        ({"kind": "reconciliation", "signed": "perhaps"}, "invalid", "/signed"),
        ({"kind": "reconciliation", "colour": "red"}, "unknown_field", "/colour"),
    ],
)
def test_refuses_a_sign_off_by_naming_the_field(finance, january, body, code, pointer):
    refused(finance.post(f"periods/{january}/sign-off", body), 422, code, pointer)

    assert not SignOff.objects.exists()


def test_a_worker_closes_the_period_in_the_keys_name(finance, january):
    sign(finance, january)

    answer = close(finance, january, reason="January is complete")

    said = answer.json()
    assert answer.status_code == 202, said
    assert answer.headers["Location"] == f"/v1/acme/jobs/{said['id']}"
    assert finance.take(f"jobs/{said['id']}")
    Partner(scopes=SCOPES, application_slug="other").take(f"jobs/{said['id']}", status=404)
    assert work(said["id"]).status == JobStatus.SUCCEEDED
    assert finance.get(f"periods/{january}").json()["status"] == "closed"
    record = AuditRecord.objects.get(action="period.closed")
    assert (record.actor_kind, record.reason) == ("API_KEY", "January is complete")
    refused(close(finance, january), 409, "ledger_period_state_wrong")
    refused(sign(finance, january), 409, "ledger_period_state_wrong")


def test_a_close_is_started_once(finance, january):
    sign(finance, january)
    body, key = {"reason": "Complete"}, {"Idempotency-Key": "close-1"}
    first, again = (finance.post(f"periods/{january}/close", body, **key) for _ in range(2))

    assert first.json() == again.json()
    refused(close(finance, january), 409, "ledger_close_under_way")
    assert Job.objects.count() == 1


def test_a_close_is_refused_with_every_precondition_that_is_not_met(finance, january):
    said = refused(close(finance, january), 409, "ledger_close_refused", "/reconciliation")
    assert [one["pointer"] for one in said["errors"]] == ["/reconciliation"]
    refused(close(finance, january, carry_holds=True), 422, "unknown_field", "/carry_holds")
    assert not Job.objects.exists()


def test_asks_people_to_reopen(finance, january):
    approvals.rule(kind=PERIOD_REOPEN.name, currency="", minimum_minor=None, steps=ONE_APPROVER)
    sign(finance, january)
    work(close(finance, january).json()["id"])
    body = {"reason": "An invoice came late"}

    first, again = (finance.post(f"periods/{january}/reopen", body) for _ in range(2))

    assert (first.status_code, again.json()) == (202, first.json())
    request = ApprovalRequest.objects.get()
    assert first.json()["approval_id"] == ids.encode("apr", request.id)
    assert request.application_id == access.application().id
    assert finance.get(f"periods/{january}").json()["status"] == "closed"
    refused(finance.post(f"periods/{january}/reopen", {"reason": "Another one"}), 409, "approval_pending")

    approvals.approve(request, approvals.person(), now=periods.LATER)
    with clock.fixed(periods.LATER):
        while relay.run_due(queue="events", now=periods.LATER):
            pass
    said = finance.get(f"periods/{january}").json()
    assert (said["status"], said["revision"]) == ("open", 2)


def test_refuses_to_ask_by_naming_the_field(finance, january):
    path = f"periods/{january}/reopen"

    refused(finance.post(path, {"reason": "Late invoice"}), 409, "ledger_reopen_refused")
    refused(finance.post(path, {}), 422, "required", "/reason")
    refused(finance.post(path, {"reason": "late"}), 422, "ledger_reopen_reason_invalid", "/reason")
    sign(finance, january)
    work(close(finance, january).json()["id"])
    refused(finance.post(path, {"reason": "Late invoice"}), 409, "ledger_reopen_rule_missing")
    assert not ApprovalRequest.objects.exists()


def test_each_kind_of_caller_at_the_periods(finance, january):
    bound, reader = Partner(scopes=SCOPES, branch=access.branch()), Partner(scopes=("ledger:read",))
    nobodys = ids.encode("per", ids.new())

    for deed, body in (
        ("sign-off", {"kind": "reconciliation"}),
        ("close", {}),
        ("reopen", {"reason": "Late invoice"}),
    ):
        refused(bound.post(f"periods/{january}/{deed}", body), 403, "ledger_book_forbidden")
        refused(reader.post(f"periods/{january}/{deed}", body), 403, "insufficient_scope")
        refused(Partner(slug="zuri").post(f"periods/{january}/{deed}", body), 401, "unauthenticated")
        refused(finance.post(f"periods/{nobodys}/{deed}", body), 404, "resource_not_found")
    assert Period.objects.get(uid=ids.decode("per", january)).state == "OPEN"
    assert not SignOff.objects.exists()
