"""Words about the movements that a provider lists."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class ListedMatter(StrEnum):
    """
    Why a listed movement is for people. NOBODYS: it is of no payment, refund or dispute that we know. FEE_DIFFERS: the fee
    is another than the one that we booked. OTHER: it is none of these at all, as a payout to the bank.
    """

    NOBODYS = "NOBODYS"
    FEE_DIFFERS = "FEE_DIFFERS"
    OTHER = "OTHER"


MATTERS: Mapping[ListedMatter, Any] = {
    ListedMatter.NOBODYS: _("Unmatched"),
    ListedMatter.FEE_DIFFERS: _("Fee differs"),
    ListedMatter.OTHER: _("Listed"),
}


class ListedStatus(StrEnum):
    """What became of a listed movement: OPEN is left for people, EXPLAINED is booked now, PUT_AWAY was closed by a person."""

    OPEN = "OPEN"
    EXPLAINED = "EXPLAINED"
    PUT_AWAY = "PUT_AWAY"
