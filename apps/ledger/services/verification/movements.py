"""I6: the daily sums that sealing maintains, and the dates of entries."""

from collections.abc import Iterator
from itertools import chain

from apps.ledger.services.verification.invariants import Finding, Invariant, asked

SUMS = """
    SELECT format('movements of account %s on %s, layer %s', account_id, effective_date, layer),
      CASE WHEN m.entries IS NULL THEN format('are missing, but %s sealed entries are there', s.entries)
           ELSE format('say debits %s, credits %s in %s entries; the sealed entries say %s, %s in %s', m.debits, m.credits,
             m.entries, coalesce(s.debits, 0), coalesce(s.credits, 0), coalesce(s.entries, 0)) END
    FROM ledger_movement m
    FULL JOIN (
      SELECT e.account_id, e.effective_date, e.layer, count(*) AS entries,
        coalesce(sum(e.amount) FILTER (WHERE e.direction = 1), 0) AS debits,
        coalesce(sum(e.amount) FILTER (WHERE e.direction = -1), 0) AS credits
      FROM ledger_entry e JOIN ledger_sealleaf leaf ON leaf.transaction_id = e.transaction_id
      GROUP BY e.account_id, e.effective_date, e.layer
    ) AS s USING (account_id, effective_date, layer)
    WHERE (m.debits, m.credits, m.entries) IS DISTINCT FROM (s.debits, s.credits, s.entries)
    ORDER BY account_id, effective_date, layer LIMIT 20"""
DATES = """
    SELECT 'transaction ' || t.id, format('is of %s, and its entry %s of %s', t.effective_date, e.seq, e.effective_date)
    FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
    WHERE e.effective_date <> t.effective_date ORDER BY t.id, e.seq LIMIT 20"""


def search() -> Iterator[Finding]:
    return chain(asked(Invariant.MOVEMENTS, DATES), asked(Invariant.MOVEMENTS, SUMS))
