"""Tables of the ledger, read through the ORM and written by the ledger's SQL functions alone."""

from apps.ledger.models.account import Account, Balance
from apps.ledger.models.book import Book, Currency
from apps.ledger.models.transaction import Entry, Transaction

__all__ = ["Account", "Balance", "Book", "Currency", "Entry", "Transaction"]
