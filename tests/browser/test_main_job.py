"""The main job as a person sees it: the phone, the cash position, the timeline, the inbox."""

from decimal import Decimal

from playwright.sync_api import expect

from apps.kit import ids
from tests.running import wait_for

PHONE = "+254722000111"
FETCH = """async address => {
    const answer = await fetch(address);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return [answer.headers.get("content-type"), String.fromCharCode(...bytes.slice(0, 5))];
}"""


def balance(page) -> Decimal:
    """Load the cash position and read the ledger balance, exact; before the first payment there is none to show."""
    page.reload()
    shown = page.locator("#ledger-balance")
    return Decimal(shown.get_attribute("data-amount") or "") if shown.count() else Decimal(0)


def test_a_customer_pays_and_finance_sees_it_to_the_cent(portal, world):
    home = portal.url
    before = balance(portal)
    payment_id = world.pay(PHONE, "12400.00", description="Catering, 20 Nov")
    prompt = world.prompt_of(payment_id)

    portal.goto(f"{world.treasury.simulator_url}/phone/{PHONE[1:]}")
    form = portal.locator(f'[data-prompt="{prompt["id"]}"]')
    assert "12,400" in form.inner_text()
    form.locator("[name=pin]").fill("1234")
    form.locator("[name=approve]").click()
    paid = world.wait_status(payment_id, "succeeded")
    world.settle_down()

    portal.goto(home)
    assert balance(portal) - before == Decimal("12338.00")

    portal.goto(f"{home}payments/{ids.decode('pi', payment_id)}/")
    assert portal.locator("[data-status=succeeded]").first.is_visible()
    timeline = portal.locator(".t-timeline").inner_text()
    assert all(
        word in timeline for word in ("Payment requested", "Prompt sent", "Succeeded", "Booked", "Receipt")
    )
    body = portal.locator("main").inner_text()
    assert paid["provider_receipt"] in body
    assert "12,400.00" in body
    assert "62.00" in body

    receipt = wait_for(lambda: pdf_link(portal), what="the link to the PDF")
    assert portal.evaluate(FETCH, receipt) == ["application/pdf", "%PDF-"]

    portal.goto(f"{home}inbox/{ids.decode('inb', world.inbox_id)}/")
    marks = portal.locator("[data-signature]").evaluate_all(
        "found => found.map(mark => mark.dataset.signature)"
    )
    assert marks
    assert set(marks) == {"valid"}


def pdf_link(page) -> str | None:
    page.reload()
    link = page.locator("a[href$='/pdf']")
    return link.first.get_attribute("href") if link.count() else None


def test_a_payment_that_nobody_knows_about_is_violet_and_cannot_be_sent_again(portal, world):
    home = portal.url
    payment_id = world.pay("254700000783", "115.00")
    wait_for(lambda: world.sends(payment_id), what="the request")
    world.tick(130)
    world.wait_status(payment_id, "unknown")

    portal.goto(f"{home}payments/{ids.decode('pi', payment_id)}/")

    assert portal.locator("[data-status=unknown]").first.is_visible()
    assert "Do not ask the payer again" in portal.locator("main").inner_text()


def test_a_stranger_is_asked_to_sign_in_and_a_wrong_password_is_refused(page, world):
    page.goto(world.treasury.demo["portal_url"])
    assert "/login/" in page.url
    page.fill("#id_username", "amina@savanna.example")
    page.fill("#id_password", "not the password")
    page.click("button[type=submit]")

    expect(page.locator("#id_password")).to_have_value("")
    assert "/login/" in page.url
    assert page.locator("#ledger-balance").count() == 0
