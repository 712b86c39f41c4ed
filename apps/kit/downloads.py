"""Answers that are files: handed out by a link, or streamed; saved under a name, with their checksum."""

from collections.abc import Iterator

from django.http import HttpResponseRedirect, StreamingHttpResponse


def answer(
    content: str | Iterator[bytes], *, name: str, content_type: str, size: int, sha256: str
) -> HttpResponseRedirect | StreamingHttpResponse:
    """Answer with the bytes as a download, their SHA-256 as ETag, or lead to the link that gives them out."""
    if isinstance(content, str):
        return HttpResponseRedirect(content)
    return StreamingHttpResponse(
        content,
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(size),
            "ETag": f'"{sha256}"',
        },
    )
