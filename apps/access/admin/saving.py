"""What the pages of access share: a save is one service call."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.access.admin_sites import OrganisationModelAdmin
from apps.kit import errors


def person(request: HttpRequest) -> AbstractBaseUser:
    """Return who is signed in: the site lets nobody else in."""
    return cast(AbstractBaseUser, request.user)


class ServiceAdmin(OrganisationModelAdmin):
    """
    A page whose save is one service call (``perform``); nothing is ever deleted.

    A refusal of the service is shown, and nothing is kept.
    """

    def perform(self, request: HttpRequest, row: Any, form: Form) -> None:
        """Do what the form asks, and give ``row`` the key of what came of it."""
        raise NotImplementedError

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except errors.DomainError as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Any, form: Form, change: bool) -> None:  # noqa: ARG002, FBT001 (Django's signature)
        self.perform(request, obj, form)

    def save_related(self, request: HttpRequest, form: Form, formsets: Any, change: bool) -> None:  # noqa: FBT001 (Django's signature)
        """Do nothing: the service has written the related rows."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 (never)
        return False
