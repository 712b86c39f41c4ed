"""Delegate over the API: given, listed and taken back by the person behind the key, never more than the key could decide."""

from datetime import timedelta

import pytest

from apps.approvals.contracts import NewStep
from apps.approvals.models import ApprovalDelegation
from apps.approvals.selectors.authority import NotADecider
from apps.kit import clock
from tests.approvals.test_approvals_api import Partner, checker, refused
from tests.approvals.test_delegate_decisions import for_person
from tests.approvals.test_guard_approvals import decision, inserting
from tests.factories import access
from tests.factories import approvals as make

PATH = "approval-delegations"
CONTROLLER = (NewStep(roles=("controller",)),)


@pytest.fixture(autouse=True)
def soon():
    with clock.fixed(make.LATER):
        yield


def body(**facts):
    return {
        "delegate": "colleague@example.test",
        "starts_at": make.LATER.isoformat(),
        "ends_at": (make.LATER + timedelta(days=2)).isoformat(),
        "reason": "On leave until Thursday",
        "kinds": ["refund"],
        "maximum": {"amount": "30000.00", "currency": "KES"},
        **facts,
    }


def test_a_colleague_decides_what_the_application_asks_for(committed_acme):
    giver, colleague = checker("giver", "controller"), make.person("colleague")
    mine = make.waiting(steps=CONTROLLER)
    elsewhere = make.waiting(steps=CONTROLLER, application_id=access.application("other").id)

    answer = giver.post(PATH, body())

    said = answer.json()
    assert answer.status_code == 201, said
    assert said["delegate"] == {"name": "Colleague", "email": "colleague@example.test"}
    assert (said["delegator"]["email"], said["maximum"]["amount"]) == ("giver@example.test", "30000.00")
    assert for_person(colleague) == 1
    with pytest.raises(NotADecider):
        make.approve(elsewhere, colleague)
    made = ApprovalDelegation.objects.get()
    facts = {"delegation": made, "on_behalf_of": str(made.delegator.user_id), "role": "controller"}
    inserting(decision(elsewhere, colleague, **facts), match="nobody delegated")
    assert make.approve(mine, colleague).status == "APPROVED"


def test_it_is_seen_by_both_and_taken_back_by_the_giver(committed_acme):
    giver, colleague = checker("giver", "controller"), checker("colleague")
    third = checker("third")
    ends = f"{PATH}/{giver.post(PATH, body()).json()['id']}/revoke"

    for partner, count in ((giver, 1), (colleague, 1), (third, 0), (Partner(), 0)):
        assert len(partner.get(PATH).json()["data"]) == count
    refused(colleague.post(ends), 403, "approval_not_your_delegation")
    assert third.post(ends).status_code == 404
    first, again = giver.post(ends).json(), giver.post(ends).json()

    assert first["revoked_at"] == again["revoked_at"] == "2026-11-24T07:52:00.000Z"


def test_refuses_what_the_key_cannot_lend(committed_acme):
    make.person("colleague")
    giver = checker("giver", "controller")
    later = (make.LATER + timedelta(days=93)).isoformat()

    for changes, pointer in (
        ({"delegate": "nobody@example.test"}, "/delegate"),
        ({"delegate": "giver@example.test"}, "/delegate"),
        ({"ends_at": later}, "/ends_at"),
        ({"reason": "no"}, "/reason"),
    ):
        refused(giver.post(PATH, body(**changes)), 422, "approval_delegation_invalid", pointer)
    refused(giver.post(PATH, body(kinds=["launch"])), 422, "validation_error", "/kinds/0")
    for instant in ("0001-01-01T00:00:00", "9999-12-31T23:59:59"):
        assert giver.post(PATH, body(ends_at=instant)).status_code == 422
        assert giver.post(PATH, body(starts_at=instant)).status_code == 422
    refused(checker("officer", "treasury_officer").post(PATH, body()), 403, "approval_not_a_delegator")
    refused(Partner().post(PATH, body()), 403, "approval_not_a_delegator")
    bound = checker("bound", "controller", branch=access.branch())
    refused(bound.post(PATH, body()), 403, "branch_forbidden")
    assert bound.get(PATH).json()["data"] == []
    assert not ApprovalDelegation.objects.exists()
