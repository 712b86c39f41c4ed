"""Reads deploy/compose.yaml and deploy/.env.example as an engine would, as far as the tests need it."""

import re
from typing import Any

import yaml
from django.conf import settings

DEPLOY = settings.BASE_DIR / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text()
TAKEN = re.compile(r"(?<!\$)\$\{(\w+)(?::\?[^}]*)?\}")
LINE = re.compile(r"^(#?)([A-Z][A-Z0-9_]+)=(.*)$")
FILLED = {
    "TREASURY_SECRET_KEY": "5f0c9e2ab47d1836f0a2b9c84d7e61355f0c9e2ab47d1836f0a2b9c84d7e6135",
    "TREASURY_MASTER_KEY": "WxJ0Yc0mEm4v3o8Q2m3aZr5cX1uB7dK9fL6gT2hN8pQ=",
}
"""What a reader fills in; every other value that is left open is a password."""


def services() -> dict[str, dict[str, Any]]:
    return dict(whole()["services"])


def whole() -> dict[str, Any]:
    return dict(yaml.safe_load(TEXT))


def example() -> dict[str, tuple[bool, str]]:
    """Return each variable of the example: whether it is set there, and what stands behind it."""
    found = [LINE.match(line) for line in (DEPLOY / ".env.example").read_text().splitlines()]
    return {line[2]: (not line[1], line[3]) for line in found if line}


def filled() -> dict[str, str]:
    """Return what deploy/.env says once a reader has filled it in."""
    given = {name: value for name, (is_set, value) in example().items() if is_set}
    return {name: value or FILLED.get(name, "a5d1c0ffee5bad1dea") for name, value in given.items()}


def environment(name: str) -> dict[str, str]:
    """Return the variables that a service of ours gets: of the file, then of its own lines."""
    own = services()[name].get("environment", {})
    return {
        **filled(),
        **{key: TAKEN.sub(lambda found: filled()[found[1]], str(value)) for key, value in own.items()},
    }
