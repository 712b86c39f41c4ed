"""Models of tenancy."""

from apps.tenancy.models.data_key import DataKey
from apps.tenancy.models.organisation import Domain, Organisation, OrganisationStatus
from apps.tenancy.models.snapshot import SchemaSnapshot

__all__ = ["DataKey", "Domain", "Organisation", "OrganisationStatus", "SchemaSnapshot"]
