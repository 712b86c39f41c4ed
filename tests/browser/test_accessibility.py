"""Every page of the portal fits its window, and by axe-core it and every dialog is easy to use; keys and focus by hand."""

from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

from tests.portal.places import PLACES

AXE = next(Path(axe_playwright_python.__file__).parent.glob("*.js")).read_text()
BAD = {"serious", "critical"}
PARTS = 3
"""In so many tests, because all pages in one take minutes."""
FIRST_ROW = "#result_list tbody a[href*='/change/'], .t-table tbody a[href^='/portal/']"

WIDTHS = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1440, "height": 900}}
UNNAMED = """found => found.filter(
    e => !(e.innerText.trim() || e.ariaLabel || e.title || e.querySelector('img[alt]'))
).length"""

SCHEMES = {
    "light": "{preload: {assets: ['media']}}",
    "dark": "{runOnly: ['color-contrast', 'link-in-text-block']}",
}
"""
What axe judges in each scheme: all of it in the first, in the other what colours alone can change. It does not read the style
sheets: no rule that is on by default asks for them.
"""

LOADED = "document.readyState === 'complete' && !document.querySelector('.htmx-request')"
"""Until this is so, a part of the page is still on its way."""

STILL = """
    new Promise(later => requestAnimationFrame(() => requestAnimationFrame(later))).then(() => Promise.race([
        Promise.allSettled(document.getAnimations().map(one => one.finished)),
        new Promise(later => setTimeout(later, 2000)),
    ])).then(() => null)"""


def judge(page, place: str) -> list[str]:
    """Return what axe finds serious or critical on the page as it is, light and dark."""
    page.wait_for_function(LOADED)
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE)
    found = []
    for scheme, rules in SCHEMES.items():
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("html.dark")).to_have_count(1 if scheme == "dark" else 0)
        page.evaluate(STILL)  # what fades in has another contrast until it is there
        verdict = page.evaluate(f"axe.run(document, {{resultTypes: ['violations'], ...{rules}}})")
        assert verdict["passes"], place
        found += [
            f"{place}, {scheme}: {violation['id']}: {node['html'][:160]}"
            for violation in verdict["violations"]
            if violation["impact"] in BAD
            for node in violation["nodes"]
        ]
    return found


def fits(page, place: str) -> None:
    """See that the page has one heading and one main part, and at each width names on what is pressed and nothing beside it."""
    assert page.locator("h1").count() == 1, place
    assert page.locator("main, [role=main]").count() == 1, place
    for width, size in WIDTHS.items():
        page.set_viewport_size(size)
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{place} is {overflow} px too wide at a {width}"
        unnamed = page.locator("a:visible, button:visible").evaluate_all(UNNAMED)
        assert unnamed == 0, f"{place} has {unnamed} links or buttons without a name at a {width}"


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_fits_its_window_and_is_not_seriously_hard_to_use(portal, world, part):
    """Both of one load; axe judges at the width of a desk."""
    portal.add_init_script(AXE)
    home = portal.url
    bad = []

    for place in PLACES[part::PARTS]:
        assert portal.goto(home + place).status == 200, place
        fits(portal, place)
        bad += judge(portal, place)
        first = portal.locator(FIRST_ROW).first
        if first.count():
            portal.goto(home.removesuffix("/portal/") + first.get_attribute("href"))
            bad += judge(portal, f"the first of {place}")

    assert bad == []


def test_contrast_is_judged_in_both_schemes(portal, world):
    portal.goto("about:blank")  # where the policy of no page holds
    portal.set_content(
        """<!doctype html><html lang=en><title>Books</title>
        <style>p { color: #111; background: #fff } .dark p { color: #222; background: #111 }</style>
        <main><h1>Books</h1><p>Paid</p></main>
        <script>
            const dark = matchMedia("(prefers-color-scheme: dark)");
            dark.onchange = () => document.documentElement.classList.toggle("dark", dark.matches);
        </script>"""
    )

    bad = judge(portal, "too dark a text")

    assert len(bad) == 1
    assert bad[0].startswith("too dark a text, dark: color-contrast: <p")


def test_no_dialog_is_seriously_hard_to_use(portal, world):
    home = portal.url
    portal.goto(f"{home}access/apikey/")
    portal.locator("button[hx-get*='do/revoke']:visible").first.click()
    portal.locator("#dialog").wait_for()
    bad = judge(portal, "revoke a key")
    portal.keyboard.press("Escape")
    portal.locator("#dialog").wait_for(state="hidden")
    portal.keyboard.press("?")
    portal.locator("#shortcuts-title").wait_for()
    bad += judge(portal, "keys")
    portal.keyboard.press("Escape")
    portal.locator("#shortcuts-title").wait_for(state="hidden")
    portal.keyboard.press("Control+k")
    portal.locator("#search-input-command").wait_for()
    bad += judge(portal, "find anything")

    assert bad == []


def test_a_dialog_takes_the_focus_keeps_it_and_gives_it_back(portal, world):
    portal.goto(f"{portal.url}access/apikey/")
    button = portal.locator("button[hx-get*='do/revoke']:visible").first
    button.focus()
    portal.keyboard.press("Enter")
    portal.locator("#dialog").wait_for()
    portal.wait_for_function("document.activeElement.name === 'typed_text'")
    expect(portal.locator("#dialog [type=submit]")).to_be_disabled()

    for _round in range(6):
        portal.keyboard.press("Tab")
        assert portal.evaluate("!!document.activeElement.closest('[role=dialog]')")

    portal.keyboard.press("Escape")
    portal.locator("#dialog").wait_for(state="hidden")
    portal.wait_for_function("(document.activeElement.getAttribute('hx-get') || '').includes('do/revoke')")


def test_a_dialog_is_a_sheet_at_the_bottom_of_a_phone(portal, world):
    portal.set_viewport_size({"width": 390, "height": 844})
    portal.goto(f"{portal.url}access/apikey/")
    portal.locator("button[hx-get*='do/revoke']:visible").first.click()
    portal.locator("#dialog").wait_for()

    box = portal.locator("#modal-content").bounding_box()

    assert box["x"] == 0
    assert box["width"] == 390
    assert box["y"] + box["height"] == pytest.approx(844, abs=2)


def test_keys_lead_through_the_portal_and_can_be_switched_off(portal, world):
    home = portal.url
    portal.goto(f"{home}access/apikey/")
    portal.keyboard.press("j")
    portal.keyboard.press("x")
    expect(portal.locator("input.action-select:checked")).to_have_count(1)
    portal.keyboard.press("Escape")
    expect(portal.locator("input.action-select:checked")).to_have_count(0)

    portal.keyboard.press("g")
    portal.keyboard.press("p")
    portal.wait_for_url("**/payments/paymentintent/")

    portal.locator("#searchbar").focus()
    portal.keyboard.type("gc")
    expect(portal.locator("#searchbar")).to_have_value("gc")

    portal.evaluate("localStorage.setItem('treasuryKeys', 'off')")
    portal.goto(f"{home}access/apikey/")
    portal.keyboard.press("j")
    portal.keyboard.press("x")
    portal.keyboard.press("f")
    assert portal.locator("input.action-select:checked").count() == 0
    assert portal.locator(".filter-open-button").get_attribute("aria-expanded") == "false"
