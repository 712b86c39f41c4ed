"""What people do with long work: take a list away as a file, and stop a job."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.utils import parse_date_str

from apps.jobs.contracts import SOURCES, FileFormat, NewExport, Source
from apps.jobs.forms import ExportForm
from apps.jobs.models import Job
from apps.jobs.selectors import export_requests
from apps.jobs.selectors import jobs as visible_jobs
from apps.jobs.services import exports, jobs
from apps.kit import errors, list_views, redaction, typed_cards
from apps.kit.dialogs import Answer, Content, Dialog, Effect, Notice

NO_FILTERS = frozenset({*list_views.NOT_KEPT, "o", "all"})
"""What the address of a list may say that is no filter: its view, page and order."""


class StopJob(Dialog):
    """End a job before it is done; his own, or with ``jobs.cancel`` anybody's."""

    name = "stop"
    label = gettext_lazy("Stop…")
    icon = "stop_circle"
    permission = exports.PERMISSION
    is_danger = True

    def is_offered(self, row: Job) -> bool:
        return row.is_stoppable and row.cancel_requested_at is None

    def content(self, request: HttpRequest, rows: Sequence[Job]) -> Content:  # noqa: ARG002 (the row says all)
        job = rows[0]
        return Content(
            title=_("Stop “%(job)s”") % {"job": job.title},
            button=_("Stop the job"),
            effects=[Effect(_("Done so far"), str(job.done), is_live=True)],
            next_step=_("It ends after the part that runs now. What was done stays; a file is not made."),
        )

    def act(self, row: Job, answer: Answer) -> str:
        if not visible_jobs.may_stop(answer.request.user, row):
            raise errors.Forbidden(_("Somebody else started this job, and your role may not stop it."))
        stopped = jobs.cancel(job_id=row.id, actor=answer.actor, now=answer.now)
        if stopped.is_live:
            return _("%(job)s: stops after the part that runs now.") % {"job": row}
        return _("%(job)s: stopped.") % {"job": row}


class ExportList(Dialog):
    """Take away what a list shows, with the filters that it has; ``source`` names the list."""

    source: ClassVar[str]
    name = "export"
    label = gettext_lazy("Export…")
    icon = "download"
    permission = exports.PERMISSION
    on_page = False
    on_list = True
    form_class = ExportForm
    job: Job | None = None

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the whole list)
        source = SOURCES[self.source]
        title = _("Export “%(list)s”") % {"list": source.title}
        try:
            asked = from_list(source, request.GET)
        except export_requests.ExportFilterInvalid as refusal:
            return Content(
                title=title,
                button=_("Export"),
                notices=[Notice(_("This list cannot be exported as it is filtered"), refusal.detail)],
            )
        lines = export_requests.summary(source, asked, request.user)
        return Content(
            title=title,
            button=_("Export"),
            effects=[Effect(label, text) for label, text in lines],
            next_step=_("A job writes the file, with its control totals. You can leave the page meanwhile."),
        )

    def perform(self, rows: Sequence[Any], answer: Answer) -> list[str]:  # noqa: ARG002 (the whole list)
        request = replace(
            from_list(SOURCES[self.source], answer.request.GET),
            file_format=FileFormat(answer.data["file_format"]),
            with_bom=answer.data["with_bom"],
        )
        self.job = exports.start(
            request=request, caller=answer.request.user, actor=answer.actor, now=answer.now
        )
        return [_("The export has started.")]

    def landing(self, request: HttpRequest, rows: Sequence[Any]) -> str:  # noqa: ARG002 (the job's page)
        return reverse("portal-job", args=[self.job.id]) if self.job else ""


@cache
def export_of(source: str) -> type[Dialog]:
    """Return the dialog that exports this list; named in the settings for the lists of other apps."""
    return type("ExportList", (ExportList,), {"source": source, "__module__": __name__})


def from_list(source: Source, query: QueryDict) -> NewExport:
    """
    Return the export of what a list shows at this address; raise ExportFilterInvalid for what cannot be kept.

    A filter that is not understood is refused: to ignore it would export more than the list shows.
    """
    found: dict[str, Any] = {"choices": {}}
    for name in query:
        text = str(query[name])
        if name in NO_FILTERS or not text:
            continue
        place = source.list_names.get(name)
        match place:
            case None:
                raise export_requests.ExportFilterInvalid(
                    f"/{name}", _("An export cannot keep the filter “%(name)s”.") % {"name": name}
                )
            case "search" if redaction.has_card(text):
                raise export_requests.ExportFilterInvalid(f"/{name}", typed_cards.said())
            case "search":
                found[place] = text
            case "branch_id":
                found[place] = _uuid(name, text)
            case "from_date" | "to_date":
                found[place] = _day(name, text)
            case _:
                found["choices"][place] = tuple(text.split(","))
    asked = NewExport(source.name, **found)
    export_requests.check(source, asked)
    return asked


def _uuid(name: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise export_requests.ExportFilterInvalid(f"/{name}", _("There is no such branch.")) from None


def _day(name: str, text: str) -> date:
    """Read a day as the list's filter does, or the instant at which a saved view begins."""
    typed = parse_date_str(text)
    if typed is not None:
        return date(typed.year, typed.month, typed.day)
    try:
        return timezone.localtime(datetime.fromisoformat(text)).date()
    except ValueError:
        raise export_requests.ExportFilterInvalid(
            f"/{name}", _("“%(text)s” is not a day.") % {"text": text}
        ) from None
