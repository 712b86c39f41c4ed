"""Keeping the index of who is a member where, as memberships start and end."""

from typing import Any
from uuid import UUID

from apps.tenancy.models import UserOrganisation
from apps.tenancy.selectors import organisations


def keep(*, user_id: UUID, is_member: bool) -> None:
    """Note that a person is or is no longer a member of the present organisation; safe to repeat."""
    row: dict[str, Any] = {"user_id": user_id, "organisation_id": organisations.current().id}
    if is_member:
        UserOrganisation.objects.get_or_create(**row)
    else:
        UserOrganisation.objects.filter(**row).delete()
