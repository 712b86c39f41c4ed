"""Periods of the book, what was signed off in them, and the balances kept when one was closed."""

from django.db import models
from django.db.models import F, Q

from apps.kit.models import InsertOnlyModel, MinorField, UuidModel, one_of
from apps.ledger.contracts import PeriodState
from apps.ledger.models.account import Account
from apps.ledger.models.read_only import LedgerModel, choices
from apps.ledger.models.transaction import Transaction


class Period(LedgerModel):
    """
    A range of days, both included; no two overlap (an exclusion constraint).

    SOFT_CLOSED is about to close, and takes postings still; nothing may be dated into a CLOSED one. ``revision`` is 1 and
    grows when the period is opened again: sign-offs, closings and checkpoints of an earlier revision stay and are superseded.
    """

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(unique=True)
    start_date = models.DateField()
    end_date = models.DateField()
    state = models.CharField(max_length=12, choices=choices(PeriodState))
    revision = models.SmallIntegerField()
    is_year_end = models.BooleanField()
    closed_by = models.CharField(max_length=120, blank=True)
    closed_at = models.DateTimeField(null=True)
    checkpoint_hash = models.BinaryField(max_length=32, null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(start_date__lte=F("end_date")), name="ledger_period_days"),
            models.CheckConstraint(condition=one_of("state", PeriodState), name="ledger_period_state"),
        ]

    def __str__(self) -> str:
        return f"{self.start_date:%Y-%m-%d} to {self.end_date:%Y-%m-%d}"


class SignOff(UuidModel, InsertOnlyModel):
    """One precondition of a period's close that an app or a person vouches for; the last one of a kind counts."""

    period = models.ForeignKey(Period, on_delete=models.PROTECT, related_name="sign_offs")
    revision = models.SmallIntegerField()
    kind = models.CharField(max_length=40)
    is_signed = models.BooleanField()
    note = models.CharField(max_length=200, blank=True)
    signed_by = models.CharField(max_length=120)
    signed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["period", "revision", "kind"], name="ledger_sign_off_kind")]


class Checkpoint(LedgerModel):
    """
    What stood on an account, over all shards, at the end of a period's last day: cumulative posted totals.

    Those are valid whose revision is that of their period. ``functional_net`` is the net of an account in the functional
    currency, and empty for others. ``entries`` counts those that the daily sums hold up to that day, on both layers.
    """

    pk = models.CompositePrimaryKey("period_id", "revision", "account_id")
    period = models.ForeignKey(
        Period, on_delete=models.PROTECT, related_name="checkpoints", db_constraint=False, db_index=False
    )
    revision = models.SmallIntegerField()
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="checkpoints", db_constraint=False, db_index=False
    )
    debits = MinorField()
    credits = MinorField()
    functional_net = MinorField(null=True)
    entries = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["account", "period"], name="ledger_checkpoint_account")]


class Closing(UuidModel, InsertOnlyModel):
    """A closing transaction of a year end: one per currency and branch, for one revision of the period."""

    period = models.ForeignKey(Period, on_delete=models.PROTECT, related_name="closings")
    revision = models.SmallIntegerField()
    transaction = models.OneToOneField(
        Transaction, on_delete=models.PROTECT, related_name="closing", db_constraint=False
    )
