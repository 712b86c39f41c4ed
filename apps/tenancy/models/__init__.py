"""Models of tenancy."""

from apps.tenancy.models.data_key import DataKey
from apps.tenancy.models.handover import Handover
from apps.tenancy.models.organisation import Domain, Organisation, OrganisationStatus
from apps.tenancy.models.snapshot import SchemaSnapshot
from apps.tenancy.models.user_organisation import UserOrganisation

__all__ = [
    "DataKey",
    "Domain",
    "Handover",
    "Organisation",
    "OrganisationStatus",
    "SchemaSnapshot",
    "UserOrganisation",
]
