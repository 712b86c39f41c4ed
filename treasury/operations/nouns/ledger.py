"""The books."""

from apps.ledger.selectors import proofs
from apps.ledger.services import seals, verification
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
    state = f"clean, {verification.HOLD}" if verdict.is_clean else "BROKEN"
    size = f"{verdict.transactions} transactions, {verdict.entries} entries, {verdict.accounts} accounts"
    return Answer(f"{state} ({size})", rows, is_wrong=not verdict.is_clean)


def seal(call: Call) -> Answer:
    """Seal what waits, and say by which hash somebody else can hold the books to it."""
    made = seals.make_now(actor=call.actor, reason=call.reason, now=call.now)
    rows = [
        {"seal": sealed.seq, "transactions": sealed.count, "seal_hash": f"0x{sealed.seal_hash.hex()}"}
        for sealed in made
    ]
    return Answer(f"{sum(sealed.count for sealed in made)} transactions were sealed", rows)


def prove(call: Call) -> Answer:
    proof = proofs.of(proofs.uid_of(call.given["transaction"]))
    return Answer(rows=[{"proof": proof}], document=proofs.as_text(proof))
