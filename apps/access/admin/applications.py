"""Applications in the organisation's site."""

from django.contrib import admin
from django.forms import Form
from django.http import HttpRequest

from apps.access.admin.saving import ServiceAdmin, person
from apps.access.models import Application
from apps.access.selectors import memberships as team
from apps.access.services import applications
from apps.kit import clock


@admin.register(Application)
class ApplicationAdmin(ServiceAdmin):
    """Applications are registered here; they never change."""

    list_display = ["name", "slug", "created_at"]
    fields = ["slug", "name"]

    def has_change_permission(self, request: HttpRequest, obj: Application | None = None) -> bool:  # noqa: ARG002 (never)
        return False

    def perform(self, request: HttpRequest, row: Application, form: Form) -> None:
        row.pk = applications.create(
            **form.cleaned_data, actor=team.actor(person(request)), now=clock.now()
        ).pk
