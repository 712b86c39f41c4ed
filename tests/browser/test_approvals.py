"""Two people and one refund: who asks finds no button, who decides reads first and types the amount."""

import pytest
from playwright.sync_api import expect

from apps.access.models import Application, Branch
from apps.access.services import memberships
from apps.accounts.models import User
from apps.accounts.services import users
from apps.approvals.contracts import NewRequest, NewRule, NewStep
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import requests, rules
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM, person
from apps.kit.money import Money
from apps.payments.contracts import REFUND, RefundStatus
from apps.payments.models import Refund
from apps.payments.services import refunds
from tests.running import wait_for

WIDTHS = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
REFUNDED_LARGE = "+254722000311"
"""A payer of this test alone: what goes back to one payer within a day is judged by its whole sum."""


def ask(by, who: str) -> ApprovalRequest:
    money = Money(612_400_00, "KES")
    wanted = NewRequest(
        kind=REFUND,
        subject_id=ids.new(),
        subject_reference="re_01kb8w6m2v3kq3n9g4z7t5x8ab",
        payload={"amount": money.text, "currency": money.currency, "reason": "Order cancelled"},
        names=(),
        branch_id=Branch.objects.get(is_head_office=True).id,
        application_id=Application.objects.get(slug="orders").id,
        summary=f"Refund to {who}",
        money=money,
    )
    return requests.submit(request=wanted, actor=by, now=clock.now())


@pytest.fixture
def owner_decides(world):
    """Let the owner alone decide refunds of head office, whatever the demo's rules say."""
    rule = NewRule(
        REFUND.name,
        [NewStep(["owner"])],
        "KES",
        10_000_00,
        branch_id=Branch.objects.get(is_head_office=True).id,
        priority=1,
    )
    made = rules.create(rule=rule, actor=SYSTEM, now=clock.now())
    yield
    rules.deactivate(rule_id=made.id, actor=SYSTEM, now=clock.now())


@pytest.fixture
def maker(world):
    """A member who asks for money and decides nothing."""
    found = User.objects.filter(email="maker.of.the.test@savanna.example").first()
    if found is None:
        found = users.create(
            email="maker.of.the.test@savanna.example",
            name="Maker of the test",
            password="correct horse staple",
            actor=SYSTEM,
            now=clock.now(),
        )
        memberships.create(user_id=found.id, role="treasury_officer", actor=SYSTEM, now=clock.now())
    return found


def test_another_person_decides(portal, world, owner_decides, maker):
    owner = User.objects.get(email=world.treasury.demo["logins"][0]["email"])
    hers = ask(person(owner.id), "Lamu Boats")
    ask(person(maker.id), "Kilifi Bakers")
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
    expect(approve).to_be_disabled()
    dialog.locator("[name=typed_money]").fill("612,400")
    expect(approve).to_be_enabled()


def test_money_goes_back_when_another_person_has_decided(portal, world, owner_decides, maker):
    home = portal.url
    for _ in range(2):
        paid = world.pay(REFUNDED_LARGE, "12400.00", force=True)
        world.decide(paid, "approve")
        world.wait_status(paid, "succeeded")
    refund = refunds.create(
        intent_id=ids.decode("pi", paid),
        money=None,
        reason="Charged twice",
        actor=person(maker.id),
        now=clock.now(),
    )

    portal.goto(f"{home}approvals/")
    portal.locator("tbody tr").filter(has_text="Charged twice").locator("button").click()
    portal.locator("#dialog button[type=submit]").click()

    wait_for(lambda: Refund.objects.get(id=refund.id).status == RefundStatus.SUCCEEDED, what="the refund")
    portal.goto(f"{home}approvals/")
    assert portal.locator("tbody tr").filter(has_text="Charged twice").count() == 0


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
