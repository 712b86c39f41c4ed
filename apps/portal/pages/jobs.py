"""Long work: the page of a job, its progress that is asked for again and again, and its file."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.access.selectors import memberships
from apps.jobs.services.jobs import ResultExpired, ResultMissing
from apps.kit import clock, downloads
from apps.kit.storage import FileDamaged
from apps.portal.pages import frame
from apps.portal.selectors import jobs as job_pages

PERMISSION = "jobs.export"


@frame.page(PERMISSION)
def show(request: HttpRequest, job_id: UUID) -> HttpResponse:
    job = job_pages.page(job_id, request.user, now=clock.now())
    return frame.render(
        request,
        "portal/job.html",
        title=job.title,
        crumbs=[frame.Crumb(_("Jobs"), reverse("admin:jobs_job_changelist"))],
        job=job,
        page_buttons=frame.buttons(request, "jobs.Job", job_id) if job.may_stop else [],
    )


@frame.page(PERMISSION)
def progress(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Answer with the card of the progress alone; once the job has ended the whole page is asked for again."""
    job = job_pages.page(job_id, request.user, now=clock.now())
    response = render(request, "portal/parts/job_progress.html", {"job": job})
    if not job.is_live:
        response["HX-Refresh"] = "true"
    return response


@frame.page(PERMISSION)
def result(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """Stream the file as a download, its SHA-256 as ETag, or lead to a link that gives it out."""
    try:
        file = job_pages.result(job_id, request.user, actor=memberships.actor(request.user), now=clock.now())
    except (ResultMissing, ResultExpired, FileDamaged) as refusal:
        return frame.render(
            request,
            "portal/refusal.html",
            title=_("File"),
            status=refusal.status,
            refusal_icon="download_off",
            sentence=refusal.detail,
            advice=_("Start the job again for a new file."),
        )
    return downloads.answer(
        file.content, name=file.name, content_type=file.content_type, size=file.size, sha256=file.sha256
    )
