"""The organisation's book: in which zone its days begin."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from apps.ledger.models import Book
from apps.tenancy.selectors import organisations


def today(now: datetime) -> date:
    """Return the local date of an instant in the book's zone: until the book is open, in the organisation's."""
    book = Book.objects.first()
    return now.astimezone(ZoneInfo(book.timezone if book else organisations.current().time_zone)).date()
