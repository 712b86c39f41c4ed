"""The application: a system that uses the treasury in the organisation's name; the portal is one of them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.kit.models import LockingQuerySet, UuidModel


class Application(UuidModel):
    """
    ``slug`` is unique and never changes: audit records and reports name the application by it.

    One that came by a link is registered with the platform as ``directory_id``: its keys hold ``granted_scopes`` at
    most and touch ``granted_branch`` alone where there is one; ``granted_by_id`` is the membership of who let it in.
    One that the organisation made itself has no such bounds. While ``closed_at`` is set no key of it opens anything.
    """

    slug = models.CharField(max_length=50)
    name = models.CharField(max_length=120)
    directory_id = models.UUIDField(null=True, blank=True, editable=False)
    granted_scopes = ArrayField(models.CharField(max_length=64), null=True, blank=True, editable=False)
    granted_branch = models.ForeignKey(
        "access.Branch", on_delete=models.PROTECT, related_name="+", null=True, blank=True, editable=False
    )
    granted_by_id = models.UUIDField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = LockingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="application_slug_once"),
            models.UniqueConstraint(fields=["directory_id"], name="application_linked_once"),
            models.CheckConstraint(
                condition=Q(slug__regex=r"^[a-z][a-z0-9-]{0,49}$"),
                name="application_slug_form",
                violation_error_message="A slug is 1 to 50 small letters, digits and dashes, a letter first.",
            ),
            models.CheckConstraint(
                condition=Q(directory_id__isnull=True) | Q(granted_scopes__isnull=False),
                name="application_linked_has_bounds",
            ),
        ]

    def __str__(self) -> str:
        return self.name
