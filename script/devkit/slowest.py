"""Which files of tests take the longest: what script/test shows at its end, for tests/longest_first.py and for whoever makes it faster."""

import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path

from script.devkit.steps import say

SHOWN = 20


def show(reports: Iterable[Path]) -> None:
    """Show the files that took the longest by these JUnit reports, longest first, with the seconds of all their tests."""
    totals = seconds_by_file(reports)
    if totals:
        say(f"\n  The longest of {len(totals)} files of tests, {sum(totals.values()):.0f} s in all:")
    for name, seconds in sorted(totals.items(), key=itemgetter(1), reverse=True)[:SHOWN]:
        say(f"  {seconds:8.1f} s   {name}")


def seconds_by_file(reports: Iterable[Path]) -> dict[str, float]:
    """Return the seconds of each file's tests, set-up included, by its name below tests/; a report that is not there counts nothing."""
    totals: defaultdict[str, float] = defaultdict(float)
    for report in reports:
        if report.is_file():
            for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 (pytest wrote it a moment ago)
                totals[_file(case.get("classname", ""))] += float(case.get("time", "0"))
    return totals


def _file(classname: str) -> str:
    """`tests.payments.test_routing.TestRules` is payments/test_routing.py."""
    parts = classname.split(".")
    end = next((place for place, part in enumerate(parts) if part.startswith("test_")), len(parts) - 1)
    return "/".join(parts[1 : end + 1]) + ".py"
