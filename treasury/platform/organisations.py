"""Organisations in the platform's site: whether they work, who is in them, where they are served."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from apps.kit import downloads, storage
from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html
from apps.tenancy.models import (
    Domain,
    Offboarding,
    Organisation,
    OrganisationStatus,
    Provisioning,
    UserOrganisation,
)
from apps.tenancy.selectors import offboardings, provisionings
from apps.tenancy.services import archives
from treasury.platform import progress
from treasury.platform.dialogs import MANAGE, RequireSecondFactor, WaiveSecondFactor
from treasury.platform.end_dialogs import CallOffEnd, DownloadArchive, EndOrganisation, is_good
from treasury.platform.organisation_dialogs import (
    LimitRequests,
    OpenOrganisation,
    ResumeOrganisation,
    SuspendOrganisation,
    TryAgain,
)
from treasury.platform.site import site

BADGES = {
    OrganisationStatus.PROVISIONING: ("pending", "hourglass_top", gettext_lazy("Being set up")),
    OrganisationStatus.READY: ("done", "check_circle", gettext_lazy("Ready")),
    OrganisationStatus.ENDING: ("held", "event_busy", gettext_lazy("Ending")),
    OrganisationStatus.ENDED: ("quiet", "block", gettext_lazy("Ended")),
    OrganisationStatus.SUSPENDED: ("held", "pause_circle", gettext_lazy("Suspended")),
}


@admin.register(Organisation, site=site)
class OrganisationAdmin(ReadOnlyAdmin):
    """Which organisations there are, how far new ones are, and what is done with them."""

    list_display = ["name", "slug", "state", "environment", "members", "hosts", "second_factor", "created"]
    list_filter = ["status", "is_test"]
    search_fields = ["name", "slug"]
    fields = [
        "name", "slug", "state", "environment", "members", "hosts", "second_factor", "rates", "schema_name", "base_currency",
        "time_zone", "created", "end",
    ]  # fmt: skip
    dialogs = (
        OpenOrganisation,
        TryAgain,
        SuspendOrganisation,
        ResumeOrganisation,
        EndOrganisation,
        CallOffEnd,
        DownloadArchive,
        RequireSecondFactor,
        WaiveSecondFactor,
        LimitRequests,
    )

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "<uuid:key>/progress/",
            self.admin_site.admin_view(self._progress),
            name="tenancy_organisation_progress",
        )
        archive = path(
            "<uuid:key>/archive/download/",
            self.admin_site.admin_view(require_safe(self._archive)),
            name="tenancy_organisation_download",
        )
        return [own, archive, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: Organisation | None = None) -> list[str]:  # noqa: ARG002 (Django's signature)
        is_asked = obj is not None and provisionings.of_organisation(obj.pk) is not None
        return ["progress", *self.fields] if is_asked else [*self.fields]

    def _progress(self, request: HttpRequest, key: UUID) -> HttpResponse:
        asked = provisionings.of_organisation(key) if self.has_view_permission(request) else None
        if asked is None:
            raise Http404
        return progress.fragment(request, asked)

    def _archive(self, request: HttpRequest, key: UUID) -> HttpResponseBase:
        """Give out an archive to who was shown the link to it; the dialog before has asked, and kept, why."""
        asked = offboardings.of_organisation(key) if request.user.has_perm(MANAGE) else None
        if asked is None or asked.exported_at is None or not is_good(request, asked):
            raise Http404
        kept = offboardings.archive(asked)
        try:
            pieces = archives.read(organisation=asked.organisation, stored=kept)
        except (storage.FileDamaged, storage.StorageUnavailable) as refusal:
            messages.error(request, refusal.detail)
            return HttpResponseRedirect(reverse("platform:tenancy_organisation_change", args=[key]))
        name = f"{asked.organisation.slug}-{asked.exported_at:%Y-%m-%d}.zip"
        return downloads.answer(
            pieces, name=name, content_type=archives.ZIP, size=kept.size, sha256=kept.sha256
        )

    @admin.display(description=gettext_lazy("Setting up"))
    def progress(self, organisation: Organisation) -> SafeString | str:
        asked = provisionings.of_organisation(organisation.pk)
        return progress.card(asked) if asked else ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organisation]:
        members = (
            UserOrganisation.objects.filter(organisation_id=OuterRef("pk"))
            .order_by()
            .values("organisation_id")
            .annotate(count=Count("id"))
            .values("count")
        )
        rows = super().get_queryset(request).exclude(schema_name="public")
        failed = Exists(Provisioning.objects.filter(organisation_id=OuterRef("pk"), failed_at__isnull=False))
        archived = Exists(
            Offboarding.objects.filter(
                organisation_id=OuterRef("pk"), cancelled_at__isnull=True, exported_at__isnull=False
            )
        )
        ending = Exists(Offboarding.objects.live().filter(organisation_id=OuterRef("pk")))
        return rows.annotate(
            member_count=Coalesce(Subquery(members), 0),
            has_failed=failed,
            is_ending=ending,
            has_archive=archived,
        ).prefetch_related("domains")

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

    @admin.display(description=gettext_lazy("Requests a second"))
    def rates(self, organisation: Organisation) -> str:
        whole, money = organisation.requests_per_second, organisation.money_per_second
        said = _("%(rate)s together") % {"rate": whole} if whole else _("As many as anybody's")
        return f"{said}, {_('%(rate)s that move money') % {'rate': money}}" if money else said

    @admin.display(description=gettext_lazy("End"))
    def end(self, organisation: Organisation) -> SafeString | str:
        asked = offboardings.of_organisation(organisation.pk)
        if asked is None:
            return _("None planned")
        if asked.dropped_at is not None:
            return local_time_html(asked.dropped_at)
        state = _("exported") if asked.exported_at else _("to be exported")
        return format_html("{}, {}", local_time_html(asked.drop_after), state)

    @admin.display(description=gettext_lazy("Opened"))
    def created(self, organisation: Organisation) -> SafeString:
        return local_time_html(organisation.created_at)


@admin.register(Domain, site=site)
class DomainAdmin(ReadOnlyAdmin):
    """The host names that lead to organisations."""

    list_display = ["domain", "tenant", "is_primary"]
    list_select_related = ["tenant"]
