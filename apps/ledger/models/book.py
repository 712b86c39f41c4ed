"""The book (one row per organisation) and the currencies that its accounts use."""

from django.db import models

from apps.kit.models import CurrencyField, one_of
from apps.ledger.contracts import LateItems
from apps.ledger.models.read_only import LedgerModel, choices


class Book(LedgerModel):
    """
    What holds for the whole ledger of an organisation.

    ``timezone`` decides which local date a posting falls on, nothing may be posted on or before ``closed_through``, and
    ``is_test`` releases the posting time from the database's clock. ``late_items`` says what becomes of a posting dated
    into a closed period, ``fiscal_year_start`` the month (1 to 12) in which the year of the accounts begins, and
    ``rate_max_age_days`` how old an exchange rate may be.
    """

    id = models.SmallIntegerField(primary_key=True)
    functional_currency = CurrencyField()
    timezone = models.CharField(max_length=64)
    is_test = models.BooleanField()
    closed_through = models.DateField(null=True)
    late_items = models.CharField(
        max_length=12, choices=choices(LateItems), db_default=LateItems.REJECT.value
    )
    fiscal_year_start = models.SmallIntegerField(db_default=1)
    rate_max_age_days = models.SmallIntegerField(db_default=4)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="ledger_book_one_row"),
            models.CheckConstraint(condition=one_of("late_items", LateItems), name="ledger_book_late_items"),
            models.CheckConstraint(
                condition=models.Q(fiscal_year_start__range=(1, 12)), name="ledger_book_fiscal_year"
            ),
            models.CheckConstraint(
                condition=models.Q(rate_max_age_days__gte=0), name="ledger_book_rate_max_age"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.functional_currency}, {self.timezone}"


class Currency(LedgerModel):
    """A currency that an account uses; its exponent never changes."""

    class Kind(models.TextChoices):
        FIAT = "FIAT", "fiat"
        CRYPTO = "CRYPTO", "crypto"

    code = CurrencyField(primary_key=True)
    exponent = models.SmallIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices)

    class Meta:
        verbose_name_plural = "currencies"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(exponent__range=(0, 18)), name="ledger_currency_exponent"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="FIAT") | models.Q(kind="CRYPTO"), name="ledger_currency_kind"
            ),
        ]

    def __str__(self) -> str:
        return self.code
