"""Reading the directory of registered applications."""

from uuid import UUID

from django.db.models import QuerySet

from apps.tenancy.contracts import ApplicationStatus
from apps.tenancy.models import RegisteredApplication

__all__ = ["RegisteredApplication", "by_prefix", "everything", "is_suspended", "suspended"]


def everything() -> QuerySet[RegisteredApplication]:
    """Return all registered applications; for the platform's own site."""
    return RegisteredApplication.objects.order_by("-id")


def by_prefix(prefix: str) -> RegisteredApplication | None:
    return RegisteredApplication.objects.filter(prefix=prefix).first()


def is_suspended(application_id: UUID) -> bool:
    """Say whether the platform has closed a registered application: then its keys open nothing anywhere."""
    return RegisteredApplication.objects.filter(
        id=application_id, status=ApplicationStatus.SUSPENDED.value
    ).exists()


def suspended() -> set[UUID]:
    """Return the registered applications that the platform has closed, for lists that ask of many."""
    closed = RegisteredApplication.objects.filter(status=ApplicationStatus.SUSPENDED.value)
    return set(closed.values_list("id", flat=True))
