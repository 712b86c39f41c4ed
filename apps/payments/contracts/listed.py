"""Words about the movements that a provider lists."""

from enum import StrEnum


class ListedMatter(StrEnum):
    """
    Why a listed movement is for people. NOBODYS: it is of no payment, refund or dispute that we know. FEE_DIFFERS: the fee
    is another than the one that we booked. OTHER: it is none of these at all, as a payout to the bank.
    """

    NOBODYS = "NOBODYS"
    FEE_DIFFERS = "FEE_DIFFERS"
    OTHER = "OTHER"
