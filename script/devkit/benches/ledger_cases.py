"""What the ledger bench measures: each case, its connections, and the pgbench script that calls the ledger once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TRANSFER = """
SELECT booked_id FROM {schema}.ledger_transfer(
  gen_random_uuid(), 'bench:' || gen_random_uuid(), sha256('bench'), 'POSTING', :a, :c, 'KES', 100, NULL::date,
  NULL::timestamptz, 'bench', gen_random_uuid(), '', 'Bench', 'system', now());"""
POST = """
SELECT booked_id FROM {schema}.ledger_post(
  {headers}, ARRAY[1, 1, 1, 1], ARRAY[:a, :b, :c, :d]::bigint[], ARRAY['KES', 'KES', 'KES', 'KES'],
  ARRAY[0, 0, 0, 0]::smallint[], ARRAY[1, 1, -1, -1]::smallint[], ARRAY[70, 30, 60, 40]::numeric[],
  'system', now(), false);"""
BATCH = """
SELECT count(*) FROM {schema}.ledger_post(
  {headers}, ARRAY(SELECT n FROM generate_series(1, {count}) n, generate_series(1, 2)),
  ARRAY(SELECT CASE side WHEN 1 THEN {debited} ELSE {credited} END + floor(random() * CASE side WHEN 1 THEN {debits}
    ELSE {credits} END)::bigint FROM generate_series(1, {count}) n, generate_series(1, 2) side),
  array_fill('KES'::text, ARRAY[{legs}]), array_fill(0::smallint, ARRAY[{legs}]),
  ARRAY(SELECT (CASE side WHEN 1 THEN 1 ELSE -1 END)::smallint FROM generate_series(1, {count}) n, generate_series(1, 2) side),
  array_fill(100::numeric, ARRAY[{legs}]), 'system', now(), false);"""
HEADERS = """
  ARRAY(SELECT gen_random_uuid() FROM generate_series(1, {count})),
  ARRAY(SELECT 'bench:' || gen_random_uuid() FROM generate_series(1, {count})),
  array_fill(sha256('bench'), ARRAY[{count}]), array_fill('POSTING'::text, ARRAY[{count}]),
  array_fill(NULL::date, ARRAY[{count}]), array_fill(NULL::timestamptz, ARRAY[{count}]),
  array_fill('bench'::text, ARRAY[{count}]), ARRAY(SELECT gen_random_uuid() FROM generate_series(1, {count})),
  array_fill(''::text, ARRAY[{count}]), array_fill('Bench'::text, ARRAY[{count}]), array_fill(''::text, ARRAY[{count}]),
  array_fill(''::text, ARRAY[{count}]), array_fill(NULL::bigint, ARRAY[{count}]),
  array_fill(NULL::bigint, ARRAY[{count}]), array_fill(''::text, ARRAY[{count}]), array_fill(NULL::jsonb, ARRAY[{count}])"""


@dataclass(frozen=True)
class Case:
    """
    One line of the table: who books what on which accounts, with how many connections.

    ``way`` is sql (pgbench) or service (Python); ``each`` is how many transactions a call books.
    """

    way: str
    work: str
    accounts: str
    connections: int
    each: int = 1

    @property
    def title(self) -> str:
        return f"{self.way} {self.work}, {self.accounts}, {self.connections}"

    @property
    def is_baseline(self) -> bool:
        return self.work == "tpcb-like"


BASELINES = tuple(Case("pgbench", "tpcb-like", "scale 10", connections) for connections in (1, 4, 16))
CASES = (
    *BASELINES,
    Case("sql", "transfer", "spread", 1),
    Case("sql", "transfer", "spread", 4),
    Case("sql", "transfer", "spread", 16),
    Case("sql", "transfer", "hot", 16),
    Case("sql", "transfer", "sharded", 16),
    Case("sql", "post", "spread", 4),
    Case("sql", "batch", "spread", 4, each=100),
    Case("service", "transfer", "spread", 1),
    Case("service", "transfer", "spread", 4),
    Case("service", "post", "spread", 4),
    Case("service", "batch", "spread", 4, each=100),
)

KEYS: Mapping[str, Case] = {
    "transfer_ratio": CASES[5],
    "hot_ratio": CASES[6],
    "hot_sharded_ratio": CASES[7],
    "batch100_ratio": CASES[9],
    "service_ratio": CASES[11],
}
"""The ratios that have a name of their own in the JSON line; the rest are under ``ratios``."""

BARS: Mapping[str, float] = {
    "transfer_ratio": 0.75,
    "hot_ratio": 0.25,
    "hot_sharded_ratio": 0.7,
    "batch100_ratio": 3,
    "service_ratio": 0.5,
}
"""Below these a run is red."""
CEILINGS: Mapping[str, float] = {
    "point_in_time_ms": 5,
    "trial_balance_ms": 500,
    "bytes_per_transfer": 900,
}
"""And above these."""
QUICK_SHARE = 0.4
"""What a quick run, of one second each, must reach of the bars: its figures are rough."""


def script(case: Case, setup: Mapping[str, Any], *, delay: float) -> str:
    """Return the pgbench script of a case: draws accounts, then calls the function once."""
    assets, liabilities = setup["accounts"]["PROVIDER_BALANCE"], setup["accounts"]["UNAPPLIED_COLLECTIONS"]
    credited = {"hot": liabilities[:1], "sharded": [setup["sharded"]]}.get(case.accounts, liabilities)
    middle = len(assets) // 2
    statement = {"transfer": TRANSFER, "post": POST, "batch": BATCH}[case.work].format(
        schema=setup["schema"],
        headers=HEADERS.format(count=case.each),
        count=case.each,
        legs=2 * case.each,
        debited=assets[0],
        debits=len(assets),
        credited=credited[0],
        credits=len(credited),
    )
    lines = [
        f"\\set a random({assets[0]}, {assets[middle - 1]})",
        f"\\set b random({assets[middle]}, {assets[-1]})",
        f"\\set c random({credited[0]}, {credited[-1]})",
        f"\\set d random({liabilities[0]}, {liabilities[-1]})",
        " ".join(statement.split()),
    ]
    if delay:
        lines.append(f"\\sleep {round(delay * 1000)} ms")
    return "\n".join(lines) + "\n"
