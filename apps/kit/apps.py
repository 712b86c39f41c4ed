"""Django's configuration of the toolkit: it has no models."""

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created

PREPARED_AT_MOST = 500
"""Statements that psycopg keeps for one connection: all hot ones, each for the few kinds of values that it comes with."""


class KitConfig(AppConfig):
    name = "apps.kit"
    label = "kit"
    verbose_name = "Toolkit"

    def ready(self) -> None:
        connection_created.connect(_keep_statements, dispatch_uid="kit.keep_statements")


def _keep_statements(*, connection: Any, **_: object) -> None:
    connection.connection.prepared_max = PREPARED_AT_MOST
