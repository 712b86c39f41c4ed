"""The book of the present organisation."""

from django.db import connection

from apps.ledger.services import refusals
from apps.tenancy.selectors import organisations


def open_book() -> None:
    """
    Open the present organisation's book with its base currency, zone and test mode; an open book stays as it is.

    Called when the first account is opened. A book of a test organisation takes postings of any time, every other one
    only within 5 minutes of the database's clock.
    """
    organisation = organisations.current()
    with refusals.translated(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT ledger_open_book(%s, %s, %s)",
            [organisation.base_currency, organisation.time_zone, organisation.is_test],
        )
