"""A person sets up a second factor in the browser, signs in with it and with a recovery code, and removes it again."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from apps.kit import clock
from tests.factories.accounts import Phone, scanned

NEXT_STEP = timedelta(seconds=30)


def type_code(page, form, code):
    page.fill(f"{form} [name=code]", code)
    page.click(f"{form} button[type=submit]")


def sign_in(page, world):
    login = world.treasury.demo["logins"][0]
    page.goto(world.treasury.demo["portal_url"])
    page.fill("#id_username", login["email"])
    page.fill("#id_password", login["password"])
    page.click("button[type=submit]")


@pytest.fixture
def stranger(browser, world):
    """Give a second browser of the same person, in which nobody is signed in."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def test_a_person_sets_up_uses_and_removes_his_second_factor(portal, stranger, world):
    home = portal.url
    portal.click(".p-me > button")
    portal.click(".p-me-links >> text=Second factor")
    portal.click("text=Set up a second factor")
    expect(portal.locator(".p-qr svg")).to_be_visible()
    phone: Phone = scanned(portal.inner_text("#manual-key"))

    type_code(portal, "#enrol-form", phone.wrong_code(clock.now()))
    portal.wait_for_selector("#code-refusal")
    used = phone.code(clock.now())
    type_code(portal, "#enrol-form", used)
    portal.wait_for_selector("#recovery-codes")
    codes = portal.locator("#recovery-codes li").all_inner_texts()
    with portal.expect_download() as download:
        portal.click("a[download]")
    assert download.value.path().read_text().split() == codes

    sign_in(stranger, world)
    stranger.wait_for_selector("#second-factor-form")
    stranger.goto(f"{home}payments/paymentintent/")
    assert "/second-factor/?next=" in stranger.url
    type_code(stranger, "#second-factor-form", used)
    stranger.wait_for_selector("#code-refusal")
    stranger.click("text=Use a recovery code")
    stranger.wait_for_timeout(1_500)  # the rest after the wrong code
    type_code(stranger, "#second-factor-form", codes[0])
    stranger.wait_for_url("**/payments/paymentintent/")
    stranger.context.clear_cookies()

    sign_in(stranger, world)
    stranger.wait_for_selector("#second-factor-form")
    type_code(stranger, "#second-factor-form", phone.code(clock.now() + NEXT_STEP))
    stranger.wait_for_url(home)

    portal.goto(f"{home}second-factor/manage/")
    assert "9 recovery codes left" in portal.inner_text("main")
    portal.click("summary >> text=Remove")
    type_code(portal, "#remove-form", codes[1])
    portal.wait_for_selector("text=You sign in with your password alone.")
