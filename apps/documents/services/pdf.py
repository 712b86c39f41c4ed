"""Turn HTML into PDF."""

from collections.abc import Mapping


def render(*, html: str, style: str, pictures: Mapping[str, bytes] | None = None) -> bytes:
    """
    Return the PDF of a page in a style sheet, which is named by its path among our static files and kept, fonts and
    all, for the next page. Pictures are named ``static:path`` and come from there too, or ``picture:name`` and are PNGs
    given here; any other address ends the rendering with a ValueError, so a name or a note in a document can load nothing.

    WeasyPrint needs pango; it is imported here alone, in the worker that renders.
    """
    from apps.documents import rendering  # noqa: PLC0415 (a machine without pango runs everything else)

    return rendering.pdf(html, style, pictures or {})
