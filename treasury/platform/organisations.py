"""Organisations in the platform's site: whether they work, who is in them, where they are served."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html
from apps.tenancy.models import Domain, Organisation, OrganisationStatus, UserOrganisation
from treasury.platform.dialogs import RequireSecondFactor, WaiveSecondFactor
from treasury.platform.site import site

BADGES = {
    OrganisationStatus.PROVISIONING: ("pending", "hourglass_top", gettext_lazy("Being set up")),
    OrganisationStatus.READY: ("done", "check_circle", gettext_lazy("Ready")),
    OrganisationStatus.SUSPENDED: ("held", "pause_circle", gettext_lazy("Suspended")),
}


@admin.register(Organisation, site=site)
class OrganisationAdmin(ReadOnlyAdmin):
    """Which organisations there are; they are opened and their first people let in by commands of the operators."""

    list_display = ["name", "slug", "state", "environment", "members", "hosts", "second_factor", "created"]
    list_filter = ["status", "is_test"]
    search_fields = ["name", "slug"]
    fields = [
        "name", "slug", "state", "environment", "members", "hosts", "second_factor", "schema_name", "base_currency",
        "time_zone", "created",
    ]  # fmt: skip
    dialogs = (RequireSecondFactor, WaiveSecondFactor)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organisation]:
        members = (
            UserOrganisation.objects.filter(organisation_id=OuterRef("pk"))
            .order_by()
            .values("organisation_id")
            .annotate(count=Count("id"))
            .values("count")
        )
        rows = super().get_queryset(request).exclude(schema_name="public")
        return rows.annotate(member_count=Coalesce(Subquery(members), 0)).prefetch_related("domains")

    @admin.display(description=gettext_lazy("State"))
    def state(self, organisation: Organisation) -> SafeString:
        tone, icon, word = BADGES[OrganisationStatus(organisation.status)]
        return badge(tone, icon, str(word))

    @admin.display(description=gettext_lazy("Environment"))
    def environment(self, organisation: Organisation) -> str:
        return _("Test") if organisation.is_test else _("Live")

    @admin.display(description=gettext_lazy("Members"))
    def members(self, organisation: Any) -> int:
        return organisation.member_count

    @admin.display(description=gettext_lazy("Hosts"))
    def hosts(self, organisation: Organisation) -> str:
        return ", ".join(sorted(domain.domain for domain in organisation.domains.all()))

    @admin.display(description=gettext_lazy("Second factor"))
    def second_factor(self, organisation: Organisation) -> str:
        return _("Required") if organisation.requires_second_factor else _("As each likes")

    @admin.display(description=gettext_lazy("Opened"))
    def created(self, organisation: Organisation) -> SafeString:
        return local_time_html(organisation.created_at)


@admin.register(Domain, site=site)
class DomainAdmin(ReadOnlyAdmin):
    """The host names that lead to organisations."""

    list_display = ["domain", "tenant", "is_primary"]
    list_select_related = ["tenant"]
