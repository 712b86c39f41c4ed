"""Reading what providers say that they hold, beside what the books say."""

from collections.abc import Callable, Collection
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from apps.integrations.contracts import Holding, Purse
from apps.integrations.models import ProviderBalanceReading
from apps.kit.money import Money

type Booked = Callable[[Collection[UUID]], dict[UUID, Money]]


def newest(account_ids: Collection[UUID]) -> dict[UUID, Holding]:
    """
    Return the newest answer about each of these accounts that has one. For internal use: no caller's scope is asked.

    The books lie above this app: who reads them is named in TREASURY["BOOKED_BALANCES"].
    """
    readings = list(ProviderBalanceReading.objects.newest_of(account_ids))
    booked_balances: Booked = import_string(settings.TREASURY["BOOKED_BALANCES"])
    booked = booked_balances([reading.account_id for reading in readings]) if readings else {}
    return {
        reading.account_id: Holding(
            account_id=reading.account_id,
            total=reading.total,
            purses=tuple(_purse(each, reading.currency) for each in reading.purses),
            booked=booked.get(reading.account_id),
            told_at=reading.told_at,
            read_at=reading.read_at,
        )
        for reading in readings
    }


def _purse(facts: dict[str, str], currency: str) -> Purse:
    current, available = (Money.parse(facts[name], currency) for name in ("current", "available"))
    return Purse(facts["name"], current, available)
