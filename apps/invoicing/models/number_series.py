"""Numbers without gaps: one counter per kind of document, branch and year."""

from django.db import models

from apps.invoicing.contracts import NUMBER_PREFIX, DocumentType
from apps.kit.models import LockingQuerySet, UuidModel


class NumberSeries(UuidModel):
    """
    ``last_number`` is the last one given. It is taken under the row's lock in the transaction that inserts the
    document, so a transaction that fails gives its number back and no two documents share one.
    """

    document_type = models.CharField(
        max_length=20, choices=[(kind.value, kind.value) for kind in DocumentType]
    )
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField()
    last_number = models.PositiveIntegerField(default=0)

    objects = LockingQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "number series"
        constraints = [
            models.UniqueConstraint(fields=["document_type", "branch", "year"], name="one_series_per_year"),
        ]

    def __str__(self) -> str:
        return f"{NUMBER_PREFIX[DocumentType(self.document_type)]} {self.year}"

    def take(self) -> int:
        """Count up and return the new number; the caller holds the row's lock and saves."""
        self.last_number += 1
        return self.last_number

    def text(self, number: int, *, branch_code: str) -> str:
        """Return ``RCT-WST-2026-01842``."""
        return f"{NUMBER_PREFIX[DocumentType(self.document_type)]}-{branch_code}-{self.year}-{number:05d}"
