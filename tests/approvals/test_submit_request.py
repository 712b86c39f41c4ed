"""Submit request: what needs approval waits for other people, what does not goes on."""

from datetime import timedelta

import pytest

from apps.approvals.contracts import ApprovalStatus, NewStep, NotPlain, payload_hash
from apps.approvals.models import ApprovalRequest, ApprovalVersion, RequestedStep
from apps.approvals.selectors import rules as stored
from apps.approvals.services import requests, rules
from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.events.services import outbox
from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import REFUND
from tests.factories import access
from tests.factories import approvals as make

NOW = make.NOW


def submit(**facts):
    return requests.submit(request=make.wanted(**facts), actor=make.maker(), now=NOW)


def test_goes_on_where_no_rule_asks(acme):
    make.rule()

    assert submit(money=Money(9_999_99, "KES")) is None
    assert submit(money=Money(25_000_00, "USD")) is None
    assert submit(money=None) is None
    assert ApprovalRequest.objects.exists() is False
    assert OutboxEvent.objects.filter(type="approval_requested").exists() is False


def test_waits_where_a_rule_asks(acme):
    rule = make.rule()

    request = submit(money=Money(10_000_00, "KES"))

    assert (request.status, request.rule_id, request.expires_at) == (
        ApprovalStatus.PENDING,
        rule.id,
        NOW + timedelta(hours=72),
    )
    assert request.payload_hash == payload_hash(make.payload(Money(10_000_00, "KES")))
    step = RequestedStep.objects.get()
    assert (step.payload_version, step.sequence, step.roles, step.needed) == (1, 1, ["approver", "owner"], 1)
    assert AuditRecord.objects.get(action="approval.requested").object_id == ids.encode("apr", request.id)


def test_tells_partners_without_the_payload(acme):
    make.rule()

    request = submit(payload=make.payload(secret="canary"))

    event = OutboxEvent.objects.get(type="approval_requested")
    assert (event.audience, event.branch_id, event.application_id) == (
        "PARTNER",
        request.branch_id,
        request.application_id,
    )
    told = event.data["object"]
    assert told["subject"] == {"id": str(request.subject_id), "reference": "re_1"}
    assert told["amount"] == {"amount": "25000.00", "currency": "KES"}
    assert (told["kind"], told["status"], told["payload_hash"]) == ("refund", "pending", request.payload_hash)
    assert "canary" not in str(event.data)


def test_a_repeat_returns_the_request_that_waits(acme):
    make.rule()
    wanted = make.wanted()
    maker = make.maker()

    first = requests.submit(request=wanted, actor=maker, now=NOW)
    second = requests.submit(request=wanted, actor=maker, now=NOW)

    assert first == second
    assert make.told(first.id) == ["approval_requested"]
    assert ApprovalVersion.objects.count() == 1


def test_another_payload_for_the_same_deed_is_refused(acme):
    make.rule()
    request = submit()

    with pytest.raises(requests.RequestPending, match="apr_"):
        submit(subject_id=request.subject_id, payload=make.payload(note="other"))

    assert ApprovalRequest.objects.count() == 1


def test_nothing_is_kept_when_the_event_cannot_be_told(acme, monkeypatch):
    make.rule()
    monkeypatch.setattr(outbox, "_last_versions", lambda _: {})

    with pytest.raises(KeyError):
        submit()

    assert ApprovalRequest.objects.exists() is False
    assert AuditRecord.objects.filter(action="approval.requested").exists() is False


@pytest.mark.parametrize("value", [1.5, b"x", ids.new(), {1: "x"}, {"deep": [NOW]}])
def test_a_payload_is_plain_json(value):
    with pytest.raises(NotPlain):
        payload_hash({"value": value})


def test_the_order_of_keys_does_not_matter():
    assert payload_hash({"a": 1, "b": {"c": "é", "d": None}}) == payload_hash(
        {"b": {"d": None, "c": "é"}, "a": 1}
    )
    assert payload_hash({"a": 1}) != payload_hash({"a": "1"})


def test_the_most_exact_rule_wins(acme):
    branch = access.branch()
    anything = make.rule(currency="", minimum_minor=None)
    banded = make.rule()
    narrow = make.rule(minimum_minor=10_000_00, maximum_minor=30_000_00)
    here = make.rule(branch_id=branch.id, minimum_minor=None, maximum_minor=None)
    first = make.rule(currency="", minimum_minor=None, priority=1)

    def winner(minor, currency="KES", branch_id=None):
        place = branch_id or access.head_office().id
        return stored.matching(kind=REFUND.name, money=Money(minor, currency), branch_id=place)

    assert winner(1) == first
    rules.deactivate(rule_id=first.id, actor=SYSTEM, now=NOW)
    assert winner(1) == anything
    assert winner(10_000_00) == narrow
    assert winner(30_000_00) == banded
    assert winner(10_000_00, branch_id=branch.id) == here
    assert winner(10_000_00, "USD", branch.id) == anything


def test_says_beforehand_whether_approval_is_needed(acme):
    make.rule()
    office = access.head_office()

    assert requests.is_required(REFUND, Money(10_000_00, "KES"), office.id) is True
    assert requests.is_required(REFUND, Money(9_999_99, "KES"), office.id) is False


def test_later_rules_change_nothing_of_a_request(acme):
    rule = make.rule()
    request = submit()

    rules.deactivate(rule_id=rule.id, actor=SYSTEM, now=NOW)
    make.rule(steps=(NewStep(roles=("controller",), needed=2),))

    assert make.approve(request, make.person()).status == ApprovalStatus.APPROVED
