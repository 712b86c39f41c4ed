"""
Fills an organisation with a long history behind the ledger's back and measures how fast it is read; run as the owner role.

Arguments: the file to write the medians to, how many accounts, transactions of two legs, and transactions that touch one
same account. Eleven months are closed, all but the last 500 transactions are sealed.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import django

django.setup()

from django.db import connection  # noqa: E402 (Django must be set up first)

from apps.access.services import branches  # noqa: E402
from apps.kit import clock, ids  # noqa: E402
from apps.kit.actors import SYSTEM  # noqa: E402
from apps.ledger.contracts import AccountRef, AccountRole  # noqa: E402
from apps.ledger.selectors import balances  # noqa: E402
from apps.ledger.selectors.reports import trial_balance  # noqa: E402
from apps.ledger.services import accounts  # noqa: E402
from treasury import onboarding  # noqa: E402

CURRENCY = "KES"
TIMES = 21
TAIL = 500
TABLES = (
    "transaction",
    "entry",
    "balance",
    "account",
    "seal",
    "sealleaf",
    "movement",
    "period",
    "checkpoint",
)

# Account %(hot)s is on the debit side of the transactions that touch it; the other legs run evenly over the rest.
FILL = (
    """INSERT INTO ledger_account (uid, code, name, line_id, role, owner_type, owner_id, branch_id, currency, type, shards,
         status, opened_at)
       SELECT gen_random_uuid(), a.code || '.' || n, a.name, a.line_id, a.role, a.owner_type, gen_random_uuid(), a.branch_id,
         a.currency, a.type, 1, 'OPEN', a.opened_at
       FROM ledger_account a, generate_series(2, %(accounts)s / 2) n""",
    """INSERT INTO ledger_balance (account_id, shard, currency, posted_debits, posted_credits, pending_debits,
         pending_credits, limits_version, can_debit, can_credit, version)
       SELECT id, 0, currency, 0, 0, 0, 0, 0, true, true, 0 FROM ledger_account
       ON CONFLICT DO NOTHING""",
    """INSERT INTO ledger_transaction (uid, idem_key, request_hash, kind, effective_date, posted_at, entry_count, source_type,
         source_id, reference, description, created_by, approved_by, reason, cost_centre, is_forced)
       SELECT gen_random_uuid(), 'history:' || n, sha256('history'), 'POSTING',
         %(today)s::date - (365 * (1 - n::numeric / %(transactions)s))::integer,
         now() - interval '365 days' * (1 - n::numeric / %(transactions)s), 2, 'bench', gen_random_uuid(), '', 'Bench',
         'system', '', '', '', false
       FROM generate_series(1, %(transactions)s) n""",
    """CREATE TEMP TABLE numbered AS SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM ledger_account""",
    """INSERT INTO ledger_entry (transaction_id, seq, account_id, shard, currency, layer, direction, amount, net_after,
         version, effective_date)
       SELECT transaction_id, seq, account_id, 0, %(currency)s, 0, direction, 100,
         sum(100 * direction) OVER running, row_number() OVER running, effective_date
       FROM (
         SELECT t.id AS transaction_id, side AS seq, a.id AS account_id, 3 - 2 * side AS direction, t.effective_date
         FROM ledger_transaction t CROSS JOIN generate_series(1, 2) side
         JOIN numbered a ON a.n = CASE
           WHEN side = 1 AND mod(t.id * %(hot_each)s, %(transactions)s) < %(hot_each)s THEN 0
           ELSE 1 + mod(t.id * 7919 + side * 104729, %(accounts)s - 1) END
       ) AS leg WINDOW running AS (PARTITION BY account_id ORDER BY transaction_id, seq)""",
    """UPDATE ledger_balance b SET posted_debits = e.debits, posted_credits = e.credits, version = e.entries
       FROM (SELECT account_id, count(*) AS entries, coalesce(sum(amount) FILTER (WHERE direction = 1), 0) AS debits,
         coalesce(sum(amount) FILTER (WHERE direction = -1), 0) AS credits FROM ledger_entry GROUP BY account_id) e
       WHERE e.account_id = b.account_id""",
    """INSERT INTO ledger_seal (seq, prev_hash, merkle_root, seal_hash, tx_count, sealed_at)
       VALUES (1, sha256('0'), sha256('1'), sha256('2'), %(transactions)s - %(tail)s, now())""",
    """INSERT INTO ledger_sealleaf (transaction_id, seal_id, position, leaf_hash)
       SELECT id, 1, row_number() OVER (ORDER BY id), sha256(idem_key::bytea) FROM ledger_transaction
       WHERE id <= (SELECT max(id) - %(tail)s FROM ledger_transaction)""",
    """INSERT INTO ledger_movement (account_id, effective_date, layer, debits, credits, entries)
       SELECT account_id, effective_date, 0, coalesce(sum(amount) FILTER (WHERE direction = 1), 0),
         coalesce(sum(amount) FILTER (WHERE direction = -1), 0), count(*)
       FROM ledger_entry WHERE transaction_id IN (SELECT transaction_id FROM ledger_sealleaf) GROUP BY 1, 2""",
    """INSERT INTO ledger_period (uid, start_date, end_date, state, revision, is_year_end, closed_by, closed_at)
       SELECT gen_random_uuid(), %(today)s::date - 370, %(today)s::date - 30, 'CLOSED', 1, false, 'system', now()""",
    """INSERT INTO ledger_checkpoint (period_id, revision, account_id, debits, credits, entries)
       SELECT p.id, 1, e.account_id, coalesce(sum(amount) FILTER (WHERE direction = 1), 0),
         coalesce(sum(amount) FILTER (WHERE direction = -1), 0), count(*)
       FROM ledger_entry e, ledger_period p WHERE e.effective_date <= p.end_date GROUP BY 1, 3""",
)


def main(output: Path, account_count: int, transactions: int, hot: int) -> None:
    """Fill, let PostgreSQL learn what there is, and time the readings."""
    now = clock.now()
    onboarding.prepare(slug="history", name="History", is_test=True, now=now)
    branch = branches.create(code="HIS", name="History", is_head_office=True, actor=SYSTEM, now=now)
    refs = [
        AccountRef(role, CURRENCY, branch.id, owner_id=ids.new())
        for role in (AccountRole.PROVIDER_BALANCE, AccountRole.UNAPPLIED_COLLECTIONS)
    ]
    for ref in refs:
        accounts.ensure(ref=ref, now=now)
    today = now.date()
    facts = {
        "accounts": account_count,
        "transactions": transactions,
        "hot_each": hot,
        "currency": CURRENCY,
        "today": today,
        "tail": TAIL,
    }
    fill(facts)
    as_of, known = today - timedelta(days=10), clock.now()
    medians = {
        "point_in_time_ms": median(lambda: balances.at(refs[:1], as_of=as_of)),
        "trial_balance_ms": median(lambda: trial_balance.read(as_of=as_of, known_at=known)),
        "history_entries": 2 * transactions,
    }
    output.write_text(json.dumps(medians), encoding="utf-8")


def fill(facts: dict[str, object]) -> None:
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE ledger_{table} DISABLE TRIGGER USER")
        for statement in FILL:
            cursor.execute(statement, facts)
        cursor.execute("VACUUM ANALYZE")


def median(read: Callable[[], object]) -> float:
    """Return the median of some readings in milliseconds, the first of which only warms up."""
    read()
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        read()
        taken.append(time.perf_counter() - start)
    return round(1000 * statistics.median(taken), 2)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(number) for number in sys.argv[2:]))
