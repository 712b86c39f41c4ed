"""The organisation's book: in which zone its days begin, and who may decide about it as a whole."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from apps.access.selectors import scope
from apps.kit import errors
from apps.ledger.models import Book
from apps.tenancy.selectors import organisations


class BookForbidden(errors.Forbidden):
    """It is about the whole book, and the caller works for some branches only."""

    code = "ledger_book_forbidden"
    title = "For all branches only"


def today(now: datetime) -> date:
    """Return the local date of an instant in the book's zone: until the book is open, in the organisation's."""
    book = Book.objects.first()
    return now.astimezone(ZoneInfo(book.timezone if book else organisations.current().time_zone)).date()


def of_organisation() -> Book | None:
    """Return the book, or None until it is open."""
    book: Book | None = Book.objects.first()
    return book


def is_for_all_branches(caller: scope.Principal) -> bool:
    """Say whether the caller works for every branch, whichever he looks at."""
    return scope.own_branch_ids(caller) is None


def require_all_branches(caller: scope.Principal) -> None:
    """Raise BookForbidden for a caller of some branches: periods are those of the whole book."""
    if not is_for_all_branches(caller):
        raise BookForbidden(
            "This is about the books of all branches. Ask somebody who works for all of them."
        )
