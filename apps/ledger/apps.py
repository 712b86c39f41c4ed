"""The ledger as a Django app."""

from importlib import import_module

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "apps.ledger"
    label = "ledger"
    verbose_name = "Ledger"

    def ready(self) -> None:
        """Register what transactions name as their source."""
        import_module("apps.ledger.selectors.sources")
