"""
What had been posted on accounts at the end of a day, as far as it was known at an instant: one statement, one snapshot.

It is the balances kept at the last close, the daily sums of what was sealed since, and the entries that no seal holds yet,
less what was posted later than the instant. It is right whether nothing, a part or all of the ledger is sealed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection


@dataclass(frozen=True, slots=True)
class Totals:
    """Posted debits and credits of an account in minor units, over all shards."""

    debits: int
    credits: int

    @property
    def net(self) -> int:
        """Debits less credits."""
        return self.debits - self.credits


NOTHING = Totals(0, 0)

# How the entries that no seal holds are found without reading an account's history: the balance rows count every entry
# (version), the daily sums and the last close count the sealed ones. The difference is how many are missing; they are sought from the newest
# entry of each shard downwards, in steps that grow, until all are found. The scalar subquery keeps it a look-up per row.
TOTALS = """
    WITH RECURSIVE closed AS MATERIALIZED (
      SELECT id, revision, end_date FROM ledger_period
      WHERE state = 'CLOSED' AND end_date <= coalesce({since} - 1, {as_of})
      ORDER BY end_date DESC LIMIT 1
    ), days AS MATERIALIZED (
      SELECT coalesce((SELECT end_date FROM closed), '-infinity'::date) AS kept_to,
        coalesce({since} - 1, (SELECT end_date FROM closed), '-infinity'::date) AS after, {as_of} AS upto
    ), counted AS (
      SELECT account_id, sum(version) AS entries, max(version) AS longest FROM ledger_balance WHERE {chosen}
      GROUP BY account_id
    ), kept AS (
      SELECT k.account_id, k.entries, CASE WHEN {since} IS NULL THEN k.debits END AS debits,
        CASE WHEN {since} IS NULL THEN k.credits END AS credits FROM closed
      JOIN ledger_checkpoint k ON k.period_id = closed.id AND k.revision = closed.revision WHERE {chosen}
    ), sealed AS (
      SELECT account_id, sum(entries) AS entries,
        sum(debits) FILTER (WHERE layer = 0 AND effective_date > days.after AND effective_date <= days.upto) AS debits,
        sum(credits) FILTER (WHERE layer = 0 AND effective_date > days.after AND effective_date <= days.upto) AS credits
      FROM ledger_movement, days
      WHERE {chosen} AND effective_date > (SELECT kept_to FROM days) GROUP BY account_id
    ), tail AS (
      SELECT counted.account_id, found.debits, found.credits
      FROM counted LEFT JOIN kept USING (account_id) LEFT JOIN sealed USING (account_id) CROSS JOIN days
      CROSS JOIN LATERAL (
        WITH RECURSIVE walk AS (
          SELECT 0::bigint AS depth, 16::bigint AS next, 0::bigint AS entries, 0::numeric AS debits, 0::numeric AS credits
          UNION ALL
          SELECT walk.next, walk.next * 4, walk.entries + step.entries, step.debits, step.credits
          FROM walk CROSS JOIN LATERAL (
            SELECT count(*) AS entries,
              coalesce(sum(e.amount) FILTER (WHERE e.direction = 1 AND e.layer = 0
                AND e.effective_date > days.after AND e.effective_date <= days.upto), 0) AS debits,
              coalesce(sum(e.amount) FILTER (WHERE e.direction = -1 AND e.layer = 0
                AND e.effective_date > days.after AND e.effective_date <= days.upto), 0) AS credits
            FROM ledger_balance shard
            JOIN ledger_entry e ON e.account_id = shard.account_id AND e.shard = shard.shard
              AND e.version <= shard.version - walk.depth AND e.version > shard.version - walk.next
            WHERE shard.account_id = counted.account_id
              AND (SELECT leaf.position FROM ledger_sealleaf leaf WHERE leaf.transaction_id = e.transaction_id) IS NULL
          ) AS step
          WHERE walk.entries < counted.entries - coalesce(kept.entries, 0) - coalesce(sealed.entries, 0) AND walk.depth < counted.longest
        )
        SELECT sum(debits) AS debits, sum(credits) AS credits FROM walk
      ) AS found
      WHERE counted.entries > coalesce(kept.entries, 0) + coalesce(sealed.entries, 0)
    ), later AS (
      SELECT e.account_id, coalesce(sum(e.amount) FILTER (WHERE e.direction = 1), 0) AS debits,
        coalesce(sum(e.amount) FILTER (WHERE e.direction = -1), 0) AS credits
      FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id CROSS JOIN days
      WHERE ({later}) AND e.layer = 0 AND e.effective_date <= days.upto
        AND e.effective_date > CASE WHEN {since} IS NULL THEN '-infinity'::date ELSE days.after END AND {chosen}
      GROUP BY e.account_id
    )
    SELECT counted.account_id,
      coalesce(kept.debits, 0) + coalesce(sealed.debits, 0) + coalesce(tail.debits, 0) - coalesce(later.debits, 0) AS debits,
      coalesce(kept.credits, 0) + coalesce(sealed.credits, 0) + coalesce(tail.credits, 0) - coalesce(later.credits, 0) AS credits
    FROM counted LEFT JOIN kept USING (account_id) LEFT JOIN sealed USING (account_id) LEFT JOIN tail USING (account_id)
    LEFT JOIN later USING (account_id)"""
POSTED_LATER = "t.posted_at > {known_at}"
OF_A_CLOSING = (
    """t.kind = 'CLOSING' OR t.reverses_id IN (SELECT id FROM ledger_transaction WHERE kind = 'CLOSING')"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    Which totals: of these accounts (None for all) at the end of ``as_of``, as known at ``known_at`` (None: by now).

    With ``since``, what moved from the start of that day. ``is_without_closings`` leaves out the closing transactions of
    a year end and their reversals, both together.
    """

    account_ids: Collection[int] | None
    as_of: date
    known_at: datetime | None
    since: date | None = None
    is_without_closings: bool = False

    def sql(self, name: str = "asked") -> tuple[str, Mapping[str, Any]]:
        """Return the statement that answers account_id, debits and credits, to be a part of another one, and its values."""
        left_out = [OF_A_CLOSING] if self.is_without_closings else []
        if self.known_at is not None:
            left_out.append(POSTED_LATER.format(known_at=f"%({name}_known_at)s"))
        statement = TOTALS.format(
            as_of=f"%({name}_as_of)s::date",
            since=f"%({name}_since)s::date",
            chosen="true"
            if self.account_ids is None
            else f"account_id = ANY (%({name}_accounts)s::bigint[])",
            later=" OR ".join(f"({condition})" for condition in left_out) or "false",
        )
        return statement, {
            f"{name}_as_of": self.as_of,
            f"{name}_since": self.since,
            f"{name}_known_at": self.known_at,
            f"{name}_accounts": None if self.account_ids is None else list(self.account_ids),
        }


def read(asked: Asked) -> dict[int, Totals]:
    """Return the totals by account id; an account that does not exist is left out."""
    statement, values = asked.sql()
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return {account_id: Totals(int(debits), int(credits_)) for account_id, debits, credits_ in cursor}
