"""WeasyPrint and what it may load: our own static files, nothing else. Imported only where a document is rendered."""

import mimetypes
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.contrib.staticfiles import finders
from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

STATIC_SCHEME = "static"


class AddressRefused(ValueError):
    """A document may only take in our own static files."""


class StaticFetcher(URLFetcher):
    """Gives WeasyPrint ``static:path`` from our static files; any other address ends the rendering."""

    def __init__(self) -> None:
        super().__init__(allowed_protocols=[STATIC_SCHEME], fail_on_errors=True)

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:  # noqa: ARG002 (WeasyPrint's signature)
        parts = urlsplit(url)
        found = finders.find(unquote(parts.path).lstrip("/")) if parts.scheme == STATIC_SCHEME else None
        if not found:
            raise AddressRefused(f"a document may not load {url}")
        kind = mimetypes.guess_type(found)[0] or "application/octet-stream"
        return URLFetcherResponse(url, body=Path(found).read_bytes(), headers={"Content-Type": kind})


def pdf(html: str) -> bytes:
    """Return the PDF of a page; raise AddressRefused when it wants to load what it may not."""
    try:
        return HTML(string=html, url_fetcher=StaticFetcher(), base_url="static:/").write_pdf()
    except FatalURLFetchingError as error:  # no Exception of Python's: it would end the worker
        raise AddressRefused(str(error)) from error
