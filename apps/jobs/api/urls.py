"""Addresses of the jobs API."""

from rest_framework.routers import BaseRouter

from apps.jobs.api import views


def register(router: BaseRouter) -> None:
    """Add the resources of this app to the router of the API."""
    router.register("exports", views.ExportViewSet, basename="export")
    router.register("jobs", views.JobViewSet, basename="job")
