"""Reading roles."""

from apps.access.models import Role


def codes() -> set[str]:
    """Return the codes of all roles."""
    return set(Role.objects.values_list("code", flat=True))


def names() -> dict[str, str]:
    """Return the name of each role by its code."""
    return dict(Role.objects.order_by("name").values_list("code", "name"))
