"""I10: currency positions and what they cost, and revaluations, which hold for a day and leave the books balanced."""

from collections.abc import Iterator
from itertools import chain

from apps.ledger.services.verification.invariants import Finding, Invariant, asked

POSITIONS = """
    WITH nets AS (
      SELECT a.owner_id, a.branch_id, a.currency, a.currency = k.functional_currency AS is_cost,
        sum(b.posted_debits - b.posted_credits) AS net
      FROM ledger_book k CROSS JOIN ledger_account a JOIN ledger_balance b ON b.account_id = a.id
      WHERE a.role = 'FX_POSITION' GROUP BY a.owner_id, a.branch_id, a.currency, k.functional_currency
    )
    SELECT format('position %s of branch %s', coalesce(held.currency, owner_id::text), branch_id),
      format('holds %s minor units at a cost of %s', -coalesce(held.net, 0), coalesce(cost.net, 0))
    FROM (SELECT * FROM nets WHERE NOT is_cost) AS held
    FULL JOIN (SELECT * FROM nets WHERE is_cost) AS cost USING (owner_id, branch_id)
    WHERE (-coalesce(held.net, 0) * coalesce(cost.net, 0) < 0 OR (coalesce(held.net, 0) = 0 AND coalesce(cost.net, 0) <> 0))
      AND NOT EXISTS (
        SELECT FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id
        JOIN ledger_transaction t ON t.id = e.transaction_id
        WHERE a.role = 'FX_POSITION' AND a.owner_id = coalesce(held.owner_id, cost.owner_id)
          AND a.branch_id = coalesce(held.branch_id, cost.branch_id) AND t.kind = 'REVERSAL')
    ORDER BY 1 LIMIT 20"""
"""What reversals left of a cost is gained or lost by the next exchange: see Position."""
TAKEN_BACK = """
    SELECT 'transaction ' || t.id,
      CASE WHEN back.id IS NULL THEN format('revalues the books of %s and was never taken back', t.effective_date)
           ELSE format('revalues the books of %s and was taken back on %s', t.effective_date, back.effective_date) END
    FROM ledger_transaction t LEFT JOIN ledger_transaction back ON back.reverses_id = t.id
    WHERE t.kind = 'REVALUATION' AND back.effective_date IS DISTINCT FROM t.effective_date + 1
    ORDER BY t.id LIMIT 20"""
LEFT_OVER = """
    SELECT 'account ' || a.code, format('says net %s after every revaluation was taken back',
      sum(b.posted_debits - b.posted_credits))
    FROM ledger_account a JOIN ledger_balance b ON b.account_id = a.id
    WHERE a.role = 'FX_REVALUATION' GROUP BY a.code HAVING sum(b.posted_debits) <> sum(b.posted_credits)
    ORDER BY a.code LIMIT 20"""


def search() -> Iterator[Finding]:
    return chain(*(asked(Invariant.CURRENCIES, query) for query in (POSITIONS, TAKEN_BACK, LEFT_OVER)))
