"""A headless Chromium, and a person who is signed in to the portal."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = os.environ.get("TREASURY_CHROMIUM") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.localhost 127.0.0.1",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    assert Path(CHROMIUM).exists(), f"{CHROMIUM} is missing: apt-get install chromium"
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "DJANGO_ALLOW_ASYNC_UNSAFE", "true"
        )  # Playwright keeps an event loop in this thread; the ORM is ours alone
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def page(browser, world) -> Iterator[Page]:
    """Give a fresh page in which every request beyond this machine fails the test."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-GB", timezone_id="Africa/Nairobi"
    )
    opened = context.new_page()
    outside: list[str] = []
    refused: list[str] = []
    opened.on("console", lambda said: refused.append(said.text) if "Content Security" in said.text else None)
    opened.on("request", lambda request: outside.append(request.url) if not is_ours(request.url) else None)
    yield opened
    context.close()
    assert outside == []
    assert refused == [], "a page runs or loads what its Content-Security-Policy does not let in"


def is_ours(url: str) -> bool:
    return url.startswith(
        ("http://127.0.0.1:", "http://savanna.localhost:", "http://localhost:", "data:", "blob:")
    )


@pytest.fixture
def portal(page, world) -> Page:
    """Sign in as the owner of the demo organisation."""
    login = world.treasury.demo["logins"][0]
    page.goto(world.treasury.demo["portal_url"])
    page.fill("#id_username", login["email"])
    page.fill("#id_password", login["password"])
    page.click("button[type=submit]")
    page.wait_for_url("**/portal/")
    page.wait_for_selector("h1")
    return page
