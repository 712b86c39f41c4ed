"""Transactions and their entries: inserted once, never changed. What holds of every row is checked by the triggers in sql/guards.sql."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from apps.kit.models import CurrencyField, MinorField
from apps.ledger.contracts import Direction, Layer, TransactionKind
from apps.ledger.models.account import Account
from apps.ledger.models.read_only import LedgerModel, choices


class Transaction(LedgerModel):
    """
    The header of a booking.

    ``idem_key`` is unique for ever and ``request_hash`` tells a repetition from another request under the same key.
    ``effective_date`` is a local date in the book's zone, ``posted_at`` the instant of the booking, ``event_at`` the
    provider's instant. The source is the business row that caused it. A reversal names the one transaction that it
    ``reverses``, a capture, release or expiry its ``hold``; ``reason`` says why a person wrote it and ``approved_by`` who
    agreed. ``cost_centre`` and ``dimensions`` (name to value) cut reports. One that ``is_forced`` passed over limits.
    """

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(unique=True)
    idem_key = models.CharField(max_length=200)
    request_hash = models.BinaryField(max_length=32)
    kind = models.CharField(max_length=16, choices=choices(TransactionKind))
    effective_date = models.DateField()
    event_at = models.DateTimeField(null=True)
    posted_at = models.DateTimeField()
    entry_count = models.SmallIntegerField()
    source_type = models.CharField(max_length=40)
    source_id = models.UUIDField()
    reference = models.CharField(max_length=64, blank=True)
    description = models.CharField(max_length=200)
    created_by = models.CharField(max_length=120)
    approved_by = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    reverses = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="reversed_by",
        db_constraint=False,
        db_index=False,
    )
    hold = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="steps",
        db_constraint=False,
        db_index=False,
    )
    cost_centre = models.CharField(max_length=40, blank=True)
    dimensions = models.JSONField(null=True)
    is_forced = models.BooleanField()

    class Meta:
        indexes = [
            models.Index(fields=["source_id", "source_type"], name="ledger_transaction_source"),
            models.Index(fields=["hold"], name="ledger_transaction_hold", condition=Q(hold__isnull=False)),
            BrinIndex(fields=["posted_at"], name="ledger_transaction_posted", autosummarize=True),
            models.Index(
                fields=["id"],
                name="ledger_transaction_closing",
                condition=Q(kind=TransactionKind.CLOSING.value),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["idem_key"], name="ledger_transaction_once"),
            models.UniqueConstraint(
                fields=["reverses"],
                name="ledger_transaction_reversed_once",
                condition=Q(reverses__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """The number that people read: ``LT-0482377``."""
        return f"LT-{self.id:07d}"


class Entry(LedgerModel):
    """
    One leg of a transaction.

    ``version`` numbers the entries of an account's shard without gaps, and ``net_after`` is its net (posted debits less
    posted credits) after this entry.
    """

    pk = models.CompositePrimaryKey("transaction_id", "seq")
    transaction = models.ForeignKey(
        Transaction, on_delete=models.PROTECT, related_name="entries", db_constraint=False, db_index=False
    )
    seq = models.SmallIntegerField()
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="entries", db_constraint=False, db_index=False
    )
    shard = models.SmallIntegerField()
    currency = CurrencyField()
    layer = models.SmallIntegerField(choices=[(layer.value, layer.name.lower()) for layer in Layer])
    direction = models.SmallIntegerField(
        choices=[(direction.value, direction.name.lower()) for direction in Direction]
    )
    amount = MinorField()
    net_after = MinorField()
    version = models.BigIntegerField()
    effective_date = models.DateField()

    class Meta:
        verbose_name_plural = "entries"
        indexes = [models.Index(fields=["account", "effective_date"], name="ledger_entry_account_date")]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "shard", "version"], name="ledger_entry_account_version"
            ),
        ]

    def __str__(self) -> str:
        return f"entry {self.transaction_id}.{self.seq}"
