"""Django's configuration of the composition root: system checks and the portal's admin modules."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig, apps


class TreasuryConfig(AppConfig):
    """Loads what belongs to no single app."""

    name = "treasury"
    verbose_name = "Treasury"

    def ready(self) -> None:
        """Register the system checks, and our apps' events, exports, tasks and admin modules (no third-party ones)."""
        import_module("treasury.checks")
        for config in apps.get_app_configs():
            for module in ("events", "exports", "tasks", "admin"):
                if (
                    config.name.startswith("apps.")
                    and config.name != "apps.kit"
                    and find_spec(f"{config.name}.{module}")
                ):
                    import_module(f"{config.name}.{module}")
