"""Effective dates of what people ask for: told at once where the ledger would refuse them later."""

from datetime import date

from apps.kit import errors
from apps.ledger.contracts import LateItems
from apps.ledger.models import Book
from apps.ledger.services.refusals import PeriodClosed


def require_open(effective_date: date) -> None:
    """
    Raise PeriodClosed for a date in a closed period, unless the book moves such postings to the first open day.

    The posting function decides again under the fence; this is for who waits for an answer.
    """
    book = Book.objects.filter(closed_through__gte=effective_date).first()
    if book is None or book.late_items == LateItems.NEXT_OPEN:
        return
    message = (
        f"The book is closed through {book.closed_through:%Y-%m-%d}. Take a later date, or ask to reopen."
    )
    raise PeriodClosed(message, errors=[errors.FieldError("/effective_date", PeriodClosed.code, message)])
