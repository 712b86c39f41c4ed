"""The migrations of this build, and those that the public schema lacks."""

import pkgutil
from functools import cache
from pathlib import Path

from django.apps import apps
from django.db import connection

Migration = tuple[str, str]
NOT_MIGRATIONS = ("_", "~")


@cache
def of_build() -> frozenset[Migration]:
    """Return every migration that this build brings, by app and name; they are counted, not loaded."""
    return frozenset(
        (config.label, module.name)
        for config in apps.get_app_configs()
        for module in pkgutil.iter_modules([str(Path(config.path) / "migrations")])
        if not module.ispkg and not module.name.startswith(NOT_MIGRATIONS)
    )


def missing() -> frozenset[Migration]:
    """Return those that public lacks: none once the migrate job of this build has run, or that of a later one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM public.django_migrations")
        return of_build() - frozenset(cursor.fetchall())
