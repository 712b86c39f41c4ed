"""A payer with nothing but a link: a real browser sends its form, waits, pays on the phone and has the receipt."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from apps.integrations.contracts import RegistrationStatus
from apps.integrations.models import AddressRegistration, ProviderAccount
from apps.kit import clock
from apps.kit.actors import SYSTEM
from tests.browser.conftest import is_ours
from tests.browser.test_accessibility import AXE, BAD
from tests.running import SHORT_CODE

PHONE = "0722 000 133"
OTHER_PHONE = "0722 000 134"
SMALL = {"width": 360, "height": 740}


@pytest.fixture
def paybill(world) -> Iterator[None]:
    """Let the provider have been told where to tell of money that comes unasked, for one test."""
    account = ProviderAccount.objects.get(short_code=SHORT_CODE)

    def registered(status: RegistrationStatus) -> None:
        AddressRegistration.objects.create(
            account=account,
            status=status,
            version=account.inbound_version,
            is_accepted_by_default=account.is_accepted_by_default,
            registered_by=str(SYSTEM),
            registered_at=clock.now(),
        )

    registered(RegistrationStatus.DONE)
    yield
    registered(RegistrationStatus.ELSEWHERE)


def link_to(world, **sum_asked: str) -> tuple[str, str]:
    """Return the id of a payment that waits for its payer, and the address of its page."""
    asked = {"amount": {"currency": "KES", "amount": sum_asked["amount"]}, "confirm": False}
    payment = world.call("POST", "/payments", {**asked, "description": sum_asked["description"]}).json()
    return payment["id"], world.call("POST", f"/payments/{payment['id']}/pay-page").json()["url"]


def complaints(page: Page, place: str) -> list[str]:
    """Return what stands beside a small screen, and what axe finds serious or critical; the page is light only."""
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    found = [f"{place} is {overflow} px too wide"] if overflow > 0 else []
    page.evaluate(AXE)
    verdict = page.evaluate("axe.run(document, {resultTypes: ['violations'], preload: {assets: ['media']}})")
    assert verdict["passes"], place
    return found + [
        f"{place}: {violation['id']}: {node['html'][:160]}"
        for violation in verdict["violations"]
        if violation["impact"] in BAD
        for node in violation["nodes"]
    ]


def test_it_fits_a_small_phone_and_is_not_seriously_hard_to_use(page, world, paybill):
    page.set_viewport_size(SMALL)
    payment_id, url = link_to(world, amount="34567.00", description="Dinner and lodging")

    page.goto(url)
    bad = complaints(page, "the choice")
    page.get_by_role("link", name="Kiswahili").click()
    expect(page.get_by_role("heading", name="Ungependa kulipa vipi?")).to_be_visible()
    page.locator("details[data-keep=paybill] summary").click()
    bad += complaints(page, "the choice in Kiswahili")
    page.locator("details[data-keep=mpesa] summary").click()
    page.fill("#phone", "12")
    page.click("button[type=submit]")
    expect(page.get_by_role("alert")).to_be_visible()
    bad += complaints(page, "the choice with a refusal")
    page.goto(url + "?language=en")
    page.fill("#phone", OTHER_PHONE)
    page.click("button[type=submit]")
    expect(page.get_by_role("heading", name="Enter your PIN on your phone")).to_be_visible()
    bad += complaints(page, "the prompt")
    world.decide(payment_id, "approve")
    expect(page.get_by_role("heading", name="Paid. Thank you")).to_be_visible(timeout=60_000)
    bad += complaints(page, "the receipt")

    assert bad == []


@pytest.fixture
def plain(browser) -> Iterator[Page]:
    """Give a page of a browser that runs no scripts; every request beyond this machine fails the test."""
    context = browser.new_context(java_script_enabled=False, viewport=SMALL, locale="en-GB")
    opened, outside = context.new_page(), []
    opened.on("request", lambda request: outside.append(request.url) if not is_ours(request.url) else None)
    yield opened
    context.close()
    assert outside == []


def test_a_payer_whose_browser_runs_no_scripts_pays_and_sees_it_by_looking_again(plain, world, paybill):
    payment_id, url = link_to(world, amount="650.00", description="Breakfast")

    plain.goto(url)
    plain.fill("#phone", OTHER_PHONE)
    plain.click("button[type=submit]")
    expect(plain.get_by_role("heading", name="Enter your PIN on your phone")).to_be_visible()
    assert plain.url == url
    expect(plain.locator("noscript meta[http-equiv=refresh]")).to_have_attribute(
        "content", re.compile("5;url=")
    )

    plain.get_by_role("link", name="Pay by Paybill instead").click()
    expect(plain.locator("#pay-account")).to_be_visible()
    expect(plain.locator("meta[http-equiv=refresh]")).to_have_count(0)

    world.decide(payment_id, "approve")
    world.wait_status(payment_id, "succeeded")
    expect(plain.get_by_role("heading", name="Enter your PIN on your phone")).to_be_visible()
    plain.reload()
    expect(plain.get_by_role("heading", name="Paid. Thank you")).to_be_visible()


def test_a_payer_pays_from_his_own_phone(page, world):
    sum_asked = {"amount": {"amount": "640.00", "currency": "KES"}, "description": "Lunch", "confirm": False}
    payment = world.call("POST", "/payments", sum_asked).json()
    url = world.call("POST", f"/payments/{payment['id']}/pay-page").json()["url"]

    page.goto(url)
    expect(page.locator("main")).to_contain_text("640.00")
    page.fill("#phone", "12")
    page.click("button[type=submit]")
    expect(page.locator("#phone")).to_have_attribute("aria-invalid", "true")
    page.fill("#phone", PHONE)
    page.click("button[type=submit]")
    expect(page.get_by_role("heading", name="Enter your PIN on your phone")).to_be_visible()

    prompt = world.prompt_of(payment["id"])
    world.control("POST", f"/prompts/{prompt['id']}/approve")
    expect(page.get_by_role("heading", name=re.compile("Paid"))).to_be_visible(timeout=60_000)
    expect(page.get_by_role("link", name="Download receipt")).to_be_visible(timeout=120_000)


@pytest.fixture
def card_account(world) -> Iterator[str]:
    """Open an account for cards at the simulator and with us, in shillings, for one test."""
    number, key = "acct_1Browser", "sk_test_browser"
    world.control(
        "PUT", f"/accounts/{number}", {"name": "Savanna Kitchens", "secret_key": key, "currency": "kes"}
    )
    opened = world.call(
        "POST",
        "/provider-accounts",
        {
            "provider": "stripe",
            "label": "Cards",
            "environment": "simulator",
            "base_url": f"{world.treasury.simulator_url}/stripe",
            "currency": "KES",
            "short_code": number,
            "minimum": {"amount": "1.00", "currency": "KES"},
            "maximum": {"amount": "100000.00", "currency": "KES"},
            "credentials": {"api_key": key},
        },
    )
    assert opened.status_code == 201, opened.text
    yield opened.json()["id"]
    world.call("POST", f"/provider-accounts/{opened.json()['id']}/disable")


def test_a_payer_leaves_the_page_of_his_card_and_pays_by_phone(page, world, card_account):
    sum_asked = {"amount": {"amount": "730.00", "currency": "KES"}, "description": "Dinner", "confirm": False}
    payment = world.call("POST", "/payments", sum_asked).json()
    url = world.call("POST", f"/payments/{payment['id']}/pay-page").json()["url"]

    page.goto(url)
    page.get_by_text("Visa, Mastercard and others").click()
    page.get_by_role("button", name="by card").click()
    page.wait_for_url(f"{world.treasury.simulator_url}/**")
    at_provider = page.url
    page.goto(url)
    page.get_by_role("button", name="Pay another way").click()
    expect(page.get_by_text("is closed, and nothing was taken there")).to_be_visible(timeout=60_000)
    assert [attempt.status for attempt in world.attempts(payment["id"])] == ["FAILED"]
    page.fill("#phone", PHONE)
    page.get_by_role("button", name="Pay KES 730.00", exact=True).click()
    expect(page.get_by_role("heading", name="Enter your PIN on your phone")).to_be_visible()

    world.control("POST", f"/prompts/{world.prompt_of(payment['id'])['id']}/approve")
    expect(page.get_by_role("heading", name=re.compile("Paid"))).to_be_visible(timeout=60_000)
    page.goto(at_provider)
    expect(page.locator("#number")).to_have_count(0)
