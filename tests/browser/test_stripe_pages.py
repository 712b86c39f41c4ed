"""A person on the simulator's pages of Stripe: declined, seen by the bank, gone back, and a card kept."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from apps.simulator import server
from tests.browser.test_accessibility import AXE, BAD
from tests.simulator import shops
from tests.simulator.shops import Shop


@pytest.fixture
def shop(tmp_path) -> Iterator[Shop]:
    """Return a shop whose own pages are the simulator's first page, which is at hand."""
    running = server.serve(host="127.0.0.1", port=0, store_path=tmp_path / "simulator.sqlite3", seed=7)
    with shops.shop(running) as made:
        yield made
    running.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """Return a page as wide as a phone."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    yield context.new_page()
    context.close()


def places(shop: Shop) -> dict[str, str]:
    return {
        "success_url": f"{shop.url}/?paid={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{shop.url}/?basket=1",
    }


def use(phone: Page, number: str) -> None:
    """Type a card and send the form."""
    phone.fill("#number", number)
    phone.fill("#expiry", "12 / 34")
    phone.fill("#cvc", "123")
    phone.click("button[type=submit]")


def judge(phone: Page) -> list[str]:
    """Return what axe finds serious or critical, light and dark."""
    phone.evaluate(AXE)
    found = []
    for scheme in ("light", "dark"):
        phone.emulate_media(color_scheme=scheme)
        verdict = phone.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [violation["id"] for violation in verdict["violations"] if violation["impact"] in BAD]
    return found


def test_a_person_is_declined_then_seen_by_the_bank_and_pays(shop, phone):
    session = shop.page(customer_email="amina@example.com", **places(shop))
    phone.goto(session.url)
    assert judge(phone) == []

    use(phone, "4000 0000 0000 0002")
    expect(phone.locator("#number-help")).to_contain_text("Your card was declined.")
    use(phone, "4000 0000 0000 3220")
    expect(phone.get_by_role("heading", name="Confirm it is you")).to_be_visible()
    assert judge(phone) == []
    phone.get_by_role("button", name="It is not me").click()
    expect(phone.locator("#number-help")).to_contain_text("did not confirm it was you")
    use(phone, "4000 0000 0000 3220")
    phone.get_by_role("button", name="Approve").click()

    phone.wait_for_url(f"{shop.url}/?paid={session.id}*")  # a browser carries the mark of the page along
    assert shop.read(session.id).payment_status == "paid"
    assert shop.statement()["closing_balance"] == "23.97"
    phone.goto(session.url)
    expect(phone.get_by_role("heading", name="Done")).to_be_visible()
    phone.goto(f"{shop.url}/statement/{shops.ACCOUNT}")
    expect(phone.locator("tbody tr")).to_have_count(1)


def test_a_person_goes_back_or_leaves_a_card(shop, phone):
    left = shop.page(**places(shop))
    kept = shop.page(mode="setup", line_items=None, payment_intent_data=None, currency="usd", **places(shop))

    phone.goto(left.url)
    phone.get_by_role("link", name="Back to Savanna Kitchens").click()
    phone.wait_for_url("**/?basket=1*")
    phone.goto(kept.url)
    phone.fill("#email", "amina@example.com")
    use(phone, "4242 4242 4242 4242")
    phone.wait_for_url(f"{shop.url}/?paid={kept.id}*")

    assert shop.read(left.id).status == "open"
    assert shop.read(left.id).payment_intent is None
    saved = shop.api.checkout.sessions.retrieve(kept.id, {"expand": ["setup_intent"]})
    assert (saved.status, saved.setup_intent.status) == ("complete", "succeeded")
