"""Reading roles."""

from uuid import UUID

from apps.access.models import Role


def codes() -> set[str]:
    """Return the codes of all roles."""
    return set(Role.objects.values_list("code", flat=True))


def names(*, having: str = "") -> dict[str, str]:
    """Return the name of each role by its code; with a permission only of the roles that have it."""
    roles = Role.objects.filter(permissions__contains=[having]) if having else Role.objects.all()
    return dict(roles.order_by("name").values_list("code", "name"))


def named() -> dict[UUID, str]:
    """Return the name of each role by its id."""
    return dict(Role.objects.values_list("id", "name"))


def in_use() -> list[Role]:
    """Return the roles that are given still, by name."""
    return list(Role.objects.filter(retired_at__isnull=True).order_by("name"))
