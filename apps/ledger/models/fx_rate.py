"""Exchange rates: what one unit of a currency was worth, by whom and when."""

from django.db import models
from django.db.models import F, Q

from apps.kit.models import CurrencyField, InsertOnlyModel, UuidModel

RATE_MAX = 10**12
"""PostgreSQL takes NaN for greater than any number: an upper bound keeps it out too."""


class FxRate(UuidModel, InsertOnlyModel):
    """
    One unit of ``base`` is ``rate`` units of ``quote``, both in whole units of the currency, as ``source`` said at ``as_of``.

    A wrong rate is not corrected: a later one is added. ``approved_by`` names the second person where one was needed.
    """

    base = CurrencyField()
    quote = CurrencyField()
    as_of = models.DateTimeField()
    source = models.CharField(max_length=40)
    rate = models.DecimalField(max_digits=38, decimal_places=18)
    created_by = models.CharField(max_length=120)
    approved_by = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["base", "quote", "as_of", "source"], name="ledger_fx_rate_once"),
            models.CheckConstraint(condition=Q(rate__gt=0, rate__lte=RATE_MAX), name="ledger_fx_rate_range"),
            models.CheckConstraint(condition=~Q(base=F("quote")), name="ledger_fx_rate_two_currencies"),
        ]

    def __str__(self) -> str:
        return f"{self.base}/{self.quote} {self.rate.normalize():f}"
