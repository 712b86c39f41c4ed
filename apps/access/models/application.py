"""The application: a system that uses the treasury in the organisation's name; the portal is one of them."""

from django.db import models
from django.db.models import Q

from apps.kit.models import UuidModel


class Application(UuidModel):
    """``slug`` is unique and never changes: audit records and reports name the application by it."""

    slug = models.CharField(max_length=50)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="application_slug_once"),
            models.CheckConstraint(
                condition=Q(slug__regex=r"^[a-z][a-z0-9-]{0,49}$"),
                name="application_slug_form",
                violation_error_message="A slug is 1 to 50 small letters, digits and dashes, a letter first.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
