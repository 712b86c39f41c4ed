"""Django's configuration of tenancy."""

from django.apps import AppConfig


class TenancyConfig(AppConfig):
    """Lets the tenant migrations see triggers: django-tenants' command has its own copy of the autodetector."""

    name = "apps.tenancy"
    label = "tenancy"
    verbose_name = "Organisations"

    def ready(self) -> None:
        from django.core.management.commands import makemigrations  # noqa: PLC0415 (after the apps are loaded)
        from django_tenants.management.commands.migrate_schemas import MigrateSchemasCommand  # noqa: PLC0415

        MigrateSchemasCommand.autodetector = makemigrations.Command.autodetector
