"""The lines that a command shows while it works: one for each step, with its time."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

TITLE_WIDTH = 44


class Step:
    """A running step; `note` ends up on its line."""

    def __init__(self) -> None:
        self.note = ""


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Show the title at once and, when the block ends, whether it worked and how long it took."""
    running = Step()
    began = time.monotonic()
    print(f"  {title:.<{TITLE_WIDTH}} ", end="", flush=True)
    try:
        yield running
    except BaseException:
        print(f"failed after {time.monotonic() - began:.1f} s", flush=True)
        raise
    note = f"   {running.note}" if running.note else ""
    print(f"{time.monotonic() - began:6.1f} s{note}", flush=True)


def say(line: str = "") -> None:
    """Print a line at once, also when the output goes to a file."""
    print(line, flush=True)


def complain(line: str) -> None:
    """Print a line on the error stream, after everything said so far."""
    sys.stdout.flush()
    print(line, file=sys.stderr, flush=True)
