"""Every text and background pair of the tokens, and every brand colour, reads at WCAG 2.2 AA."""

import re
from itertools import product
from pathlib import Path

import pytest

from apps.kit import brand

TOKENS = (Path(__file__).parents[2] / "static/treasury/tokens.css").read_text()
TONES = ("in", "pending", "held", "failed", "unknown", "quiet")
TEXT, GRAPHIC = 4.5, 3.0
PAIRS = [
    *[("t-text", "t-page", TEXT), ("t-text-body", "t-page", TEXT), ("t-text-subtle", "t-page", TEXT)],
    *[("t-text-subtle", under, TEXT) for under in ("t-sunken", "t-hover", "t-accent-soft")],
    *[("t-link", "t-page", TEXT), ("t-link", "t-accent-soft", TEXT)],
    *[("t-on-accent", "t-accent", TEXT), ("t-on-danger", "t-danger", TEXT)],
    *[(graphic, "t-page", GRAPHIC) for graphic in ("t-icon", "t-field-line", "t-focus", "t-out-solid")],
    *[(f"t-{tone}", under, TEXT) for tone in TONES for under in (f"t-{tone}-bg", "t-page", "t-hover")],
    *[("t-text", f"t-{tone}-bg", TEXT) for tone in TONES],
    *[(f"t-{tone}-solid", "t-page", GRAPHIC) for tone in TONES],
]


def tokens(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", block))


LIGHT = tokens(TOKENS.split(":root {", 1)[1].split("\n}", 1)[0])
DARK = LIGHT | tokens(TOKENS.split(".dark {", 1)[1].split("\n}", 1)[0])


def resolve(name: str, table: dict[str, str]) -> str:
    value = table[name].split("/*")[0].strip()
    if match := re.fullmatch(r"var\(--([\w-]+)\)", value):
        return resolve(match[1], table)
    if match := re.match(r"color-mix\(in oklab, var\(--([\w-]+)\) (\d+)%, var\(--([\w-]+)\)\)", value):
        return mixed(resolve(match[1], table), resolve(match[3], table), int(match[2]) / 100)
    return value


def mixed(first: str, second: str, share: float) -> str:
    channels = (
        round(int(first[i : i + 2], 16) * share + int(second[i : i + 2], 16) * (1 - share)) for i in (1, 3, 5)
    )
    return "#" + "".join(f"{channel:02x}" for channel in channels)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "under", "least"), PAIRS)
def test_pair_reads(theme, front, under, least):
    table = {"light": LIGHT, "dark": DARK}[theme]

    ratio = brand.contrast(resolve(front, table), resolve(under, table))

    assert ratio >= least


def test_every_brand_colour_reads_on_every_surface():
    steps = range(0, 256, 17)

    for red, green, blue in product(steps, steps, steps):
        scale = brand.scale(f"#{red:02x}{green:02x}{blue:02x}")

        assert brand.contrast(brand.PAPER, scale["600"]) >= TEXT
        assert brand.contrast(scale["600"], scale["100"]) >= TEXT
        assert brand.contrast(scale["600"], scale["50"]) >= TEXT
        assert brand.contrast(scale["500"], brand.DARK_PAGE) >= TEXT
        assert brand.contrast(scale["500"], brand.DARK_RAISED) >= TEXT
        assert brand.contrast(scale["500"], mixed(scale["500"], brand.DARK_PAGE, 0.14)) >= TEXT


def test_scale_is_fresh_each_time():
    first = brand.scale("#0e5a6b")
    first["600"] = "changed"

    assert brand.scale("#0e5a6b")["600"] != "changed"


@pytest.mark.parametrize("text", ["", "teal", "#12345", "#12345g", "#1234567", "red;}body{display:none"])
def test_what_is_no_colour_is_told_apart(text):
    assert brand.is_colour(text) is False


def test_ink_goes_on_light_colours_and_paper_on_dark_ones():
    assert brand.on("#ffd166") == brand.INK
    assert brand.on("#08323c") == brand.PAPER
