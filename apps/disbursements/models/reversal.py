"""The reversal: a part of a transfer that the provider is told to take back."""

from django.db import models
from django.db.models import Q

from apps.disbursements.contracts import TransferStatus
from apps.disbursements.models.order import PROGRESS_FIELDS, Order
from apps.kit.models import MinorField
from apps.kit.money import Money

REASON_LENGTH = 200


class TransferReversal(Order):
    """
    One part of a transfer, or all that is left of it, taken back from the party's account.

    ``number`` counts the reversals of a transfer from 1. What we owe the party grows by what came back once it has been carried
    out: ``returned_minor`` where the provider took back another sum than was asked for.
    """

    transfer = models.ForeignKey("disbursements.Transfer", on_delete=models.PROTECT, related_name="reversals")
    number = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=REASON_LENGTH)
    returned_minor = MinorField(null=True)

    class Meta:
        constraints = [
            *Order.Meta.constraints,
            models.CheckConstraint(
                condition=Q(returned_minor__isnull=True)
                | Q(
                    status=TransferStatus.SUCCEEDED.value, returned_minor__isnull=False, returned_minor__gt=0
                ),
                name="transferreversal_returned_once_made",
            ),
            models.UniqueConstraint(fields=["transfer", "number"], name="transferreversal_number_once"),
            models.UniqueConstraint(fields=["transfer", "nonce"], name="transferreversal_nonce_once"),
            models.UniqueConstraint(
                fields=["transfer", "ticket"], condition=~Q(ticket=""), name="transferreversal_ticket_once"
            ),
        ]
        indexes = Order.Meta.indexes

    def __str__(self) -> str:
        return f"{self.money} of {self.transfer_id}"

    @property
    def returned(self) -> Money:
        """What comes back, or came: as asked for, unless the provider told of another sum."""
        return self.money if self.returned_minor is None else Money(self.returned_minor, self.currency)

    @property
    def is_contradicted(self) -> bool:
        return self.returned_minor is not None

    def save_progress(self) -> None:
        self.save(update_fields=[*PROGRESS_FIELDS, "returned_minor"])

    @property
    def provider(self) -> str:
        return self.transfer.provider
