"""Models of tenancy."""

from apps.tenancy.models.data_key import DataKey
from apps.tenancy.models.grant_change import GrantChange
from apps.tenancy.models.handover import Handover
from apps.tenancy.models.invite import Invite
from apps.tenancy.models.link_request import LinkRequest
from apps.tenancy.models.offboarding import Offboarding
from apps.tenancy.models.organisation import Domain, Organisation, OrganisationStatus
from apps.tenancy.models.organisation_history import OrganisationHistory
from apps.tenancy.models.organisation_request import OrganisationRequest
from apps.tenancy.models.provisioning import Provisioning
from apps.tenancy.models.registered_application import RegisteredApplication
from apps.tenancy.models.snapshot import SchemaSnapshot
from apps.tenancy.models.user_organisation import UserOrganisation

__all__ = [
    "DataKey",
    "Domain",
    "GrantChange",
    "Handover",
    "Invite",
    "LinkRequest",
    "Offboarding",
    "Organisation",
    "OrganisationHistory",
    "OrganisationRequest",
    "OrganisationStatus",
    "Provisioning",
    "RegisteredApplication",
    "SchemaSnapshot",
    "UserOrganisation",
]
