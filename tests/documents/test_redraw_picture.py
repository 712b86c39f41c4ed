"""Redraw picture: what it shows is kept and nothing else; what is no picture is refused, and unpacked by nobody."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image, PngImagePlugin

from apps.documents.services import pictures
from tests.factories.pictures import jpeg, png

SECRET = b"canary-of-the-file"


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content), formats=["PNG"])


def announced(width: int, height: int) -> bytes:
    """Return the head of a PNG that says how large it is, and nothing after it."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


def scanned(often: int) -> bytes:
    """Return a progressive JPEG that goes over the picture so often again."""
    plain = jpeg(progressive=True)
    last = plain.rindex(b"\xff\xda")
    return plain[:-2] + plain[last:-2] * often + plain[-2:]


def test_keeps_what_is_seen_and_makes_large_ones_smaller():
    kept = pictures.redraw(png("#8a1c3b"))
    large = pictures.redraw(png("#105aa0", (2000, 500)))
    layered = pictures.redraw(scanned(80))

    assert (kept.width, kept.height, opened(kept.content).getpixel((60, 20))) == (120, 40, (138, 28, 59, 255))
    assert (layered.width, layered.height) == (120, 40)
    assert (large.width, large.height) == opened(large.content).size == (960, 240)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_takes_a_jpeg_of_any_colours(mode):
    kept = pictures.redraw(jpeg(mode=mode))

    assert (opened(kept.content).mode, kept.width) == ("RGBA", 120)


def test_keeps_nothing_but_the_pixels():
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", SECRET.decode())
    unseen = Image.new("RGBA", (64, 64), (1, 2, 3, 0))
    written = BytesIO()
    unseen.save(written, "PNG")
    brought = [
        png(pnginfo=notes, icc_profile=SECRET, exif=SECRET) + SECRET,
        jpeg(comment=SECRET, icc_profile=SECRET) + b"<script>" + SECRET,
    ]

    drawn = [pictures.redraw(content).content for content in brought]

    assert all(SECRET in content for content in brought)
    assert not any(SECRET in content or b"iCCP" in content or b"eXIf" in content for content in drawn)
    assert opened(pictures.redraw(written.getvalue()).content).getextrema() == ((0, 0),) * 4


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "can be read"),
        (b"<!doctype html><script>alert(1)</script>", "can be read"),
        (b"GIF89a" + bytes(200), "can be read"),
        (png()[:50], "can be read"),
        (jpeg()[:200], "can be read"),
        (b"\xff\xd8\xff" + bytes(100), "can be read"),
        (scanned(100), "can be read"),
        (announced(100, 100), "can be read"),
        (announced(60_000, 60_000), "."),
        (png(size=(31, 40)), "31 by 40"),
        (png(size=(2001, 40)), "2001 by 40"),
        (png() + bytes(pictures.BYTES_MAX), "1 MB"),
    ],
)
def test_refuses_what_is_no_logo(content, words):
    with pytest.raises(pictures.PictureInvalid, match=words) as refused:
        pictures.redraw(content)

    assert [error.pointer for error in refused.value.errors] == ["/logo"]
