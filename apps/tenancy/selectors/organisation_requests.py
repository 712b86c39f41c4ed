"""Reading what registered applications wish for: new organisations, and how far they are."""

from uuid import UUID

from django.db.models import QuerySet

from apps.tenancy.models import OrganisationRequest
from apps.tenancy.selectors import provisionings

__all__ = ["OrganisationRequest", "everything", "of_application", "setting_up"]


def of_application(application_id: UUID) -> QuerySet[OrganisationRequest]:
    """Return the wishes of a registered application, the newest first."""
    return (
        OrganisationRequest.objects.select_related("link__organisation")
        .filter(application_id=application_id)
        .order_by("-id")
    )


def everything() -> QuerySet[OrganisationRequest]:
    """Return all of them, the newest first; for the platform's own site."""
    return OrganisationRequest.objects.select_related("application", "link__organisation").order_by("-id")


def setting_up(request: OrganisationRequest) -> list[provisionings.Step]:
    """Return how far the organisation is, step by step; nothing before it was agreed to."""
    if request.link is None or request.link.organisation_id is None:
        return []
    asked = provisionings.of_organisation(request.link.organisation_id)
    return provisionings.steps(asked) if asked else []
