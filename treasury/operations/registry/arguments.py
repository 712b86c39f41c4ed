"""Arguments that verbs of several nouns take."""

import argparse
import re
from datetime import date, datetime
from pathlib import Path

from apps.accounts.contracts import Head
from treasury.operations.verbs import Argument

HASH = re.compile(r"[0-9a-f]{64}")
MOST_ROWS = 10_000
WEEK = 168


def count(text: str) -> int:
    """Read a number of rows."""
    if not text.isdecimal() or not 1 <= int(text) <= MOST_ROWS:
        raise argparse.ArgumentTypeError(f"{text} is not 1 to {MOST_ROWS}")
    return int(text)


def hours(text: str) -> int:
    """Read a number of hours, a week at the most."""
    if not text.isdecimal() or int(text) > WEEK:
        raise argparse.ArgumentTypeError(f"{text} is not 0 to {WEEK}")
    return int(text)


def day(text: str) -> date:
    """Read a day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a day as 2026-11-24") from None


def instant(text: str) -> datetime:
    """Read an instant with its offset."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} is not an instant as 2026-11-24T10:41:00+03:00")
    return read


def content(path: str) -> bytes:
    """Read a file."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path} cannot be read: {error.strerror}") from None


def trail_head(text: str) -> Head:
    """Read the number and the hash of a link."""
    seq, _, digest = text.partition(":")
    if not seq.isdecimal() or not HASH.fullmatch(digest):
        raise argparse.ArgumentTypeError(f"{text} is not a number, a colon and 64 hex digits")
    return Head(int(seq), bytes.fromhex(digest))


AS_OF = Argument("--as-of", "the last day (default today)", {"type": day})
KNOWN_AT = Argument(
    "--known-at", "leave out what was posted after this instant (default now)", {"type": instant}
)
LIMIT = Argument("--limit", "at most so many rows (default 50)", {"type": count, "default": 50})
OF_ENDPOINT = Argument("endpoint", "the id of the endpoint, whe_…")
FILE = Argument("file", "the path of the file", {"type": content})
