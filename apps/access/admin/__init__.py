"""Branches, applications, roles, the team and API keys in the organisation's site; every change is one service call."""

from apps.access.admin.applications import ApplicationAdmin
from apps.access.admin.branches import BranchAdmin
from apps.access.admin.keys import ApiKeyAdmin
from apps.access.admin.roles import RoleAdmin
from apps.access.admin.team import MembershipAdmin

__all__ = ["ApiKeyAdmin", "ApplicationAdmin", "BranchAdmin", "MembershipAdmin", "RoleAdmin"]
