"""I1 to I5: balances, running balances and limits, from the entries."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from apps.ledger.services.verification.invariants import Finding, Invariant, asked

QUERIES: Mapping[Invariant, str] = MappingProxyType(
    {
        Invariant.BALANCED: """
            SELECT 'transaction ' || coalesce(t.id, e.transaction_id),
              CASE WHEN t.id IS NULL THEN 'has entries but no header'
                   WHEN coalesce(e.legs, 0) <> t.entry_count
                     THEN format('has %s of %s legs', coalesce(e.legs, 0), t.entry_count)
                   ELSE 'debits less credits are ' || e.differences END
            FROM ledger_transaction t
            FULL JOIN (
              SELECT transaction_id, sum(legs) AS legs,
                string_agg(format('%s on layer %s', currency || ' ' || difference, layer), ', ')
                  FILTER (WHERE difference <> 0) AS differences
              FROM (
                SELECT transaction_id, currency, layer, count(*) AS legs, sum(amount * direction) AS difference
                FROM ledger_entry GROUP BY transaction_id, currency, layer
              ) AS sides GROUP BY transaction_id
            ) AS e ON e.transaction_id = t.id
            WHERE t.id IS NULL OR coalesce(e.legs, 0) <> t.entry_count OR e.differences IS NOT NULL
            ORDER BY 1 LIMIT 20""",
        Invariant.TOTALS: """
            SELECT format('balance of account %s, shard %s', coalesce(b.account_id, e.account_id), coalesce(b.shard, e.shard)),
              CASE WHEN b.account_id IS NULL THEN 'is missing, but there are entries'
                   ELSE format('says debits %s, credits %s, pending %s and %s; its entries say %s, %s, %s and %s',
                     b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits,
                     coalesce(e.posted_debits, 0), coalesce(e.posted_credits, 0),
                     coalesce(e.pending_debits, 0), coalesce(e.pending_credits, 0)) END
            FROM ledger_balance b
            FULL JOIN (
              SELECT account_id, shard, currency,
                coalesce(sum(amount) FILTER (WHERE layer = 0 AND direction = 1), 0) AS posted_debits,
                coalesce(sum(amount) FILTER (WHERE layer = 0 AND direction = -1), 0) AS posted_credits,
                coalesce(sum(amount) FILTER (WHERE layer = 1 AND direction = 1), 0) AS pending_debits,
                coalesce(sum(amount) FILTER (WHERE layer = 1 AND direction = -1), 0) AS pending_credits
              FROM ledger_entry GROUP BY account_id, shard, currency
            ) AS e ON e.account_id = b.account_id AND e.shard = b.shard AND e.currency = b.currency
            WHERE (b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits) IS DISTINCT FROM
              (coalesce(e.posted_debits, 0), coalesce(e.posted_credits, 0),
               coalesce(e.pending_debits, 0), coalesce(e.pending_credits, 0))
            ORDER BY 1 LIMIT 20""",
        Invariant.CHAINED: """
            SELECT * FROM (
              SELECT format('entry %s.%s of account %s, shard %s', transaction_id, seq, account_id, shard) AS entry,
                CASE WHEN version <> expected THEN format('has version %s, expected %s', version, expected)
                     ELSE format('says net %s after it, expected %s', net_after, net) END
              FROM (
                SELECT *, row_number() OVER running AS expected,
                  sum(CASE WHEN layer = 0 THEN amount * direction ELSE 0 END) OVER running AS net
                FROM ledger_entry WINDOW running AS (PARTITION BY account_id, shard ORDER BY version)
              ) AS chain WHERE version <> expected OR net_after <> net
              UNION ALL
              SELECT format('balance of account %s, shard %s', b.account_id, b.shard),
                format('has version %s, and its last entry %s', b.version, coalesce(max(e.version), 0))
              FROM ledger_balance b LEFT JOIN ledger_entry e ON e.account_id = b.account_id AND e.shard = b.shard
              GROUP BY b.account_id, b.shard, b.version HAVING b.version <> coalesce(max(e.version), 0)
            ) AS broken ORDER BY 1 LIMIT 20""",
        Invariant.TRIAL_BALANCE: """
            SELECT 'trial balance in ' || currency,
              format('debits less credits are %s, pending %s', sum(posted_debits - posted_credits),
                sum(pending_debits - pending_credits))
            FROM ledger_balance GROUP BY currency
            HAVING sum(posted_debits) <> sum(posted_credits) OR sum(pending_debits) <> sum(pending_credits)
            ORDER BY 1 LIMIT 20""",
        Invariant.LIMITS: """
            SELECT format('account %s', moved.account_id),
              format('transaction %s moved its net to %s, and its limits are %s to %s',
                moved.transaction_id, moved.net, coalesce(b.net_floor::text, 'none'), coalesce(b.net_ceiling::text, 'none'))
            FROM ledger_balance b
            CROSS JOIN LATERAL (
              SELECT e.account_id, e.transaction_id, sum(e.amount * e.direction) AS change,
                (array_agg(e.net_after ORDER BY e.version DESC))[1] AS net
              FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
              WHERE e.account_id = b.account_id AND e.shard = b.shard AND e.layer = 0 AND e.version > b.limits_version
                AND NOT t.is_forced AND t.kind <> 'CAPTURE'
              GROUP BY e.account_id, e.transaction_id
            ) AS moved
            WHERE (b.net_floor IS NOT NULL OR b.net_ceiling IS NOT NULL)
              AND ((moved.change > 0 AND moved.net > b.net_ceiling) OR (moved.change < 0 AND moved.net < b.net_floor))
            ORDER BY moved.account_id, moved.transaction_id LIMIT 20""",
    }
)


def searches() -> list[Iterator[Finding]]:
    return [asked(invariant, query) for invariant, query in QUERIES.items()]
