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


def search() -> Iterator[Finding]:
    return chain(asked(Invariant.PERIODS, LATE), asked(Invariant.PERIODS, CHECKPOINTS))
