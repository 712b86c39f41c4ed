"""Answers that are files: streamed, saved under a name, with their checksum."""

from collections.abc import Iterator

from django.http import StreamingHttpResponse


def stream(
    pieces: Iterator[bytes], *, name: str, content_type: str, size: int, sha256: str
) -> StreamingHttpResponse:
    """Answer with the bytes as a download, their SHA-256 as ETag."""
    return StreamingHttpResponse(
        pieces,
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(size),
            "ETag": f'"{sha256}"',
        },
    )
