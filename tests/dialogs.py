"""A person at a dialog of the portal: he opens it, fills it in and sends it, as htmx does."""

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

HIDDEN = re.compile(r'<input type="hidden" name="(shown|nonce)" value="([^"]*)">')


def open_at(browser: Client, url: str) -> HttpResponse:
    return browser.get(url, headers={"hx-request": "true"})


def hidden(opened: HttpResponse) -> dict[str, str]:
    """Return what travels with the dialog unseen: the hash of what it showed, and its nonce."""
    return dict(HIDDEN.findall(opened.content.decode()))


def send(browser: Client, url: str, *, behind: str = "", **fields: Any) -> HttpResponse:
    """Open the dialog and send it; what comes back is the redirect, or the dialog with what is wrong."""
    form = {**hidden(open_at(browser, url)), **fields}
    headers = {"hx-request": "true", "hx-current-url": behind}
    return browser.post(url, form, headers=headers)
