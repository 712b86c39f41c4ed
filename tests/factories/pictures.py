"""Pictures as people bring them."""

from io import BytesIO
from typing import Any

from PIL import Image


def png(color: str = "#8a1c3b", size: tuple[int, int] = (120, 40), **saved: Any) -> bytes:
    return _bytes(Image.new("RGB", size, color), "PNG", **saved)


def jpeg(color: str = "#8a1c3b", size: tuple[int, int] = (120, 40), mode: str = "RGB", **saved: Any) -> bytes:
    return _bytes(Image.new("RGB", size, color).convert(mode), "JPEG", **saved)


def _bytes(image: Image.Image, kind: str, **saved: Any) -> bytes:
    written = BytesIO()
    image.save(written, kind, **saved)
    return written.getvalue()
