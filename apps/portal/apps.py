"""The portal as a Django app: pages, template tags, and how people like to see its lists; no models of money."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "apps.portal"
    label = "portal"
