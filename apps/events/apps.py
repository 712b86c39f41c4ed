"""Configuration of the events app."""

from importlib import import_module

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "apps.events"
    label = "events"
    verbose_name = "Events and webhooks"

    def ready(self) -> None:
        """Register the tasks in every process: whoever publishes wakes the relay by its name."""
        import_module("apps.events.tasks")
