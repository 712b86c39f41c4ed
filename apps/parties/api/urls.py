"""Addresses of the parties API."""

from rest_framework.routers import BaseRouter

from apps.parties.api import views


def register(router: BaseRouter) -> None:
    """Add the resources of this app to the router of the API."""
    router.register("parties", views.PartyViewSet, basename="party")
