"""A person on the simulator's pages of PayPal: goes back, is without money, pays, and lets a shop keep the wallet."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from apps.simulator import server
from tests.browser.test_accessibility import AXE, BAD
from tests.simulator import wallets
from tests.simulator.wallets import ACCOUNT, Wallets

ORDERS = "/v2/checkout/orders"


@pytest.fixture
def shop(tmp_path) -> Iterator[Wallets]:
    """Return a shop whose own pages are the simulator's first page, which is at hand."""
    running = server.serve(host="127.0.0.1", port=0, store_path=tmp_path / "simulator.sqlite3", seed=7)
    with wallets.wallets(running) as made:
        yield made
    running.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """Return a page as wide as a phone."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    yield context.new_page()
    context.close()


def places(shop: Wallets) -> dict[str, str]:
    return {"return_url": f"{shop.url}/?paid=1", "cancel_url": f"{shop.url}/?basket=1"}


def link(body: dict, *rels: str) -> str:
    """Return the address of a link."""
    return next(each["href"] for each in body["links"] if each["rel"] in rels)


def judge(phone: Page) -> list[str]:
    """Return what axe finds serious or critical, light and dark."""
    phone.evaluate(AXE)
    found = []
    for scheme in ("light", "dark"):
        phone.emulate_media(color_scheme=scheme)
        verdict = phone.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [violation["id"] for violation in verdict["violations"] if violation["impact"] in BAD]
    return found


def test_a_person_goes_back_then_is_without_money_then_pays(shop, phone):
    order = shop.order(source={"experience_context": places(shop)})
    page = link(order, "payer-action")
    phone.goto(page)
    assert judge(phone) == []

    phone.get_by_role("button", name="Cancel and return to Savanna Kitchens").click()
    phone.wait_for_url(f"{shop.url}/?basket=1&token={order['id']}")
    phone.goto(page)
    phone.select_option("#funding", "empty")
    phone.get_by_role("button", name="Pay USD 25.00").click()
    phone.wait_for_url(f"{shop.url}/?paid=1&token={order['id']}&PayerID=*")
    refused = shop.post(f"{ORDERS}/{order['id']}/capture")
    phone.goto(refused.json()["links"][0]["href"])
    phone.fill("#email", "somebody")
    phone.get_by_role("button", name="Pay USD 25.00").click()
    expect(phone.locator("#email:invalid")).to_have_count(1)
    phone.fill("#email", "somebody@example.com")
    phone.get_by_role("button", name="Pay USD 25.00").click()
    phone.wait_for_url("**PayerID=*")

    paid = shop.post(f"{ORDERS}/{order['id']}/capture").json()
    assert (paid["status"], paid["payer"]["email_address"]) == ("COMPLETED", "somebody@example.com")
    assert paid["payer"]["payer_id"] in phone.url
    phone.goto(page)
    expect(phone.get_by_role("heading", name="Done")).to_be_visible()
    phone.goto(f"{shop.url}/statement/{ACCOUNT}")
    expect(phone.locator("tbody tr")).to_have_count(1)


def test_a_person_lets_a_shop_keep_the_wallet(shop, phone):
    wallet = {"experience_context": places(shop)}
    setup = shop.post("/v3/vault/setup-tokens", {"payment_source": {"paypal": wallet}}).json()

    phone.goto(link(setup, "approve"))
    expect(phone.get_by_role("heading", name="Let Savanna Kitchens keep your wallet")).to_be_visible()
    phone.get_by_role("button", name="Agree").click()

    phone.wait_for_url(f"{shop.url}/?paid=1&approval_token_id={setup['id']}")
    assert shop.read(f"/v3/vault/setup-tokens/{setup['id']}")["status"] == "APPROVED"
