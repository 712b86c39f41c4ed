"""A person chooses a branch in the frame, and the list follows."""

from playwright.sync_api import expect


def choose(page, name):
    page.click(".p-places-now")
    with page.expect_navigation():
        page.click(f"#places >> text={name}")
    expect(page.locator(".p-places-now")).to_contain_text(name)


def test_the_list_follows_the_branch_that_was_chosen(portal, world):
    payment = world.pay("+254722000222", "350.00", reference="AT-WESTLANDS")
    world.wait_status(payment, "action_required")
    portal.goto(f"{portal.url}payments/paymentintent/")
    address = portal.url
    row = portal.locator("#result_list tr", has_text="AT-WESTLANDS")
    expect(row).to_have_count(1)

    choose(portal, "City centre")
    assert portal.url == address
    expect(row).to_have_count(0)

    choose(portal, "All branches")
    expect(row).to_have_count(1)
