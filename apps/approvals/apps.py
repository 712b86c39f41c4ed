"""Django's configuration of the app."""

from importlib import import_module

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    name = "apps.approvals"
    label = "approvals"
    verbose_name = "Approvals"

    def ready(self) -> None:
        """Register the tasks in every process: services start them by name."""
        import_module("apps.approvals.tasks")
