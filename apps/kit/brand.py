"""
Colour scales from one brand colour, with contrast that is computed and not hoped for.

An organisation sets one hex. `scale()` keeps its hue, limits its chroma and moves lightness until
every pair that the portal draws passes WCAG 2.2 AA. Colour spaces: sRGB transfer of IEC 61966-2-1, OKLab
and its matrices from Björn Ottosson, "A perceptual color space for image processing" (2020).
"""

import re
from functools import lru_cache
from math import atan2, cos, degrees, hypot, radians, sin

DEFAULT = "#0e5a6b"  # lake
PAPER, DARK_PAGE, DARK_RAISED = "#ffffff", "#14181c", "#22282f"  # white, base-900, base-800
INK = "#0d1014"
AA_TEXT = 4.5

WEIGHTS = ("50", "100", "200", "300", "400", "500", "600", "700", "800", "900", "950")
LIGHTNESS = (0.975, 0.945, 0.895, 0.815, 0.725, 0.665, 0.480, 0.415, 0.350, 0.295, 0.210)
CHROMA_SHARE = (0.12, 0.25, 0.45, 0.70, 0.92, 1.0, 1.0, 0.95, 0.80, 0.65, 0.48)
CHROMA_MAX = 0.17
CHROMA_STEP = 0.004
LIGHTNESS_STEP = 0.005
GAMUT_SLACK = 0.0005
LINEAR_BELOW, GAMMA_BELOW = 0.04045, 0.0031308

HEX = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)


def is_colour(text: str) -> bool:
    """Say whether a text is a colour that `scale` takes: # and six hex digits."""
    return HEX.fullmatch(text) is not None


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of WCAG 2.2, 1 to 21; the order does not matter."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2, 0 (black) to 1 (white)."""
    red, green, blue = (_to_linear(channel) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def on(colour: str) -> str:
    """Return white or ink, whichever reads better on the colour: for e-mails and heads of documents."""
    return PAPER if contrast(colour, PAPER) >= contrast(colour, INK) else INK


def scale(seed: str) -> dict[str, str]:
    """Return weights 50 to 950 as hex: a fresh dict on each call, since Unfold changes what it is given."""
    return dict(_scale(seed.lower()))


@lru_cache(maxsize=512)
def _scale(seed: str) -> tuple[tuple[str, str], ...]:
    lightness, chroma, hue = to_oklch(seed)
    chroma = min(chroma, CHROMA_MAX)
    weights = {
        weight: to_hex(level, chroma * share, hue)
        for weight, level, share in zip(WEIGHTS, LIGHTNESS, CHROMA_SHARE, strict=True)
    }
    # 600: button and link in the light theme. White on it, and itself on white and on 100.
    weights["600"] = _until(min(lightness, 0.55), -LIGHTNESS_STEP, chroma, hue, PAPER, weights["100"])
    weights["700"] = to_hex(max(to_oklch(weights["600"])[0] - 0.065, 0.2), chroma * 0.95, hue)
    # 500: link and active item in the dark theme.
    weights["500"] = _until(max(lightness, 0.70), LIGHTNESS_STEP, chroma, hue, DARK_PAGE, DARK_RAISED)
    return tuple(weights.items())


def _until(lightness: float, step: float, chroma: float, hue: float, *against: str) -> str:
    """Darken or lighten until the colour reads as text on every background given."""
    while 0 < lightness < 1:
        colour = to_hex(lightness, chroma, hue)
        if all(contrast(colour, other) >= AA_TEXT for other in against):
            return colour
        lightness += step
    return "#000000" if step < 0 else PAPER


def to_oklch(colour: str) -> tuple[float, float, float]:
    """Return lightness 0 to 1, chroma and hue in degrees."""
    red, green, blue = (_to_linear(channel) for channel in _channels(colour))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    green_red = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    blue_yellow = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, hypot(green_red, blue_yellow), degrees(atan2(blue_yellow, green_red)) % 360


def to_hex(lightness: float, chroma: float, hue: float) -> str:
    """Return the nearest colour that a screen can show: chroma is lowered until it fits sRGB."""
    while True:
        rgb = _linear_rgb(lightness, chroma, hue)
        if chroma <= 0 or (min(rgb) >= -GAMUT_SLACK and max(rgb) <= 1 + GAMUT_SLACK):
            break
        chroma = max(0.0, chroma - CHROMA_STEP)
    channels = (round(255 * _to_gamma(min(1.0, max(0.0, channel)))) for channel in rgb)
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def _linear_rgb(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    green_red, blue_yellow = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (lightness + 0.3963377774 * green_red + 0.2158037573 * blue_yellow) ** 3
    medium = (lightness - 0.1055613458 * green_red - 0.0638541728 * blue_yellow) ** 3
    short = (lightness - 0.0894841775 * green_red - 1.2914855480 * blue_yellow) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _channels(colour: str) -> tuple[float, float, float]:
    value = colour.lstrip("#")
    return int(value[0:2], 16) / 255, int(value[2:4], 16) / 255, int(value[4:6], 16) / 255


def _to_linear(channel: float) -> float:
    return channel / 12.92 if channel <= LINEAR_BELOW else ((channel + 0.055) / 1.055) ** 2.4


def _to_gamma(channel: float) -> float:
    return channel * 12.92 if channel <= GAMMA_BELOW else 1.055 * channel ** (1 / 2.4) - 0.055
