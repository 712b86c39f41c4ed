"""Arguments that verbs of several nouns take."""

import argparse

from treasury.operations.verbs import Argument

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


LIMIT = Argument("--limit", "at most so many rows (default 50)", {"type": count, "default": 50})
OF_ENDPOINT = Argument("endpoint", "the id of the endpoint, whe_…")
