"""A document as it was issued: a snapshot that never changes."""

from django.db import models
from django.db.models import F, Q

from apps.invoicing.contracts import DocumentType
from apps.invoicing.models.number_series import NumberSeries
from apps.kit.models import CurrencyField, InsertOnlyModel, MinorField, UuidModel
from apps.kit.money import Money


class Document(UuidModel, InsertOnlyModel):
    """
    Everything that is printed is copied here at issue, so a later change of a name changes no document. Insert-only.

    Of a payment in parts each has a receipt of its own: ``part_of_minor`` is what was asked for, ``left_minor`` what was left to pay.
    """

    document_type = models.CharField(
        max_length=20, choices=[(kind.value, kind.value) for kind in DocumentType]
    )
    series = models.ForeignKey(NumberSeries, on_delete=models.PROTECT, related_name="+")
    series_number = models.PositiveIntegerField()
    number = models.CharField(max_length=60, unique=True)
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    intent = models.ForeignKey("payments.PaymentIntent", on_delete=models.PROTECT, related_name="+")
    attempt = models.ForeignKey("payments.PaymentAttempt", on_delete=models.PROTECT, related_name="+")
    currency = CurrencyField()
    amount_minor = MinorField()
    part_of_minor = MinorField(null=True)
    left_minor = MinorField(null=True)
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
                fields=["attempt"],
                condition=Q(document_type=DocumentType.RECEIPT.value),
                name="one_receipt_per_attempt",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="document_amount_positive"),
            models.CheckConstraint(condition=Q(series_number__gt=0), name="document_number_positive"),
            models.CheckConstraint(
                condition=Q(part_of_minor__isnull=True, left_minor__isnull=True)
                | Q(left_minor__gte=0, part_of_minor__gte=F("amount_minor") + F("left_minor")),
                name="document_part_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def part_of(self) -> Money | None:
        """What was asked for, where this is a part of it."""
        return None if self.part_of_minor is None else Money(self.part_of_minor, self.currency)

    @property
    def left(self) -> Money | None:
        """What was left to pay after this part."""
        return None if self.left_minor is None else Money(self.left_minor, self.currency)
