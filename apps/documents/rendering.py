"""WeasyPrint and what it may load: our own static files and the pictures given, nothing else. Imported only where a document is rendered."""

import mimetypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import unquote, urlsplit

from django.contrib.staticfiles import finders
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

STATIC_SCHEME, PICTURE_SCHEME = "static", "picture"
_ONE_AT_A_TIME = Lock()  # pages share fonts, and pango's map of them is not for two threads at once


class AddressRefused(ValueError):
    """A document may only take in our own static files, and the pictures that it is given."""


class StaticFetcher(URLFetcher):
    """
    Gives WeasyPrint ``static:path`` from our static files, and ``picture:name`` from what this one document is given; any
    other address ends the rendering.
    """

    def __init__(self) -> None:
        super().__init__(allowed_protocols=[STATIC_SCHEME, PICTURE_SCHEME], fail_on_errors=True)
        self.pictures: Mapping[str, bytes] = {}

    @contextmanager
    def giving(self, pictures: Mapping[str, bytes]) -> Iterator[None]:
        """Give these pictures and no longer than this: they are one organisation's."""
        self.pictures = pictures
        try:
            yield
        finally:
            self.pictures = {}

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:  # noqa: ARG002 (WeasyPrint's signature)
        parts = urlsplit(url)
        if parts.scheme == PICTURE_SCHEME and parts.path in self.pictures:
            return URLFetcherResponse(
                url, body=self.pictures[parts.path], headers={"Content-Type": "image/png"}
            )
        found = finders.find(unquote(parts.path).lstrip("/")) if parts.scheme == STATIC_SCHEME else None
        if not found:
            raise AddressRefused(f"a document may not load {url}")
        kind = mimetypes.guess_type(found)[0] or "application/octet-stream"
        return URLFetcherResponse(url, body=Path(found).read_bytes(), headers={"Content-Type": kind})


@dataclass(frozen=True)
class Sheet:
    """A style sheet with its fonts, unpacked once: that takes ten times as long as drawing a page with them."""

    css: CSS
    fonts: FontConfiguration


@cache
def sheet(path: str) -> Sheet:
    """Read a style sheet of our static files; raise AddressRefused when it wants what it may not load."""
    fonts = FontConfiguration()
    with _refusals():
        return Sheet(CSS(url=f"static:{path}", url_fetcher=_fetcher(), font_config=fonts), fonts)


def pdf(html: str, style: str, pictures: Mapping[str, bytes]) -> bytes:
    """Return the PDF of a page in that style sheet; raise AddressRefused when it wants what it may not load."""
    with _ONE_AT_A_TIME, _refusals(), _fetcher().giving(pictures):
        used = sheet(style)
        page = HTML(string=html, url_fetcher=_fetcher(), base_url="static:/")
        return page.write_pdf(stylesheets=[used.css], font_config=used.fonts)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except FatalURLFetchingError as error:  # no Exception of Python's: it would end the worker
        raise AddressRefused(str(error)) from error


@cache
def _fetcher() -> StaticFetcher:
    """One for all: WeasyPrint's reads the machine's certificates when it is made."""
    return StaticFetcher()
