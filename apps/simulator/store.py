"""The durable memory of the simulator: one SQLite file, one writer, one process."""

import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apps.simulator.paypal.schema import SCHEMA as PAYPAL_SCHEMA
from apps.simulator.stripe.schema import SCHEMA as STRIPE_SCHEMA

SCHEMA_VERSION = 9
SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS account (
    shortcode TEXT PRIMARY KEY,
    type TEXT NOT NULL CHECK (type IN ('paybill', 'till')),
    name TEXT NOT NULL,
    consumer_key TEXT NOT NULL,
    consumer_secret TEXT NOT NULL,
    passkey TEXT NOT NULL,
    initiator TEXT NOT NULL,
    initiator_password TEXT NOT NULL,
    charge_bps INTEGER NOT NULL CHECK (charge_bps BETWEEN 0 AND 10000),
    environment TEXT NOT NULL CHECK (environment IN ('sandbox', 'production')),
    payer_form TEXT NOT NULL CHECK (payer_form IN ('plain', 'masked', 'hashed')),
    is_validating INTEGER NOT NULL,
    store TEXT NOT NULL DEFAULT '',
    balance_cents INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS payer (
    msisdn TEXT PRIMARY KEY,
    balance_cents INTEGER NOT NULL CHECK (balance_cents >= 0)
) STRICT;
CREATE TABLE IF NOT EXISTS token (
    token TEXT PRIMARY KEY,
    consumer_key TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS prompt (
    id TEXT PRIMARY KEY,
    merchant_request_id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL UNIQUE,
    shortcode TEXT NOT NULL,
    receiver TEXT NOT NULL,
    business_name TEXT NOT NULL,
    transaction_type TEXT NOT NULL,
    payer TEXT NOT NULL,
    msisdn TEXT NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    reference TEXT NOT NULL,
    description TEXT NOT NULL,
    callback_url TEXT NOT NULL,
    plan TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'paid', 'failed')),
    result_code TEXT NOT NULL DEFAULT '',
    result_desc TEXT NOT NULL DEFAULT '',
    receipt TEXT UNIQUE,
    moved_cents INTEGER NOT NULL DEFAULT 0,
    charge_cents INTEGER NOT NULL DEFAULT 0,
    is_ignored INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    due_at INTEGER,
    decided_at INTEGER,
    CHECK ((state = 'paid') = (receipt IS NOT NULL)),
    CHECK (state = 'paid' OR moved_cents = 0)
) STRICT;
CREATE INDEX IF NOT EXISTS prompt_due ON prompt (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS payment (
    receipt TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL UNIQUE,
    receiver TEXT NOT NULL,
    business_name TEXT NOT NULL,
    transaction_type TEXT NOT NULL,
    payer TEXT NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    reference TEXT NOT NULL,
    plan TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'paid', 'failed')),
    result_code TEXT NOT NULL DEFAULT '',
    result_desc TEXT NOT NULL DEFAULT '',
    third_party_id TEXT NOT NULL DEFAULT '',
    moved_cents INTEGER NOT NULL DEFAULT 0,
    charge_cents INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    due_at INTEGER,
    decided_at INTEGER,
    CHECK (state = 'paid' OR moved_cents = 0)
) STRICT;
CREATE INDEX IF NOT EXISTS payment_due ON payment (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS spent_form (mark TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS registration (
    shortcode TEXT PRIMARY KEY,
    confirmation_url TEXT NOT NULL,
    validation_url TEXT NOT NULL,
    is_refused_by_default INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS statement_row (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    shortcode TEXT NOT NULL,
    receipt TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('payment', 'charge', 'reversal')),
    initiated_at INTEGER NOT NULL,
    completed_at INTEGER NOT NULL,
    details TEXT NOT NULL,
    other_party TEXT NOT NULL,
    reference TEXT NOT NULL,
    paid_in_cents INTEGER NOT NULL CHECK (paid_in_cents >= 0),
    withdrawn_cents INTEGER NOT NULL CHECK (withdrawn_cents >= 0),
    balance_cents INTEGER NOT NULL,
    linked_receipt TEXT NOT NULL DEFAULT '',
    is_hidden INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS reversal (
    id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL UNIQUE,
    shortcode TEXT NOT NULL,
    original_receipt TEXT NOT NULL,
    payer TEXT NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    result_url TEXT NOT NULL,
    timeout_url TEXT NOT NULL,
    plan TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'failed')),
    result_code TEXT NOT NULL DEFAULT '',
    receipt TEXT UNIQUE,
    moved_cents INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    due_at INTEGER,
    decided_at INTEGER,
    CHECK ((state = 'done') = (receipt IS NOT NULL)),
    CHECK (state = 'done' OR moved_cents = 0)
) STRICT;
CREATE INDEX IF NOT EXISTS reversal_due ON reversal (due_at) WHERE due_at IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS reversed_once ON reversal (original_receipt) WHERE state = 'done';
CREATE TABLE IF NOT EXISTS pull_registration (
    shortcode TEXT PRIMARY KEY,
    nominated_number TEXT NOT NULL,
    callback_url TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS callback (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    cause TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('stk', 'status', 'reversal', 'timeout', 'balance', 'validation', 'confirmation', 'webhook')),
    url TEXT NOT NULL,
    body TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'answered', 'failed', 'dropped', 'taken')),
    is_first INTEGER NOT NULL DEFAULT 0,
    behind INTEGER NOT NULL DEFAULT 0,
    source TEXT NOT NULL DEFAULT '',
    signing TEXT NOT NULL DEFAULT '',
    attempt INTEGER NOT NULL DEFAULT 0,
    http_status INTEGER,
    error TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS callback_due ON callback (due_at) WHERE state = 'queued';
CREATE TABLE IF NOT EXISTS script (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    match TEXT NOT NULL,
    actions TEXT NOT NULL,
    times INTEGER,
    seen INTEGER NOT NULL DEFAULT 0,
    fired INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS log_entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('call', 'callback')),
    entry TEXT NOT NULL
) STRICT;
"""


class StoreUnusable(Exception):
    """The file cannot be used; the message says why and what to do."""


class StoreClosed(Exception):
    """The simulator has stopped; nothing more can be read or kept."""


class Store:
    """
    A SQLite file that this process holds alone.

    What a `transaction()` block wrote survives the death of the process as soon as the block ends.
    """

    def __init__(self, *, path: Path, seed: int | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._is_closed = False
        self._connection = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        try:
            for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL"):
                self._connection.execute(f"PRAGMA {pragma}").fetchone()
            self._create(path=path)
            self._remember_seed(path=path, seed=seed)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise StoreUnusable(
                f"{path} cannot be used ({error}). Stop the other simulator, or delete the file."
            ) from error

    def _create(self, *, path: Path) -> None:
        tables = self._connection.execute(
            "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
        ).fetchone()[0]
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if tables and version != SCHEMA_VERSION:
            self._connection.close()
            raise StoreUnusable(f"{path} was made by another version of the simulator. Delete the file.")
        self._connection.executescript(SCHEMA + STRIPE_SCHEMA + PAYPAL_SCHEMA)
        self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _remember_seed(self, *, path: Path, seed: int | None) -> None:
        with self.transaction() as tx:
            held = read_setting(tx=tx, key="seed")
            if held is None:
                chosen = secrets.randbits(63) if seed is None else seed
                write_setting(tx=tx, key="seed", value=str(chosen))
                return
        if seed is not None and held != str(seed):
            self._connection.close()
            raise StoreUnusable(f"{path} was made with seed {held}. Use that seed, or another file.")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the connection to one thread, and keep all that it writes or nothing."""
        with self._lock:
            if self._is_closed:
                raise StoreClosed
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file; a thread that still wants it gets StoreClosed."""
        with self._lock:
            self._is_closed = True
            self._connection.close()


def read_setting(*, tx: sqlite3.Connection, key: str) -> str | None:
    """Return the value, or None where it was never written."""
    row = tx.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
    return None if row is None else row["value"]


def write_setting(*, tx: sqlite3.Connection, key: str, value: str) -> None:
    """Write the value over what was there."""
    tx.execute(
        "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )
