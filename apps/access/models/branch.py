"""The branch: a place of business of the organisation; every business row belongs to one."""

from django.db import models
from django.db.models import Q

from apps.kit.models import UuidModel


class Branch(UuidModel):
    """``code`` is short and for people (``NBO-CBD``). An empty ``time_zone`` is that of the organisation."""

    code = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    is_head_office = models.BooleanField(default=False)
    time_zone = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "branches"
        constraints = [
            models.UniqueConstraint(fields=["code"], name="branch_code_once"),
            models.UniqueConstraint(
                fields=["is_head_office"], condition=Q(is_head_office=True), name="branch_one_head_office"
            ),
            models.CheckConstraint(
                condition=Q(code__regex=r"^[A-Z0-9][A-Z0-9-]{0,19}$"),
                name="branch_code_form",
                violation_error_message="A code is 1 to 20 capital letters, digits and dashes.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
