"""The audit log: what is looked for in it, one record with what it changed, and the whole as a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.audit.contracts import Wanted
from apps.jobs.contracts import NewAuditExport
from apps.jobs.services import audit_exports
from apps.kit import dialogs, errors
from apps.kit.actors import ActorKind
from apps.kit.dialogs import Answer, Content, Dialog, Effect, button
from apps.kit.models import is_storable
from apps.portal.forms import DayField
from apps.portal.pages import frame
from apps.portal.selectors import audit

PERMISSION = audit_exports.PERMISSION
REFUSED = 422
LONGEST = 128


class AuditForm(forms.Form):
    """Which records; what is empty narrows nothing. The choices are those of the reader's organisation and branches."""

    text = forms.CharField(
        label=gettext_lazy("Search"),
        required=False,
        max_length=LONGEST,
        help_text=gettext_lazy("Words of the reason, or a whole identifier."),
    )
    who = forms.ChoiceField(label=gettext_lazy("Who"), required=False)
    action = forms.ChoiceField(label=gettext_lazy("Action"), required=False)
    type = forms.ChoiceField(label=gettext_lazy("Object"), required=False)
    object_id = forms.CharField(label=gettext_lazy("Object's identifier"), required=False, max_length=LONGEST)
    from_date = DayField(gettext_lazy("From"))
    to_date = DayField(gettext_lazy("To"))
    request_id = forms.CharField(label=gettext_lazy("Request"), required=False, max_length=LONGEST)
    branch = forms.ChoiceField(label=gettext_lazy("Branch"), required=False)

    def __init__(self, data: Any, *, choices: Mapping[str, list[tuple[str, str]]]) -> None:
        super().__init__(data)
        self.known = {name: dict(known) for name, known in choices.items()}
        for name, known in choices.items():
            cast(forms.ChoiceField, self.fields[name]).choices = [("", _("All")), *known]
        for name in self.fields:
            dialogs.dress(self, name)

    def clean(self) -> dict[str, Any]:
        asked = self.cleaned_data
        for name in ("text", "object_id", "request_id"):
            if not is_storable(asked.get(name, "")):
                self.add_error(name, _("This text cannot be searched for."))
        if asked.get("from_date") and asked.get("to_date") and asked["from_date"] > asked["to_date"]:
            self.add_error("from_date", _("The first day is after the last one."))
        return asked

    def wanted(self) -> Wanted:
        asked = self.cleaned_data
        is_kind = asked["who"] in {kind.value for kind in ActorKind}
        last: date | None = asked["to_date"]
        return Wanted(
            person="" if is_kind else asked["who"],
            kind=asked["who"] if is_kind else "",
            action=asked["action"],
            object_type=asked["type"],
            object_id=asked["object_id"],
            request_id=asked["request_id"],
            branch=asked["branch"],
            text=asked["text"],
            since=_midnight(asked["from_date"]),
            until=_midnight(last + timedelta(days=1)) if last else None,
        )

    def said(self) -> str:
        """Return what narrows the list, each in its word."""
        if not self.is_valid():
            return _("All records")
        chosen = [
            f"{self.fields[name].label}: {self.known.get(name, {}).get(value, value)}"
            for name in self.fields
            if (value := self.cleaned_data.get(name))
        ]
        return ", ".join(chosen) or _("All records")


@frame.page(PERMISSION)
def show(request: HttpRequest) -> HttpResponse:
    """Answer with a page of records, newest first."""
    form = AuditForm(request.GET, choices=audit.choices(request.user))
    rows: list[audit.AuditLine] = []
    pages = frame.Pages()
    if form.is_valid():
        shown, pages = frame.keyset(request, audit.rows(request.user, form.wanted()))
        rows = audit.lines(shown)
    kept = {name: value for name, value in request.GET.items() if name not in {"before", "after"} and value}
    return frame.render(
        request,
        "portal/audit.html",
        title=_("Audit log"),
        status=200 if form.is_valid() else REFUSED,
        form=form,
        said=form.said(),
        rows=rows,
        is_filtered=bool(kept),
        pages=pages,
        query=urlencode(kept),
        page_buttons=button(
            request, ExportAudit, None, f"{reverse('portal-audit-export')}?{urlencode(kept)}"
        ),
    )


@frame.page(PERMISSION)
def record(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """Answer with one record."""
    found = audit.page(record_id, request.user)
    of_object = {"type": found.record.object_type, "object_id": found.record.object_id}
    return frame.render(
        request,
        "portal/audit_record.html",
        title=found.line.title,
        crumbs=[frame.Crumb(_("Audit log"), reverse("portal-audit"))],
        page=found,
        same_request=urlencode({"request_id": found.record.request_id}) if found.record.request_id else "",
        same_object=urlencode(of_object),
        object_url=_url(found.place),
        approval_url=_url(found.approval),
    )


@dataclass(frozen=True, slots=True)
class WantedFile:
    """The days of which somebody wants the trail as a file."""

    pk: str
    request: NewAuditExport


class ExportAudit(Dialog):
    """Take the records of some days away, as a file that can be verified without the treasury."""

    name = "export"
    label = gettext_lazy("Export…")
    icon = "download"
    permission = "jobs.export"
    job_id: Any = None

    def content(self, request: HttpRequest, rows: Sequence[WantedFile]) -> Content:  # noqa: ARG002 (the row says all)
        asked = rows[0].request
        return Content(
            title=_("Export the audit log"),
            button=_("Export"),
            about=_(
                "All records of these days, whatever else the list is narrowed to: the chain has no gaps."
            ),
            effects=[
                Effect(_("From"), _day(asked.from_date) or _("the first record")),
                Effect(_("To"), _day(asked.to_date) or _("now")),
            ],
            next_step=_(
                "A job seals what waits and writes the file with its manifest; tools/verify_audit.py checks it."
            ),
        )

    def act(self, row: WantedFile, answer: Answer) -> str:
        job = audit_exports.start(
            request=row.request, caller=answer.request.user, actor=answer.actor, now=answer.now
        )
        self.job_id = job.id
        return _("The file is being made.")

    def landing(self, request: HttpRequest, rows: Sequence[WantedFile]) -> str:  # noqa: ARG002 (the job's page)
        return reverse("portal-job", args=[self.job_id])


def find(request: HttpRequest) -> WantedFile:
    """Return what the list's address asks for; raise Forbidden for who may not read it."""
    if not request.user.has_perm(PERMISSION):
        raise errors.Forbidden(_("Your role may not read the audit log."))
    form = AuditForm(request.GET, choices=audit.choices(request.user))
    days = form.cleaned_data if form.is_valid() else {}
    asked = NewAuditExport(days.get("from_date"), days.get("to_date"))
    return WantedFile("audit", asked)


def _url(place: audit.Place | None) -> str:
    return reverse(place.url_name, args=[place.id]) if place else ""


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _midnight(day: date | None) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time.min)) if day else None


urlpatterns = [
    path("audit/", show, name="portal-audit"),
    path(
        "audit/do/export/",
        frame.dialog(ExportAudit, find=find, back=lambda: reverse("portal-audit")),
        name="portal-audit-export",
    ),
    path("audit/<uuid:record_id>/", record, name="portal-audit-record"),
]
