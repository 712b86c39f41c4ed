"""The portal as a Django app: template tags and pages, no models."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "apps.portal"
    label = "portal"
