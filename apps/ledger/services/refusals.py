"""Every refusal of the ledger's SQL functions as a typed error: the one place that reads their SQLSTATEs."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from django.db import DatabaseError

from apps.kit import errors


class AccountUnknown(errors.NotFound):
    """There is no such account in that currency."""

    code = "ledger_account_unknown"
    title = "Account unknown"


class Unbalanced(errors.DomainError):
    """The debits and credits of a currency differ."""

    code = "ledger_unbalanced"
    title = "Posting does not balance"
    status = 422


class DraftInvalid(errors.DomainError):
    """The draft says something that no booking can be: too few legs, a sum of nothing, two currencies in one leg."""

    code = "ledger_draft_invalid"
    title = "Posting not valid"
    status = 422


class LimitExceeded(errors.DomainError):
    """An account would be moved past its limit."""

    code = "ledger_limit_exceeded"
    title = "Account limit exceeded"


class AccountFrozen(errors.DomainError):
    """The account takes no postings at present."""

    code = "ledger_account_frozen"
    title = "Account frozen"


class AccountClosed(errors.DomainError):
    """The account takes no postings any more."""

    code = "ledger_account_closed"
    title = "Account closed"


class AccountNotEmpty(errors.DomainError):
    """Only an empty account can be closed."""

    code = "ledger_account_not_empty"
    title = "Account not empty"


class ChartLineMissing(errors.DomainError):
    """The chart has no line on which the account could be opened, or only a heading."""

    code = "ledger_chart_line_missing"
    title = "No such line in the chart"
    status = 422


class LineInvalid(errors.Invalid):
    """A line of the chart that cannot be, or that cannot be changed so."""

    code = "ledger_chart_line_invalid"
    title = "Line of the chart not valid"


class PeriodClosed(errors.DomainError):
    """The effective date lies in a period that is closed."""

    code = "ledger_period_closed"
    title = "Period closed"


class PeriodOutOfOrder(errors.DomainError):
    """A period begins on the day after the last one, and on a day that is open."""

    code = "ledger_period_out_of_order"
    title = "Period out of order"


class PeriodStateWrong(errors.DomainError):
    """The period, or one before or after it, is not in the state that this needs."""

    code = "ledger_period_state_wrong"
    title = "Period in another state"


class CheckpointMismatch(errors.DomainError):
    """What was kept at the last close and booked since is not the sum of all entries."""

    code = "ledger_checkpoint_mismatch"
    title = "Checkpoint does not match"


class BookMissing(errors.DomainError):
    """The organisation's book has not been opened."""

    code = "ledger_book_missing"
    title = "Book not open"


class ClockSkewed(errors.DomainError):
    """The caller's time is more than 5 minutes from the database's clock."""

    code = "ledger_clock_skewed"
    title = "Time not plausible"


class ExponentChanged(errors.DomainError):
    """The currency is kept with another number of decimals; that never changes."""

    code = "ledger_exponent_changed"
    title = "Currency decimals differ"


class AlreadyReversed(errors.DomainError):
    """A transaction is reversed once."""

    code = "ledger_already_reversed"
    title = "Already reversed"


class HoldMismatch(errors.DomainError):
    """A booking would leave a hold and its entries apart."""

    code = "ledger_hold_mismatch"
    title = "Hold does not match its entries"


class KeyReused(errors.DomainError):
    """The key was used for another booking."""

    code = "ledger_key_reused"
    title = "Booking key reused"
    status = 422


class SealRefused(errors.DomainError):
    """The seal does not follow the last one, or holds what cannot be sealed."""

    code = "ledger_seal_refused"
    title = "Seal refused"


class LedgerBusy(errors.DomainError):
    """A lock was not to be had in time; the same request may succeed at once."""

    code = "ledger_busy"
    title = "Ledger busy"
    status = 503
    retryable = True


class LedgerTimedOut(errors.DomainError):
    """A step took longer than the database lets it; nothing was booked, and the same request may succeed later."""

    code = "ledger_timed_out"
    title = "Ledger too slow"
    status = 503
    retryable = True


class LedgerMisused(RuntimeError):
    """The program is wrong: it books at another isolation level than READ COMMITTED."""


BUSY_STATES = frozenset({"40P01", "40001", "55P03"})

REFUSALS: Mapping[str, tuple[type[errors.DomainError], str]] = {
    "LG001": (AccountUnknown, "There is no such account in that currency."),
    "LG002": (Unbalanced, "Debits and credits differ."),
    "LG003": (LimitExceeded, "The posting would move {account} past its limit."),
    "LG004": (AccountFrozen, "{account} is frozen and takes no postings."),
    "LG005": (PeriodClosed, "The book is closed through {detail}; post with a later date."),
    "LG007": (BookMissing, "The book of this organisation is not open."),
    "LG008": (ClockSkewed, "The time of the posting is not within 5 minutes of the database's clock."),
    "LG012": (DraftInvalid, "The posting or the limits are not valid."),
    "LG014": (ExponentChanged, "The currency is kept with another number of decimals."),
    "LG015": (AccountNotEmpty, "Only an empty account can be closed."),
    "LG016": (ChartLineMissing, "The chart of accounts has no line for this account."),
    "LG030": (SealRefused, "The seal does not follow the last one."),
    "LG031": (SealRefused, "A seal holds transactions that exist and have no seal yet."),
    "LG017": (DraftInvalid, "A reversal turns every leg of its original around."),
    "LG018": (HoldMismatch, "The booking does not match what is held."),
    "LG050": (
        LineInvalid,
        "The chart cannot have such a line: see its parent, its numbers and its accounts.",
    ),
    "LG040": (PeriodOutOfOrder, "A period begins on an open day, and on the day after the last period."),
    "LG041": (
        PeriodStateWrong,
        "This period, or one before or after it, is in another state than this needs.",
    ),
    "LG042": (CheckpointMismatch, "Checkpoint and entries of {account} differ. Verify the ledger first."),
    "LG043": (errors.NotFound, "There is no such period."),
    "LG409": (KeyReused, "The key was used for another booking."),
    "22001": (DraftInvalid, "A text is longer than the ledger keeps."),
    "22003": (DraftInvalid, "The sum is larger than an account can hold."),
    "57014": (LedgerTimedOut, "The ledger took too long. Try again later."),
}


def unnamed(_: int) -> str:
    return "The account"


@contextmanager
def translated(name_of: Callable[[int], str] = unnamed) -> Iterator[None]:
    """
    Raise the typed error for what the ledger's functions refuse; ``name_of`` says how the account of an id is called.

    It is asked after the block: where that was no block of a transaction of its own, it may not ask the database.
    """
    try:
        yield
    except DatabaseError as error:
        refusal = _typed(error, name_of)
        if refusal is None:
            raise
        raise refusal from error


def _typed(error: DatabaseError, name_of: Callable[[int], str]) -> Exception | None:
    state = getattr(error.__cause__, "sqlstate", None) or ""
    if state in BUSY_STATES:
        return LedgerBusy("Another booking holds the same accounts. Try again.")
    if state == "LG013":
        return LedgerMisused("the ledger is written at READ COMMITTED only")
    if state not in REFUSALS:
        return None
    kind, sentence = REFUSALS[state]
    detail = getattr(getattr(error.__cause__, "diag", None), "message_detail", None) or ""
    number, _, status = detail.partition(" ")
    account = name_of(int(number)) if number.isdigit() and "{account}" in sentence else unnamed(0)
    if status == "CLOSED":
        kind, sentence = AccountClosed, "{account} is closed and takes no postings."
    return kind(sentence.format(account=account, detail=detail))
