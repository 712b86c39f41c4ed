"""The list of jobs in the organisation's admin; each opens its own page."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from apps.jobs.contracts import KINDS, JobStatus
from apps.jobs.dialogs import StopJob
from apps.jobs.models import Job
from apps.jobs.selectors import jobs
from apps.jobs.services.exports import PERMISSION
from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html

BADGES: Mapping[JobStatus, tuple[str, str, Any]] = {
    JobStatus.QUEUED: ("pending", "hourglass_top", _("Waiting")),
    JobStatus.RUNNING: ("pending", "sync", _("Running")),
    JobStatus.SUCCEEDED: ("done", "check_circle", _("Done")),
    JobStatus.FAILED: ("failed", "cancel", _("Failed")),
    JobStatus.CANCELLED: ("quiet", "block", _("Stopped")),
}


class StatusFilter(DropdownFilter):
    title = _("Status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return [(status.value, BADGES[status][2]) for status in JobStatus]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:  # noqa: ARG002 (Django's signature)
        return queryset.filter(status=self.value()) if self.value() else queryset


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """A person's own jobs, and with the permission those of others, newest first."""

    own_page = "portal-job"
    list_display = ["created_column", "title_column", "starter_column", "progress_column", "status_column"]
    list_display_links = ["title_column"]
    list_filter = [StatusFilter]
    list_filter_submit = True
    dialogs = [StopJob]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return jobs.visible_to(request.user).select_related("starter__user", "application")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 (the rows are chosen in get_queryset)
        return request.user.has_perm(PERMISSION)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    @admin.display(description=_("Started"))
    def created_column(self, job: Job) -> SafeString:
        return local_time_html(job.created_at, seconds=True)

    @admin.display(description=_("Job"))
    def title_column(self, job: Job) -> SafeString:
        kind = KINDS[job.kind].title if job.kind in KINDS else job.kind
        return format_html('<span class="two"><b>{}</b><span>{}</span></span>', job.title, kind)

    @admin.display(description=_("By"))
    def starter_column(self, job: Job) -> str:
        return str(job.starter.user) if job.starter else job.application.name

    @admin.display(description=_("Progress"))
    def progress_column(self, job: Job) -> SafeString:
        shown = f"{job.done:,}" if job.total is None else f"{job.done:,} / {job.total:,}"
        return format_html('<span class="t-num">{}</span>', shown)

    @admin.display(description=_("Status"))
    def status_column(self, job: Job) -> SafeString:
        return badge(*BADGES[JobStatus(job.status)])
