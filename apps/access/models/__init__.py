"""Tables of access."""

from apps.access.models.access_token import AccessToken
from apps.access.models.api_key import ApiKey
from apps.access.models.application import Application
from apps.access.models.branch import Branch
from apps.access.models.branch_external_id import BranchExternalId
from apps.access.models.idempotency import IdempotencyRecord
from apps.access.models.membership import Membership
from apps.access.models.portal_session import PortalSession
from apps.access.models.role import Role, RoleLimit

__all__ = [
    "AccessToken",
    "ApiKey",
    "Application",
    "Branch",
    "BranchExternalId",
    "IdempotencyRecord",
    "Membership",
    "PortalSession",
    "Role",
    "RoleLimit",
]
