"""Reading what became of an organisation's own row and its domains."""

from uuid import UUID

from django.db.models import Q, QuerySet

from apps.tenancy.models import OrganisationHistory

TABLE = "tenancy_organisation"


def of(organisation_id: UUID) -> QuerySet[OrganisationHistory]:
    """Return what became of the organisation and of its domains, newest first."""
    key = str(organisation_id)
    return OrganisationHistory.objects.filter(Q(table_name=TABLE, row_id=key) | Q(owner_id=key)).order_by(
        "-number"
    )
