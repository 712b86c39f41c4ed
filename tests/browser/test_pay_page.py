"""A payer with nothing but a link: a real browser sends its form, waits, pays on the phone and has the receipt."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

PHONE = "0722 000 133"


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
