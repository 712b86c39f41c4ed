"""A payment that nobody answered, closed on a phone: the dialog fits, says what it does, and waits for another person."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from playwright.sync_api import expect

from apps.access.models import Application, Branch
from apps.kit import clock
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import Choice, Method, NewIntent
from apps.payments.models import PaymentAttempt
from apps.payments.services import attempts, intents
from tests.browser.test_accessibility import WIDTHS, fits, judge
from tests.factories import payments

PAYER = "+254722000312"


@pytest.fixture
def lost(world) -> Iterator[PaymentAttempt]:
    """Give an attempt that was sent two days ago and never answered; afterwards its provider says no."""
    then = clock.now() - timedelta(days=2)
    wanted = NewIntent(
        money=Money(350_00, "KES"),
        branch_id=Branch.objects.get(is_head_office=True).id,
        application_id=Application.objects.get(slug="orders").id,
        choice=Choice(Method.MPESA, PAYER, "Wanjiru Mwangi"),
    )
    with transaction.atomic():  # so that no worker sends it
        intent = intents.create(request=wanted, actor=SYSTEM, now=then)
        attempt = attempts.begin(intent_id=intent.id, now=then)
        assert attempt is not None
        attempts.lose(attempt_id=attempt.id, now=then)
    yield payments.reloaded(attempt)
    intents.record(attempt_id=attempt.id, report=payments.declined(attempt), actor=PROVIDER, now=clock.now())


def test_it_is_asked_for_on_a_phone(portal, lost):
    portal.goto(f"{portal.url}payments/{lost.intent_id}/")
    fits(portal, "an unknown payment")
    portal.set_viewport_size(WIDTHS["phone"])
    portal.locator("button:visible", has_text="Close as not paid…").first.click()
    portal.locator("#dialog").wait_for()

    box = portal.locator("#modal-content").bounding_box()
    inside = portal.evaluate("(e => e.scrollWidth - e.clientWidth)(document.querySelector('#modal-content'))")
    assert (box["x"], box["width"], inside) == (0, 390, 0)
    assert judge(portal, "close an unknown payment") == []
    expect(portal.locator("#dialog")).to_contain_text(lost.code)
    portal.locator("#dialog [name=reason]").fill("Statement of both days")
    expect(portal.locator("#dialog [type=submit]")).to_be_disabled()
    portal.locator("#dialog [name=typed_money]").fill("350.00")
    portal.locator("#dialog [type=submit]").click()

    expect(portal.locator("main").first).to_contain_text("Other people are asked to agree")
