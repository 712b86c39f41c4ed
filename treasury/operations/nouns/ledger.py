"""The books."""

from apps.ledger.services import verification
from treasury.operations.calls import Answer, Call


def verify(_: Call) -> Answer:
    """Say what breaks an invariant, by row."""
    verdict = verification.verify()
    rows = [
        {
            "invariant": finding.invariant.value,
            "row": finding.row,
            "problem": finding.problem,
            "meaning": verification.MEANINGS[finding.invariant],
        }
        for finding in verdict.findings
    ]
    state = "clean, I1 to I5 hold" if verdict.is_clean else "BROKEN"
    size = f"{verdict.transactions} transactions, {verdict.entries} entries, {verdict.accounts} accounts"
    return Answer(f"{state} ({size})", rows, is_wrong=not verdict.is_clean)
