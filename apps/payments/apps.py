"""Django's configuration of the app."""

from importlib import import_module

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "apps.payments"
    label = "payments"
    verbose_name = "Payments"

    def ready(self) -> None:
        """Register the tasks in every process: services start them by name. And what transactions name as their source."""
        import_module("apps.payments.tasks")
        import_module("apps.payments.selectors.sources")
