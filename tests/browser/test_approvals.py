"""Two people and one refund: who asks finds no button, who decides reads first and types the amount."""

from apps.access.models import Application, Branch
from apps.access.services import memberships
from apps.accounts.models import User
from apps.accounts.services import users
from apps.approvals.contracts import ApprovalStatus, NewRequest
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import requests
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM, person
from apps.kit.money import Money
from apps.payments.contracts import REFUND
from tests.running import wait_for

WIDTHS = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


def ask(by, who: str) -> ApprovalRequest:
    money = Money(612_400_00, "KES")
    wanted = NewRequest(
        kind=REFUND,
        subject_id=ids.new(),
        subject_reference="re_01kb8w6m2v3kq3n9g4z7t5x8ab",
        payload={"amount": money.text, "currency": money.currency, "reason": "Order cancelled"},
        branch_id=Branch.objects.get(is_head_office=True).id,
        application_id=Application.objects.get(slug="orders").id,
        summary=f"Refund to {who}",
        money=money,
    )
    return requests.submit(request=wanted, actor=by, now=clock.now())


def test_another_person_decides(portal, world):
    maker = users.create(
        email="maker.of.the.test@savanna.example",
        name="Maker of the test",
        password="correct horse staple",
        actor=SYSTEM,
        now=clock.now(),
    )
    memberships.create(user_id=maker.id, role="treasury_officer", actor=SYSTEM, now=clock.now())
    owner = User.objects.get(email=world.treasury.demo["logins"][0]["email"])
    his, hers = ask(person(maker.id), "Kilifi Bakers"), ask(person(owner.id), "Lamu Boats")
    home = portal.url

    portal.goto(f"{home}approvals/?view=all")
    rows = portal.locator("tbody tr")
    assert "Another person decides" in rows.filter(has_text="Lamu").inner_text()
    assert rows.filter(has_text="Lamu").locator("button").count() == 0
    portal.goto(f"{home}approvals/{hers.id}/")
    assert portal.locator(".p-actions:visible button").all_inner_texts() == ["undo\nWithdraw…"]

    portal.goto(f"{home}approvals/")
    portal.locator("tbody tr").filter(has_text="Kilifi").locator("button").click()
    dialog = portal.locator("#dialog")
    dialog.wait_for()
    approve = dialog.locator("button[type=submit]")
    assert "612,400.00" in dialog.inner_text()
    assert approve.is_disabled()
    dialog.locator("[name=typed_money]").fill("612,400")
    approve.click()

    wait_for(
        lambda: ApprovalRequest.objects.get(id=his.id).status == ApprovalStatus.APPROVED, what="the approval"
    )
    portal.wait_for_selector("text=approved")
    assert portal.locator("tbody tr").filter(has_text="Kilifi").count() == 0


def test_no_page_of_approvals_scrolls_sideways(portal, world):
    owner = User.objects.get(email=world.treasury.demo["logins"][0]["email"])
    shown = ask(person(owner.id), "Wanjiku")
    home = portal.url

    for size in WIDTHS.values():
        portal.set_viewport_size(size)
        for path in (
            "approvals/",
            f"approvals/{shown.id}/",
            "approvals/approvalrequest/",
            "approvals/approvalrule/",
        ):
            portal.goto(home + path)
            width = portal.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"], path
