"""Django's configuration of the toolkit: it has no models."""

from django.apps import AppConfig


class KitConfig(AppConfig):
    name = "apps.kit"
    label = "kit"
    verbose_name = "Toolkit"
