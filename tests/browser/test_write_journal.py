"""A journal from the form to the books, by two people; and the same form without JavaScript."""

import re

import pytest
from playwright.sync_api import Page, expect

from apps.access.models import Branch
from apps.kit import clock, ids
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Account, Transaction
from apps.ledger.services import accounts
from tests.browser.test_accessibility import judge
from tests.factories import ledger
from tests.running import wait_for

WIDTHS = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
APPROVER = "grace@savanna.example"


@pytest.fixture
def safe(world) -> tuple[Account, Account]:
    """Give the accounts of a bank and of petty cash at head office, with nothing on them."""
    branch, owner = Branch.objects.get(is_head_office=True), ids.new()
    refs = [
        ledger.ref(role, branch.id, owner_id=owner)
        for role in (AccountRole.BANK_BALANCE, AccountRole.RESERVE)
    ]
    return tuple(accounts.ensure(ref=ref, now=clock.now(), name=f"{ref.role} of the test") for ref in refs)


def enter(page: Page, login: dict[str, str], home: str) -> None:
    page.goto(home)
    page.fill("#id_username", login["email"])
    page.fill("#id_password", login["password"])
    page.click("button[type=submit]")
    page.wait_for_selector("h1")


def write(page: Page, voucher: str, debited: Account, credited: Account) -> None:
    """Fill the form in: KES 1,250.00 from one account to the other."""
    page.fill("#id_voucher", voucher)
    page.fill("#id_description", "Deposit of the day")
    page.fill("#id_reason", "Brought to the bank by hand")
    for place, account, side in ((0, debited, "debit"), (1, credited, "credit")):
        page.fill(f"[name=lines-{place}-account]", str(account))
        page.fill(f"[name=lines-{place}-{side}]", "1,250.00")


def test_one_writes_another_agrees_and_it_stands_in_the_books(portal, browser, world, safe):
    home, voucher = portal.url, f"JV-{ids.new().hex[-8:]}"
    portal.goto(f"{home}ledger/journals/")
    portal.get_by_role("link", name=re.compile("New journal")).click()
    write(portal, voucher, *safe)
    totals = portal.locator("#journal-totals")

    portal.fill("[name=lines-1-credit]", "1,200.00")
    expect(totals).to_have_text("Debits are KES 50.00 more than credits")
    expect(portal.locator("[name=lines-1-currency]")).to_have_value("KES")
    portal.fill("[name=lines-1-credit]", "1 250")
    expect(totals).to_have_text("KES 1,250.00 on both sides")
    portal.locator("[data-add]").click()
    expect(portal.locator("[data-line]")).to_have_count(5)
    expect(portal.locator("[name=lines-4-account]")).to_be_focused()
    assert judge(portal, "the form of a journal") == []

    portal.locator("[data-preview]").click()
    expect(portal.locator("#preview tbody tr")).to_have_count(2)
    portal.get_by_role("button", name="Ask for KES 1,250.00 to be booked").click()
    expect(portal.locator("h1")).to_contain_text(voucher)
    expect(portal.get_by_text("Nothing is booked yet")).to_be_visible()
    journal = portal.url

    grace = next(login for login in world.treasury.demo["logins"] if login["email"] == APPROVER)
    context = browser.new_context(locale="en-GB", timezone_id="Africa/Nairobi")
    other = context.new_page()
    enter(other, grace, home)
    other.goto(f"{home}approvals/")
    other.locator("tbody tr").filter(has_text=voucher).locator("button").click()
    other.locator("#dialog button[type=submit]").click()
    wait_for(lambda: Transaction.objects.filter(reference=voucher).exists(), what="the booking")
    context.close()

    portal.goto(journal)
    expect(portal.locator(".p-hero")).to_contain_text("Posted")
    portal.locator(".p-hero a").click()
    expect(portal.locator("tbody").first).to_contain_text(str(safe[0]))


def test_without_javascript_the_same_form_is_filled_in_and_sent(portal, browser, world, safe):
    home, voucher = portal.url, f"JV-{ids.new().hex[-8:]}"
    context = browser.new_context(
        java_script_enabled=False, storage_state=portal.context.storage_state(), viewport=WIDTHS["phone"]
    )
    plain = context.new_page()
    plain.goto(f"{home}ledger/journals/new/")
    write(plain, voucher, *safe)

    plain.locator("[data-add]").click()
    expect(plain.locator("[data-line]")).to_have_count(6)
    expect(plain.locator("[name=lines-0-debit]")).to_have_value("1,250.00")
    plain.locator("[data-preview]").click()
    plain.get_by_role("button", name="Ask for KES 1,250.00 to be booked").click()

    expect(plain.locator("h1")).to_contain_text(voucher)
    context.close()


def test_no_page_of_journals_scrolls_sideways(portal, world):
    home = portal.url
    for size in WIDTHS.values():
        portal.set_viewport_size(size)
        for path in ("ledger/journals/", "ledger/journals/new/"):
            portal.goto(home + path)
            assert portal.evaluate("document.documentElement.scrollWidth") <= size["width"], path
        expect(portal.locator("[data-preview]")).to_be_visible()
