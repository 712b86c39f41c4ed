"""Reopen pages: two people open a period again."""

from django.db import connection
from django.urls import reverse

from apps.approvals.models import ApprovalRequest
from apps.events.services import relay
from apps.ledger.contracts import PERIOD_REOPEN, PeriodState
from tests.factories import approvals
from tests.factories import periods as make
from tests.factories.approvals import ONE_APPROVER
from tests.portal.periods.steps import SOON, acme_again, deed, html, open_at, send, show


def rule():
    approvals.rule(kind=PERIOD_REOPEN.name, currency="", minimum_minor=None, steps=ONE_APPROVER)


def test_two_people_open_it_again(controller, enter):
    rule()
    january = make.close_through(1)
    assert "is reversed" not in open_at(controller, deed("reopen", january)).content.decode()

    answer = send(
        controller,
        deed("reopen", january),
        behind=f"http://testserver{show(january)}",
        reason="An invoice came late",
    )
    assert answer.status_code == 204
    request = ApprovalRequest.objects.get()
    page = html(controller, show(january))
    assert "has asked to open it again. Another person decides." in page
    assert reverse("portal-approval", args=[request.id]) in page
    assert deed("reopen", january) not in page
    assert f'href="{show(january)}"' in html(controller, reverse("portal-approval", args=[request.id]))

    checker = enter("approver", email="brian@example.test")
    connection.set_tenant(acme_again())
    approve = reverse("admin:approvals_approvalrequest_approve", args=[request.id])
    assert send(controller, approve).status_code == 403
    assert send(checker, approve).status_code == 204
    while relay.run_due(queue="events", now=SOON):
        pass

    again = make.month(1)
    assert (again.state, again.revision) == (PeriodState.OPEN, 2)
    page = html(controller, show(again))
    assert "this is close 2" in page
    assert "Opened again, agreed by" in page
    assert deed("sign-off", again, "reconciliation") in page


def test_a_reopening_that_cannot_be_says_why(controller):
    make.close_through(2)
    first, last = make.month(1), make.month(2)

    assert deed("reopen", first) not in html(controller, show(first))
    refused = send(controller, deed("reopen", first), reason="An invoice came late")
    assert "Only the last closed period can be opened again." in refused.content.decode()
    nobody = send(controller, deed("reopen", last), reason="An invoice came late")
    assert "Make an approval rule" in nobody.content.decode()
    assert send(controller, deed("reopen", last), reason="no").status_code == 422
    assert ApprovalRequest.objects.exists() is False
    rule()
    assert send(controller, deed("reopen", last), reason="An invoice came late").status_code == 204
    other = send(controller, deed("reopen", last), reason="For another reason")
    assert other.status_code == 409
    assert ApprovalRequest.objects.count() == 1
