"""Turn HTML into PDF."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.contrib.staticfiles import finders

STATIC_SCHEME = "static"


class AddressRefused(ValueError):
    """A document may only take in our own static files."""


def render(*, html: str) -> bytes:
    """
    Return the PDF of a page. Style sheets and pictures are named ``static:path`` and come from our static files; any
    other address is refused, so a name or a note in a document can load nothing. WeasyPrint is imported here alone.
    """
    from weasyprint import HTML  # noqa: PLC0415 (needs pango: only the worker that renders loads it)

    return HTML(string=html, url_fetcher=fetch, base_url="static:/").write_pdf()


def fetch(url: str, *_: Any, **__: Any) -> dict[str, Any]:
    """Give WeasyPrint one of our static files; raise AddressRefused for everything else."""
    parts = urlsplit(url)
    found = finders.find(unquote(parts.path).lstrip("/")) if parts.scheme == STATIC_SCHEME else None
    if not found:
        raise AddressRefused(f"a document may not load {url}")
    return {"string": Path(found).read_bytes()}
