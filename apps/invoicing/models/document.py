"""A document as it was issued: a snapshot that never changes."""

from django.db import models
from django.db.models import Q

from apps.invoicing.contracts import DocumentType
from apps.invoicing.models.number_series import NumberSeries
from apps.kit.models import CurrencyField, InsertOnlyModel, MinorField, UuidModel
from apps.kit.money import Money


class Document(UuidModel, InsertOnlyModel):
    """Everything that is printed is copied here at issue, so a later change of a name changes no document. Insert-only."""

    document_type = models.CharField(
        max_length=20, choices=[(kind.value, kind.value) for kind in DocumentType]
    )
    series = models.ForeignKey(NumberSeries, on_delete=models.PROTECT, related_name="+")
    series_number = models.PositiveIntegerField()
    number = models.CharField(max_length=60, unique=True)
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    intent = models.ForeignKey("payments.PaymentIntent", on_delete=models.PROTECT, related_name="+")
    currency = CurrencyField()
    amount_minor = MinorField()
    payer_name = models.CharField(max_length=120, blank=True)
    payer_phone = models.CharField(max_length=20, blank=True)
    method = models.CharField(max_length=20)
    provider_receipt = models.CharField(max_length=64, blank=True)
    reference = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    organisation_name = models.CharField(max_length=120)
    branch_name = models.CharField(max_length=120)
    paid_at = models.DateTimeField()
    issued_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "series_number"], name="document_number_once"),
            models.UniqueConstraint(
                fields=["intent"],
                condition=Q(document_type=DocumentType.RECEIPT.value),
                name="one_receipt_per_payment",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="document_amount_positive"),
            models.CheckConstraint(condition=Q(series_number__gt=0), name="document_number_positive"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)
