"""A payer with nothing but a link: a real browser sends its form, waits, pays on the phone and has the receipt."""

import re

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
