"""A month from open to closed, as a controller works it off, and opened again by two people."""

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from apps.access.models import Branch
from apps.kit import clock
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Period, SealLeaf
from apps.ledger.services import seals
from tests.browser.test_accessibility import judge
from tests.factories import ledger
from tests.running import PATIENCE, wait_for

WIDTHS = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
APPROVER = "grace@savanna.example"
PATIENT = PATIENCE * 1000
"""In milliseconds: a worker closes the period, and the page asks every two seconds what became of it."""


@pytest.fixture
def last_year(world) -> int:
    """Give the year before this one, in the first month of which cash was counted and sealed."""
    now = clock.now() - timedelta(minutes=1)
    branch = Branch.objects.get(is_head_office=True)
    cash, capital = (ledger.ref(role, branch.id) for role in (AccountRole.CASH, AccountRole.OPENING_BALANCES))
    year = now.year - 1
    booked = ledger.post(ledger.transfer(cash, capital, 500_00, effective_date=date(year, 1, 14)), now=now)
    wait_for(lambda: is_sealed(booked.number), what="the seal")
    return year


def is_sealed(number: int) -> bool:
    """Seal what is old enough, unless the treasury's own sealer is at it, and say whether this transaction is."""
    seals.run(now=clock.now(), is_thorough=True)
    return SealLeaf.objects.filter(transaction_id=number).exists()


def button(page: Page, text: str):
    """Return a button of the page or of a step that people see."""
    return page.locator("button:visible").filter(has_text=re.compile(f"{re.escape(text)}$"))


def send(page: Page, **fields: str) -> None:
    """Fill the open dialog in and send it; what follows is the page behind it."""
    dialog = page.locator("#dialog")
    dialog.wait_for()
    wait_for(lambda: is_filled(dialog, fields), what="what was typed in the dialog")
    dialog.locator("button[type=submit]").click()
    expect(page.locator("#dialog")).to_have_count(0, timeout=PATIENT)


def is_filled(dialog: Locator, fields: dict[str, str]) -> bool:
    """Type into every field and say whether each holds its text: a dialog that has just opened moves the focus once."""
    for name, text in fields.items():
        dialog.locator(f"[name={name}]").fill(text)
    return all(dialog.locator(f"[name={name}]").input_value() == text for name, text in fields.items())


def test_a_month_is_worked_off_closed_and_opened_again_by_two_people(portal, browser, world, last_year):
    home = portal.url
    portal.goto(f"{home}ledger/periods/")
    button(portal, "Open a year…").click()
    send(portal, year=str(last_year), first_month="1")

    portal.locator("tbody tr").first.locator("a").click()
    reconciliation = portal.locator("[data-step=reconciliation]")
    expect(reconciliation).to_contain_text("To do")
    page_of_january = portal.url
    expect(button(portal, "Close the period…")).to_have_count(0)
    for size in WIDTHS.values():
        portal.set_viewport_size(size)
        assert portal.evaluate("document.documentElement.scrollWidth") <= size["width"]
    portal.set_viewport_size(WIDTHS["desk"])
    assert judge(portal, "a period that waits") == []

    button(portal, "Sign off…").click()
    send(portal, note="Cash counted on 31 January")
    expect(reconciliation).to_contain_text("Cash counted on 31 January")
    button(portal, "Close the period…").click()
    dialog = portal.locator("#dialog")
    expect(dialog.locator("button[type=submit]")).to_be_disabled()
    assert judge(portal, "the dialog that closes") == []
    send(portal, typed_text=f"{last_year}-01")
    expect(portal.locator("#period-state[data-state=closed]")).to_be_visible(timeout=PATIENT)
    expect(portal.locator("main")).to_contain_text("500.00")
    assert judge(portal, "a closed period") == []

    button(portal, "Ask to open it again…").click()
    send(portal, reason="A voucher of January came late")
    with portal.expect_navigation():
        portal.get_by_role("link", name="Another person decides").click()
    expect(portal.locator("main")).to_contain_text("Another person decides")
    request = portal.url
    decide(browser, world, request)

    january = Period.objects.get(start_date=date(last_year, 1, 1))
    wait_for(lambda: Period.objects.get(id=january.id).revision > 1, what="the reopening")
    portal.goto(page_of_january)
    expect(portal.locator("#period-state")).to_have_attribute("data-state", "open")
    expect(portal.locator("[data-step=reconciliation]")).to_contain_text("To do")
    expect(portal.locator(".p-history")).to_contain_text("Opened again, agreed by")


def decide(browser, world, request: str) -> None:
    """Let the approver agree in a browser of his own."""
    login = next(one for one in world.treasury.demo["logins"] if one["email"] == APPROVER)
    context = browser.new_context(viewport=WIDTHS["desk"], locale="en-GB", timezone_id="Africa/Nairobi")
    page = context.new_page()
    page.goto(world.treasury.demo["portal_url"])
    page.fill("#id_username", login["email"])
    page.fill("#id_password", login["password"])
    page.click("button[type=submit]")
    page.wait_for_selector("h1")
    page.goto(request)
    button(page, "Approve…").click()
    send(page)
    context.close()
