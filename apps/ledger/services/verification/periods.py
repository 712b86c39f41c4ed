"""I7: the balances that were kept when a period was closed, and what came into it afterwards."""

from collections.abc import Iterator
from itertools import chain

from apps.ledger.services.verification.invariants import Finding, Invariant, asked

CHECKPOINTS = """
    SELECT format('checkpoint of account %s at %s', account_id, end_date),
      CASE WHEN c.debits IS NULL THEN format('is missing; the entries up to then say debits %s, credits %s', s.debits, s.credits)
           ELSE format('says debits %s, credits %s; the entries up to then say %s and %s', c.debits, c.credits,
             coalesce(s.debits, 0), coalesce(s.credits, 0)) END
    FROM (
      SELECT p.id AS period_id, p.end_date, kept.account_id, kept.debits, kept.credits
      FROM ledger_period p JOIN ledger_checkpoint kept ON kept.period_id = p.id AND kept.revision = p.revision
      WHERE p.state = 'CLOSED'
    ) AS c
    FULL JOIN (
      SELECT p.id AS period_id, p.end_date, e.account_id,
        coalesce(sum(e.amount) FILTER (WHERE e.direction = 1), 0) AS debits,
        coalesce(sum(e.amount) FILTER (WHERE e.direction = -1), 0) AS credits
      FROM ledger_period p JOIN ledger_entry e ON e.effective_date <= p.end_date AND e.layer = 0
      WHERE p.state = 'CLOSED' GROUP BY p.id, p.end_date, e.account_id
    ) AS s USING (period_id, end_date, account_id)
    WHERE (coalesce(c.debits, 0), coalesce(c.credits, 0)) IS DISTINCT FROM (coalesce(s.debits, 0), coalesce(s.credits, 0))
    ORDER BY end_date, account_id LIMIT 20"""
LATE = """
    SELECT 'transaction ' || t.id,
      format('was posted at %s into the period to %s, which was closed at %s', t.posted_at, p.end_date, p.closed_at)
    FROM ledger_period p JOIN ledger_transaction t ON t.effective_date BETWEEN p.start_date AND p.end_date
    WHERE p.state = 'CLOSED' AND t.posted_at > p.closed_at AND t.kind NOT IN ('CLOSING', 'REVERSAL')
    ORDER BY t.id LIMIT 20"""

# The text is that of ledger_checkpoint_text, written out: a function could have been replaced.
HASHES = """
    SELECT 'period to ' || end_date, 'has a hash that is not of its checkpoints'
    FROM (
      SELECT *, lag(checkpoint_hash) OVER (ORDER BY end_date) AS previous_hash
      FROM ledger_period WHERE state = 'CLOSED'
    ) AS p
    WHERE checkpoint_hash IS DISTINCT FROM sha256(convert_to(
      'ledger-checkpoint|v1|' || to_char(start_date, 'YYYY-MM-DD') || '|' || to_char(end_date, 'YYYY-MM-DD')
      || '|' || revision || '|' || coalesce(encode(previous_hash, 'hex'), repeat('0', 64))
      || coalesce((
        SELECT string_agg(E'\\n' || a.uid || '|' || a.currency || '|' || c.debits || '|' || c.credits, '' ORDER BY a.uid)
        FROM ledger_checkpoint c JOIN ledger_account a ON a.id = c.account_id
        WHERE c.period_id = p.id AND c.revision = p.revision
      ), ''), 'UTF8'))
    ORDER BY end_date LIMIT 20"""
OPENED = """
    SELECT 'period to ' || max(p.end_date), format('is closed, and the book through %s only', b.closed_through)
    FROM ledger_period p CROSS JOIN ledger_book b
    WHERE p.state = 'CLOSED' GROUP BY b.closed_through HAVING max(p.end_date) > coalesce(b.closed_through, '-infinity')
    UNION ALL
    SELECT 'period to ' || end_date, 'is open, and a later one is closed'
    FROM ledger_period p WHERE state <> 'CLOSED'
      AND EXISTS (SELECT FROM ledger_period later WHERE later.state = 'CLOSED' AND later.start_date > p.end_date)"""


def search() -> Iterator[Finding]:
    queries = (LATE, OPENED, CHECKPOINTS, HASHES)
    return chain.from_iterable(asked(Invariant.PERIODS, query) for query in queries)
