"""Who was let in opens his link in a real browser, which says where a form comes from or hides it, and chooses a password."""

from playwright.sync_api import expect

from apps.access.services import admissions
from apps.kit import clock
from apps.kit.actors import SYSTEM


def test_a_new_person_chooses_his_password(page, world):
    admitted = admissions.admit(
        email="zawadi@savanna.example", name="Zawadi", role="auditor", actor=SYSTEM, now=clock.now()
    )

    page.goto(f"{world.treasury.demo['portal_url']}enter/?link={admitted.secret}")
    page.fill("#id_password", "short")
    page.click("#entry-form button[type=submit]")
    expect(page.get_by_role("heading", name="Welcome, Zawadi")).to_be_visible()
    page.fill("#id_password", "correct horse battery staple 9")
    page.click("#entry-form button[type=submit]")

    expect(page.locator("#entry-form")).to_have_count(0)
    expect(page.locator("body")).not_to_contain_text("Not allowed")
