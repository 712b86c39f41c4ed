"""Longest first: the files that begin a run are there, and the others keep their order."""

from pathlib import Path
from types import SimpleNamespace

from tests import longest_first

TESTS = Path(__file__).resolve().parents[1]


def test_every_file_that_goes_first_is_there():
    assert [name for name in longest_first.LONGEST if not (TESTS / name).is_file()] == []


def test_the_longest_go_first_and_every_file_stays_whole():
    second, first = longest_first.LONGEST[1], longest_first.LONGEST[0]
    files = ["access/test_a.py", "access/test_a.py", second, second, first, "kit/test_z.py"]
    items = [SimpleNamespace(path=TESTS / name, number=number) for number, name in enumerate(files)]

    longest_first.sort(items)

    assert [item.number for item in items] == [4, 2, 3, 0, 1, 5]
