"""The directory in the platform's site: which applications registered, and which organisations they ask for."""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html
from apps.tenancy.contracts import ApplicationKind, ApplicationStatus, OrganisationRequestStatus
from apps.tenancy.models import OrganisationRequest, RegisteredApplication
from treasury.platform.application_dialogs import (
    AcceptApplication,
    AgreeToOrganisation,
    RefuseApplication,
    RefuseOrganisation,
    ResumeApplication,
    SuspendApplication,
)
from treasury.platform.site import site

APPLICATION = {
    ApplicationStatus.PENDING: ("held", "pending", gettext_lazy("Waits for you")),
    ApplicationStatus.ACCEPTED: ("done", "check_circle", gettext_lazy("Accepted")),
    ApplicationStatus.REFUSED: ("quiet", "block", gettext_lazy("Refused")),
    ApplicationStatus.SUSPENDED: ("failed", "pause_circle", gettext_lazy("Suspended")),
}
REQUEST = {
    OrganisationRequestStatus.PENDING: ("held", "pending", gettext_lazy("Waits for you")),
    OrganisationRequestStatus.ACCEPTED: ("done", "check_circle", gettext_lazy("Agreed")),
    OrganisationRequestStatus.REFUSED: ("quiet", "block", gettext_lazy("Refused")),
    OrganisationRequestStatus.WITHDRAWN: ("quiet", "undo", gettext_lazy("Withdrawn")),
    OrganisationRequestStatus.EXPIRED: ("quiet", "timer_off", gettext_lazy("Expired")),
}


@admin.register(RegisteredApplication, site=site)
class RegisteredApplicationAdmin(ReadOnlyAdmin):
    """Who registered; of the directory secret nothing is shown but how it begins."""

    list_display = ["name", "what", "state", "homepage", "contact_email", "registered"]
    list_filter = ["status", "kind"]
    search_fields: ClassVar[list[str]] = ["name", "contact_email"]
    fields = [
        "name",
        "what",
        "state",
        "homepage",
        "contact_email",
        "prefix",
        "registered",
        "decided",
        "reason",
    ]
    dialogs = (AcceptApplication, RefuseApplication, SuspendApplication, ResumeApplication)

    @admin.display(description=gettext_lazy("Kind"))
    def what(self, application: RegisteredApplication) -> str:
        return _("Product") if application.kind == ApplicationKind.PRODUCT else _("Partner")

    @admin.display(description=gettext_lazy("State"))
    def state(self, application: RegisteredApplication) -> SafeString:
        tone, icon, word = APPLICATION[ApplicationStatus(application.status)]
        return badge(tone, icon, str(word))

    @admin.display(description=gettext_lazy("Registered"))
    def registered(self, application: RegisteredApplication) -> SafeString:
        return local_time_html(application.created_at)

    @admin.display(description=gettext_lazy("Decided"))
    def decided(self, application: RegisteredApplication) -> SafeString:
        return local_time_html(application.decided_at)


@admin.register(OrganisationRequest, site=site)
class OrganisationRequestAdmin(ReadOnlyAdmin):
    """Organisations that applications asked for: test ones made by themselves, live ones that wait for the staff."""

    list_display = ["name", "slug", "environment", "state", "application", "owner_email", "asked"]
    list_select_related: ClassVar[list[str]] = ["application"]
    list_filter = ["status", "is_test"]
    search_fields: ClassVar[list[str]] = ["name", "slug", "owner_email"]
    fields = [
        "name", "slug", "environment", "state", "application", "owner_name", "owner_email", "may", "message", "asked",
        "reason",
    ]  # fmt: skip
    dialogs = (AgreeToOrganisation, RefuseOrganisation)

    def get_queryset(self, request: HttpRequest) -> object:
        return super().get_queryset(request).select_related("application")

    @admin.display(description=gettext_lazy("State"))
    def state(self, request: OrganisationRequest) -> SafeString:
        tone, icon, word = REQUEST[OrganisationRequestStatus(request.status)]
        return badge(tone, icon, str(word))

    @admin.display(description=gettext_lazy("Environment"))
    def environment(self, request: OrganisationRequest) -> str:
        return _("Test") if request.is_test else _("Live")

    @admin.display(description=gettext_lazy("The application may"))
    def may(self, request: OrganisationRequest) -> str:
        return ", ".join(request.scopes)

    @admin.display(description=gettext_lazy("Asked"))
    def asked(self, request: OrganisationRequest) -> SafeString:
        return local_time_html(request.created_at)
