"""The tables of the Stripe face: accounts, objects as Stripe shows them, and answers kept for repeated keys."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS stripe_account (
    id TEXT PRIMARY KEY,
    platform TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL,
    secret_key TEXT NOT NULL,
    country TEXT NOT NULL,
    currency TEXT NOT NULL,
    fee_bps INTEGER NOT NULL CHECK (fee_bps BETWEEN 0 AND 10000),
    fee_fixed INTEGER NOT NULL CHECK (fee_fixed >= 0),
    dispute_fee INTEGER NOT NULL CHECK (dispute_fee >= 0),
    rates TEXT NOT NULL,
    may_overdraw INTEGER NOT NULL CHECK (may_overdraw IN (0, 1))
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS stripe_key ON stripe_account (secret_key) WHERE platform = '';
CREATE TABLE IF NOT EXISTS stripe_object (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body)),
    private TEXT NOT NULL CHECK (json_valid(private)),
    is_hidden INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER,
    CHECK (type <> 'charge' OR json_extract(body, '$.amount_refunded') BETWEEN 0 AND json_extract(body, '$.amount'))
) STRICT;
CREATE INDEX IF NOT EXISTS stripe_object_kind ON stripe_object (account, type, number);
CREATE INDEX IF NOT EXISTS stripe_object_due ON stripe_object (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS stripe_answer (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account, key)
) STRICT;
"""
