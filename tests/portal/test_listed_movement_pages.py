"""Listed movements in the portal: those that are left stand on the page Evidence, and a person puts one away."""

import pytest
from django.urls import reverse

from apps.kit.actors import SYSTEM
from apps.payments.contracts.listed import ListedStatus
from apps.payments.models import ListedMovement
from apps.payments.services import listed_movements
from tests import dialogs
from tests.factories import access, payments
from tests.portal.test_refund_pages import Inside

LIST = "admin:payments_listedmovement_changelist"
REASON = "Our own payout to the bank."


@pytest.fixture
def visit(acme, enter):
    """Return a function that signs in and gives a browser that leaves this test in its organisation."""

    def signed_in(*who, **facts):
        return Inside(enter(*who, **facts), acme)

    return signed_in


def deed(movement):
    return reverse("admin:payments_listedmovement_put-away", args=[movement.id])


def on_evidence(browser):
    return browser.get(reverse("portal-evidence")).content.decode()


def listed(browser, query=""):
    page = browser.get(reverse(LIST) + query)
    return [row.number for row in page.context["cl"].result_list], page.content.decode()


def test_a_movement_leaves_the_page_evidence_when_it_is_put_away_and_stays_in_the_list(visit):
    movement, other = payments.listed(), payments.listed()
    browser = visit("treasury_officer")
    page = on_evidence(browser)
    assert all(text in page for text in (movement.number, other.number, deed(movement)))
    opened = dialogs.open_at(browser, deed(movement))

    answer = dialogs.send(browser, deed(movement), reason="no")
    assert (answer.status_code, ListedMovement.objects.open().count()) == (422, 2)
    assert dialogs.send(browser, deed(movement), reason=REASON).status_code == 204

    late = browser.post(deed(movement), dialogs.hidden(opened) | {"reason": "Twice"})
    assert late.status_code == 409
    page = on_evidence(browser)
    assert (deed(movement) in page, deed(other) in page) == (False, True)
    assert listed(browser)[0] == [other.number, movement.number]
    assert listed(browser, f"?status={ListedStatus.OPEN}")[0] == [other.number]
    numbers, page = listed(browser, f"?status={ListedStatus.PUT_AWAY}")
    assert (numbers, REASON in page) == ([movement.number], True)
    assert listed(browser, f"?q={movement.number}")[0] == [movement.number]
    page = browser.get(reverse("admin:payments_listedmovement_change", args=[movement.id])).content.decode()
    assert all(text in page for text in (REASON, "Amina", movement.number))
    assert deed(movement) not in page


def test_several_are_put_away_for_one_reason_and_one_that_was_closed_meanwhile_is_left(visit):
    chosen = [payments.listed() for _ in range(3)]
    browser = visit("treasury_officer")
    address = reverse("admin:payments_listedmovement_put-away_list")
    address += "?" + "&".join(f"_selected_action={one.id}" for one in chosen)
    opened = dialogs.open_at(browser, address)
    given = {"movement_id": chosen[0].id, "reason": "Faster", "actor": SYSTEM, "now": payments.NOW}
    listed_movements.put_away(**given)

    stale = browser.post(address, dialogs.hidden(opened) | {"reason": REASON})
    assert (stale.status_code, ListedMovement.objects.open().count()) == (409, 2)
    assert dialogs.send(browser, address, reason=REASON).status_code == 204

    reasons = ListedMovement.objects.order_by("id").values_list("reason", flat=True)
    assert list(reasons) == ["Faster", REASON, REASON]


def test_who_may_not_decide_sees_no_button_and_another_branch_sees_nothing(visit):
    movement = payments.listed()
    reader = visit("support")
    page = on_evidence(reader)
    assert (movement.number in page, deed(movement) in page) == (True, False)
    assert dialogs.open_at(reader, deed(movement)).status_code == 403

    far = visit("treasury_officer", branches=(access.branch("MSA", "Mombasa"),), email="far@example.test")

    assert movement.number not in on_evidence(far)
    assert listed(far)[0] == []
    assert dialogs.send(far, deed(movement), reason=REASON).status_code == 409
    assert ListedMovement.objects.open().get() == movement
