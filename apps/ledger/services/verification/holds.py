"""I8: what is left of a hold, and its pending entries."""

from collections.abc import Iterator

from apps.ledger.services.verification.invariants import Finding, Invariant, asked

QUERY = """
    SELECT 'hold ' || coalesce(h.transaction_id, p.hold_id),
      CASE WHEN h.transaction_id IS NULL THEN format('is missing, but %s is pending', p.debits)
           WHEN p.other_accounts THEN 'has pending entries on other accounts than its own'
           ELSE format('says that %s is left; its pending entries are %s debit and %s credit',
             h.amount - h.captured - h.released, coalesce(p.debits, 0), coalesce(p.credits, 0)) END
    FROM ledger_hold h
    FULL JOIN (
      SELECT coalesce(t.hold_id, t.id) AS hold_id,
        coalesce(sum(e.amount) FILTER (WHERE e.direction = 1), 0) AS debits,
        coalesce(sum(e.amount) FILTER (WHERE e.direction = -1), 0) AS credits,
        bool_or(e.account_id <> CASE e.direction WHEN 1 THEN own.debit_account_id ELSE own.credit_account_id END)
          AS other_accounts
      FROM ledger_entry e
      JOIN ledger_transaction t ON t.id = e.transaction_id
      LEFT JOIN ledger_hold own ON own.transaction_id = coalesce(t.hold_id, t.id)
      WHERE e.layer = 1 GROUP BY coalesce(t.hold_id, t.id)
    ) AS p ON p.hold_id = h.transaction_id
    WHERE h.transaction_id IS NULL OR p.other_accounts
      OR (h.amount - h.captured - h.released, h.amount - h.captured - h.released)
        IS DISTINCT FROM (coalesce(p.debits, 0), coalesce(p.credits, 0))
    ORDER BY coalesce(h.transaction_id, p.hold_id) LIMIT 20"""


def search() -> Iterator[Finding]:
    return asked(Invariant.HOLDS, QUERY)
