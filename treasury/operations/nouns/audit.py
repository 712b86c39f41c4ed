"""The audit trail."""

from apps.accounts.services import platform_trail, trail_checks
from apps.audit.services import chain
from treasury.operations.calls import Answer, Call


def verify(call: Call) -> Answer:
    """Say which record of the organisation's trail is broken, the first one first."""
    return _answer(chain.verify(now=call.now, since=call.given["since"], kept=call.given["head"]))


def verify_platform(call: Call) -> Answer:
    """Say which record of the platform's trail is broken, the first one first."""
    return _answer(platform_trail.verify(since=call.given["since"], kept=call.given["head"]))


def _answer(verdict: trail_checks.Verdict) -> Answer:
    state = "whole" if verdict.is_whole else "BROKEN"
    head = f"head {verdict.head.seq}:{verdict.head.hash.hex()}"
    said = f"{state} ({verdict.records} records, {verdict.waiting} not sealed yet; {head})"
    rows = [
        {
            "number": finding.seq,
            "record": str(finding.record_id) if finding.record_id else "",
            "problem": finding.problem,
        }
        for finding in verdict.findings
    ]
    return Answer(said, rows, is_wrong=not verdict.is_whole)
