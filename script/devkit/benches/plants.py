"""What a test of a bench spoils: a row of the ledger that gets lost; run by .venv's Python as the owner role."""

import sys

import django
from django.db import connection

LOSE = (
    'ALTER TABLE "{schema}".ledger_entry DISABLE TRIGGER USER',
    'ALTER TABLE "{schema}".ledger_transaction DISABLE TRIGGER USER',
    'DELETE FROM "{schema}".ledger_entry WHERE transaction_id = (SELECT max(id) FROM "{schema}".ledger_transaction)',
    'DELETE FROM "{schema}".ledger_transaction WHERE id = (SELECT max(id) FROM "{schema}".ledger_transaction)',
    'ALTER TABLE "{schema}".ledger_entry ENABLE TRIGGER USER',
    'ALTER TABLE "{schema}".ledger_transaction ENABLE TRIGGER USER',
)


def main(schema: str) -> None:
    """Remove the last transaction with its entries, as nobody but the owner of the tables could."""
    django.setup()
    with connection.cursor() as cursor:
        for statement in LOSE:
            cursor.execute(statement.format(schema=schema))
            if statement.startswith("DELETE") and not cursor.rowcount:
                raise RuntimeError("there was no row that could be lost")


if __name__ == "__main__":
    main(sys.argv[1])
