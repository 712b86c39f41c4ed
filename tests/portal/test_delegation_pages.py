"""Delegation pages: who decides for whom, given and taken back in a dialog, and named where it is decided."""

import pytest
from django.urls import reverse

from apps.access.selectors import memberships
from apps.approvals.contracts import ApprovalStatus, NewStep
from apps.approvals.models import ApprovalDelegation
from apps.kit import clock
from apps.kit.money import Money
from tests.dialogs import open_at, send
from tests.factories import access, approvals

LIST = "/portal/approvals/approvaldelegation/"
ADD = "admin:approvals_approvaldelegation_delegate_list"


@pytest.fixture(autouse=True)
def soon():
    with clock.fixed(approvals.LATER):
        yield


def fields(to, **facts):
    return {
        "delegate": memberships.of_person(to.person).id,
        "first_day": "2026-11-24",
        "last_day": "2026-11-26",
        "kinds": ["refund"],
        "currency": "KES",
        "maximum": "50,000",
        "reason": "On leave",
        **facts,
    }


def test_a_controller_delegates_and_a_colleague_decides_in_her_name(enter, in_organisation):
    controller = enter("controller", email="grace@example.test")
    checker = enter("approver")
    in_organisation("acme")
    peter = approvals.actor(access.user().id)
    request = approvals.waiting(steps=(NewStep(roles=("controller",)),))

    assert send(controller, reverse(ADD), **fields(peter)).status_code == 204

    in_organisation("acme")
    given = ApprovalDelegation.objects.get()
    assert (given.starts_at, given.ends_at.isoformat()) == (approvals.LATER, "2026-11-26T21:00:00+00:00")
    assert (given.kinds, given.maximum) == (["refund"], Money(50_000_00, "KES"))
    for client in (controller, checker):
        page = client.get(LIST).content.decode()
        assert "On leave" in page
        assert "Holds now" in page
        in_organisation("acme")
    approve = reverse("admin:approvals_approvalrequest_approve", args=[request.id])
    opened = open_at(checker, approve).content.decode()
    assert "You decide for" in opened
    assert "Grace" in opened
    assert send(checker, approve).status_code == 204
    in_organisation("acme")
    assert approvals.reload(request).status == ApprovalStatus.APPROVED
    assert "Amina for Grace" in checker.get(reverse("portal-approval", args=[request.id])).content.decode()


def test_it_is_taken_back(enter, in_organisation):
    controller = enter("controller", email="grace@example.test")
    checker = enter("approver")
    stranger = enter("approver", email="other@example.test")
    in_organisation("acme")
    send(controller, reverse(ADD), **fields(approvals.actor(access.user().id)))
    in_organisation("acme")
    revoke = reverse("admin:approvals_approvaldelegation_revoke", args=[ApprovalDelegation.objects.get().id])

    assert open_at(stranger, revoke).status_code == 409
    assert send(checker, revoke).status_code == 403
    assert send(controller, revoke).status_code == 204

    in_organisation("acme")
    assert ApprovalDelegation.objects.get().revoked_at == approvals.LATER
    assert "On leave" not in stranger.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"delegate": "x"}, "valid choice"),
        ({"first_day": "0001-01-01"}, "2000"),
        ({"last_day": "2026-11-23"}, "ends after it begins"),
        ({"last_day": "9999-12-31"}, "2999"),
        ({"currency": ""}, "Name the currency"),
        ({"maximum": "much"}, "Write the amount as 1,250.00."),
        ({"reason": "no"}, "Say why"),
    ],
)
def test_what_cannot_be_is_refused_in_the_dialog(enter, in_organisation, changes, words):
    controller = enter("controller", email="grace@example.test")
    in_organisation("acme")
    peter = approvals.person()

    answer = send(controller, reverse(ADD), **fields(peter, **changes))

    assert answer.status_code == 422
    assert words in answer.content.decode()
    in_organisation("acme")
    assert not ApprovalDelegation.objects.exists()


def test_who_decides_nothing_delegates_nothing(enter):
    assert open_at(enter("treasury_officer"), reverse(ADD)).status_code == 403
