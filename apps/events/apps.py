"""Configuration of the events app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class EventsConfig(AppConfig):
    name = "apps.events"
    label = "events"
    verbose_name = "Events and webhooks"

    def ready(self) -> None:
        """Fill the catalogue: every app declares its event types in a module named events."""
        autodiscover_modules("events")
