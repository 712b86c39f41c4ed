"""Django's configuration of the app."""

from importlib import import_module

from django.apps import AppConfig


class DisbursementsConfig(AppConfig):
    name = "apps.disbursements"
    label = "disbursements"
    verbose_name = "Disbursements"

    def ready(self) -> None:
        """Register the tasks in every process: services start them by name. And what transactions name as their source."""
        import_module("apps.disbursements.tasks")
        import_module("apps.disbursements.selectors.sources")
