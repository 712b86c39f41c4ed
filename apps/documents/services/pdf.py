"""Turn HTML into PDF."""


def render(*, html: str) -> bytes:
    """
    Return the PDF of a page. Style sheets, fonts and pictures are named ``static:path`` and come from our static files;
    any other address ends the rendering, so a name or a note in a document can load nothing.

    WeasyPrint needs pango; it is imported here alone, in the worker that renders.
    """
    from apps.documents import rendering  # noqa: PLC0415 (a machine without pango runs everything else)

    return rendering.pdf(html)
