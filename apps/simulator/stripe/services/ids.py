"""Identifiers that look like Stripe's: a prefix for the kind of object, then letters and digits drawn from the seed."""

import sqlite3

from apps.simulator.services import identifiers

FORMS = {
    "checkout.session": ("cs_test_", 40),
    "payment_intent": ("pi_3", 23),
    "charge": ("ch_3", 23),
    "refund": ("re_3", 23),
    "setup_intent": ("seti_1", 23),
    "payment_method": ("pm_1", 23),
    "customer": ("cus_", 14),
    "balance_transaction": ("txn_3", 23),
    "event": ("evt_1", 23),
    "webhook_endpoint": ("we_1", 23),
    "dispute": ("du_1", 23),
    "account": ("acct_1", 15),
    "transfer": ("tr_3", 23),
    "transfer_reversal": ("trr_1", 23),
    "payout": ("po_1", 23),
    "account_link": ("", 22),
    "application_fee": ("fee_1", 23),
    "file": ("file_1", 23),
    "request": ("req_", 14),
    "webhook_secret": ("whsec_", 32),
    "fingerprint": ("", 16),
}


def draw(*, tx: sqlite3.Connection, kind: str) -> str:
    """Return a new identifier; none comes twice, not even after a reset."""
    prefix, length = FORMS[kind]
    return prefix + identifiers.alphanumeric(tx=tx, length=length)


def secret_of(*, tx: sqlite3.Connection, identifier: str) -> str:
    """Return the client secret of an intent."""
    return f"{identifier}_secret_{identifiers.alphanumeric(tx=tx, length=25)}"
