"""Seals: what was booked, hashed into Merkle trees that are chained; and the daily sums that sealing maintains."""

from django.db import models
from django.db.models import Q

from apps.kit.models import MinorField
from apps.ledger.contracts import Layer
from apps.ledger.models.account import Account
from apps.ledger.models.read_only import LedgerModel
from apps.ledger.models.transaction import Transaction


class Seal(LedgerModel):
    """One Merkle tree of transactions; ``seal_hash`` covers the root, the count and the seal before it."""

    seq = models.BigIntegerField(primary_key=True)
    prev_hash = models.BinaryField(max_length=32)
    merkle_root = models.BinaryField(max_length=32)
    seal_hash = models.BinaryField(max_length=32, unique=True)
    tx_count = models.IntegerField()
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(seq__gte=1, tx_count__gte=1), name="ledger_seal_not_empty")
        ]

    def __str__(self) -> str:
        return f"seal {self.seq}"


class SealLeaf(LedgerModel):
    """A sealed transaction and its place in the tree."""

    transaction = models.OneToOneField(
        Transaction, on_delete=models.PROTECT, primary_key=True, related_name="leaf", db_constraint=False
    )
    seal = models.ForeignKey(
        Seal, on_delete=models.PROTECT, related_name="leaves", db_constraint=False, db_index=False
    )
    position = models.IntegerField()
    leaf_hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seal", "position"], name="ledger_seal_leaf_position")]


class Movement(LedgerModel):
    """What the sealed entries of one effective date moved on an account, per layer, over all shards; only ever added to."""

    pk = models.CompositePrimaryKey("account_id", "effective_date", "layer")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="movements", db_constraint=False, db_index=False
    )
    effective_date = models.DateField()
    layer = models.SmallIntegerField(choices=[(layer.value, layer.name.lower()) for layer in Layer])
    debits = MinorField()
    credits = MinorField()
    entries = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["effective_date"], name="ledger_movement_date")]
