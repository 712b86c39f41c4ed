"""The tables of the PayPal face: accounts, tokens, objects as PayPal shows them, movements of money, and what keys were used for."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS paypal_account (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    client_id TEXT NOT NULL UNIQUE,
    client_secret TEXT NOT NULL,
    country TEXT NOT NULL,
    currency TEXT NOT NULL,
    fee_bps INTEGER NOT NULL CHECK (fee_bps BETWEEN 0 AND 10000),
    fee_fixed INTEGER NOT NULL CHECK (fee_fixed >= 0),
    dispute_fee INTEGER NOT NULL CHECK (dispute_fee >= 0),
    rates TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS paypal_token (
    token TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS paypal_object (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body)),
    private TEXT NOT NULL CHECK (json_valid(private)),
    due_at INTEGER,
    CHECK (type <> 'capture' OR json_extract(private, '$.refunded') BETWEEN 0 AND json_extract(private, '$.minor'))
) STRICT;
CREATE INDEX IF NOT EXISTS paypal_object_kind ON paypal_object (account, type, number);
CREATE INDEX IF NOT EXISTS paypal_object_due ON paypal_object (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS paypal_object_order ON paypal_object (json_extract(private, '$.order'));
CREATE TABLE IF NOT EXISTS paypal_movement (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    event_code TEXT NOT NULL,
    reference TEXT NOT NULL,
    amount INTEGER NOT NULL,
    fee INTEGER NOT NULL CHECK (fee >= 0),
    currency TEXT NOT NULL,
    moved INTEGER NOT NULL,
    moved_fee INTEGER NOT NULL CHECK (moved_fee >= 0),
    rate TEXT NOT NULL,
    invoice_id TEXT NOT NULL,
    custom_id TEXT NOT NULL,
    details TEXT NOT NULL,
    is_hidden INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS paypal_answer (
    account TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    made TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account, endpoint, key)
) STRICT;
"""
