"""Tables of the ledger: what was booked is read through the ORM and written by the ledger's SQL functions alone."""

from apps.ledger.models.account import Account, Balance
from apps.ledger.models.book import Book, Currency
from apps.ledger.models.chart_line import ChartLine
from apps.ledger.models.fx_rate import FxRate
from apps.ledger.models.hold import Hold
from apps.ledger.models.period import Checkpoint, Closing, Period, SignOff
from apps.ledger.models.seal import Movement, Seal, SealLeaf
from apps.ledger.models.transaction import Entry, Transaction
from apps.ledger.models.unbooked import Unbooked

__all__ = [
    "Account",
    "Balance",
    "Book",
    "ChartLine",
    "Checkpoint",
    "Closing",
    "Currency",
    "Entry",
    "FxRate",
    "Hold",
    "Movement",
    "Period",
    "Seal",
    "SealLeaf",
    "SignOff",
    "Transaction",
    "Unbooked",
]
