"""The reversal: a part of a transfer that the provider is told to take back."""

from django.db import models
from django.db.models import Q

from apps.disbursements.models.order import Order

REASON_LENGTH = 200


class TransferReversal(Order):
    """
    One part of a transfer, or all that is left of it, taken back from the party's account.

    ``number`` counts the reversals of a transfer from 1. What we owe the party grows by it once it has been carried out.
    """

    transfer = models.ForeignKey("disbursements.Transfer", on_delete=models.PROTECT, related_name="reversals")
    number = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=REASON_LENGTH)

    class Meta:
        constraints = [
            *Order.Meta.constraints,
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
    def provider(self) -> str:
        return self.transfer.provider
