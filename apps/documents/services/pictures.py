"""Pictures that people bring: looked into, and drawn anew, so that nothing is kept of the file but what it shows."""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from apps.kit import errors

BYTES_MAX = 1_000_000
SIDE_MIN, SIDE_MAX = 32, 2_000
FITS = (960, 320)
"""Larger ones are made smaller: more than a sheet needs that is printed with 300 dots to the inch."""
ENDS = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9"}
"""How the pictures that are taken end. Pillow alone would not miss it: WeasyPrint has it draw torn ones as far as they go."""
SCAN, SCANS_MAX = b"\xff\xda", 100
"""How each scan of a JPEG begins. A progressive one has about ten; each goes over the whole picture, so a small file of thousands takes minutes."""
UNREADABLE = "This is no PNG and no JPEG that can be read."
TORN = (
    OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, OverflowError, MemoryError,
    Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip
"""What Pillow raises of bytes that are no picture, or only begin like one."""


class PictureInvalid(errors.Invalid):
    """The file is no picture that is taken."""

    code = "picture_invalid"
    title = "Picture not valid"


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG of ours."""

    content: bytes
    width: int
    height: int


def redraw(content: bytes) -> Picture:
    """
    Return what a PNG or JPEG shows as a PNG of our own: its pixels, without notes, places, profiles, what hangs behind the
    file and what stands where nothing is seen.

    Raises PictureInvalid: over 1 MB, another format whatever its name, torn, or a side under 32 or over 2,000 pixels. The
    size is known from the head, before anything is unpacked.
    """
    if len(content) > BYTES_MAX:
        raise _refusal("A logo has 1 MB at most.")
    try:
        with Image.open(BytesIO(content), formats=list(ENDS)) as opened:
            if not all(SIDE_MIN <= side <= SIDE_MAX for side in opened.size):
                raise _refusal(
                    f"Each side has {SIDE_MIN} to {SIDE_MAX:,} pixels; this one is {opened.width} by {opened.height}."
                )
            if ENDS[str(opened.format)] not in content:
                raise _refusal(UNREADABLE)
            if opened.format == "JPEG" and content.count(SCAN) > SCANS_MAX:
                raise _refusal(UNREADABLE)
            pixels = opened.convert("RGBA")
    except TORN:
        raise _refusal(UNREADABLE) from None
    pixels.thumbnail(FITS, Image.Resampling.LANCZOS)
    seen = pixels.getchannel("A").point([0] + [255] * 255)
    bare = Image.new("RGBA", pixels.size)
    bare.paste(pixels, mask=seen)
    written = BytesIO()
    bare.save(written, "PNG", optimize=True)
    return Picture(written.getvalue(), bare.width, bare.height)


def _refusal(message: str) -> PictureInvalid:
    return PictureInvalid(message, errors=[errors.FieldError("/logo", PictureInvalid.code, message)])
