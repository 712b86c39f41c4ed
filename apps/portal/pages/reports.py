"""Reports of the ledger: each as a page at a date and as known at an instant, and the same table as a file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit import clock, errors
from apps.kit.dialogs import Answer, Button, Content, Dialog, Effect, button
from apps.ledger.selectors import balances, books
from apps.ledger.services import reports
from apps.ledger.services.reports import NewReport, ReportFormat, ReportName
from apps.portal.pages import frame
from apps.portal.pages.report_forms import FileForm, ReportForm, form_of
from apps.portal.selectors import general_ledger as ledger_pages
from apps.portal.selectors import reports as report_pages
from apps.portal.selectors import words

PERMISSION = reports.PERMISSION
REFUSED = 422
SLUGS = {
    ReportName.TRIAL_BALANCE: "trial-balance",
    ReportName.BALANCE_SHEET: "balance-sheet",
    ReportName.PROFIT_AND_LOSS: "profit-and-loss",
    ReportName.GENERAL_LEDGER: "general-ledger",
}
NAMES = {slug: name for name, slug in SLUGS.items()}


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the reports, at the dates of the one that is open."""

    title: str
    url: str
    is_active: bool


@frame.page(PERMISSION)
def trial_balance(request: HttpRequest) -> HttpResponse:
    return _show(request, ReportName.TRIAL_BALANCE)


@frame.page(PERMISSION)
def balance_sheet(request: HttpRequest) -> HttpResponse:
    return _show(request, ReportName.BALANCE_SHEET)


@frame.page(PERMISSION)
def profit_and_loss(request: HttpRequest) -> HttpResponse:
    return _show(request, ReportName.PROFIT_AND_LOSS)


@frame.page(PERMISSION)
def general_ledger(request: HttpRequest) -> HttpResponse:
    """Answer with some accounts and entries; a cursor that is none begins at the first account."""
    name = ReportName.GENERAL_LEDGER
    form = _form(request, name)
    asked = form.request(name) if form.is_valid() else None
    after = request.GET.get("after", "")
    return frame.render(
        request,
        "portal/general_ledger.html",
        title=str(report_pages.titles()[name]),
        status=200 if asked else REFUSED,
        tabs=tabs(SLUGS[name], report_pages.query(asked) if asked else ""),
        **_said(form),
        page=ledger_pages.page(asked, request.user, after=after) if asked else None,
        page_buttons=_download_button(request, name, report_pages.query(asked)) if asked else [],
    )


def _show(request: HttpRequest, name: ReportName) -> HttpResponse:
    """Answer with a report, or with its form and what is wrong in it."""
    form = _form(request, name)
    page = report_pages.page(form.request(name), request.user, now=form.now) if form.is_valid() else None
    title = str(report_pages.titles()[name])
    return frame.render(
        request,
        "portal/report.html",
        title=title,
        status=200 if page else REFUSED,
        tabs=tabs(SLUGS[name], page.query if page else ""),
        **_said(form),
        page=page,
        page_buttons=_download_button(request, name, page.query) if page else [],
    )


def _form(request: HttpRequest, name: ReportName) -> ReportForm:
    now = clock.now()
    return form_of(name)(request.GET, caller=request.user, now=now, today=books.today(now))


def _said(form: ReportForm) -> dict[str, Any]:
    """Return the form and what it asks for in words."""
    if not form.is_valid():
        return {"form": form, "said": _("At which day, and as known when"), "is_provisional": False}
    asked = form.cleaned_data
    known_at = asked["known_at"]
    said = words.at_and_known(
        since=asked.get("since"),
        as_of=asked["as_of"],
        known_at=known_at if form.data.get("known_at") else None,
    )
    return {
        "form": form,
        "said": ", ".join([said, *form.narrowed()]),
        "is_provisional": not balances.is_settled(known_at, now=form.now),
    }


def tabs(shown: str, query: str) -> list[Tab]:
    """Return all reports, with the dates of the one that is open."""
    own = {SLUGS[name]: title for name, title in report_pages.titles().items() if name in SLUGS}
    order = [*SLUGS.values(), "changes", "without-evidence"]
    titles = {**own, "changes": _("What changed since"), "without-evidence": _("Without evidence")}
    return [Tab(titles[slug], f"{reverse(f'portal-{slug}')}?{query}", slug == shown) for slug in order]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report that somebody wants as a file."""

    pk: str
    request: NewReport


class Download(Dialog):
    """Take a report away as a file, with the figures of the page: a worker writes it."""

    name = "download"
    label = gettext_lazy("Download…")
    icon = "download"
    permission = reports.exports.PERMISSION
    form_class = FileForm
    job_id: Any = None

    def content(self, request: HttpRequest, rows: Sequence[Wanted]) -> Content:
        asked = rows[0].request
        title = report_pages.titles()[asked.name]
        is_long = asked.name == ReportName.GENERAL_LEDGER
        totals = () if is_long else report_pages.page(asked, request.user, now=clock.now()).totals
        return Content(
            title=_("Download “%(report)s”") % {"report": title},
            button=_("Download"),
            effects=[
                *(Effect(label, text) for label, text in report_pages.stated(asked, request.user)),
                *(Effect(label, money, is_live=True) for label, money in totals),
            ],
            next_step=_("A job writes the file, with its control totals. You can leave the page meanwhile."),
        )

    def form(self, request: HttpRequest, rows: Sequence[Wanted], data: Any = None) -> forms.Form:  # noqa: ARG002 (the same for all)
        return FileForm(data)

    def act(self, row: Wanted, answer: Answer) -> str:
        job = reports.start(
            request=replace(row.request, file_format=ReportFormat(answer.data["file_format"])),
            caller=answer.request.user,
            actor=answer.actor,
            now=answer.now,
        )
        self.job_id = job.id
        return _("The file is being made.")

    def landing(self, request: HttpRequest, rows: Sequence[Wanted]) -> str:  # noqa: ARG002 (the job's page)
        return reverse("portal-job", args=[self.job_id])


def find(request: HttpRequest, slug: str) -> Wanted:
    """Return the report that an address asks for; raise NotFound for what its page would refuse."""
    if slug not in NAMES or not request.user.has_perm(PERMISSION):
        raise errors.NotFound(_("There is no such report."))
    form = _form(request, NAMES[slug])
    if not form.is_valid():
        raise errors.NotFound(_("These dates cannot be read. Open the report again."))
    asked = form.request(NAMES[slug])
    return Wanted(f"{slug}?{report_pages.query(asked)}", asked)


def back(slug: str) -> str:
    return reverse(f"portal-{slug}")


def _download_button(request: HttpRequest, name: ReportName, query: str) -> list[Button]:
    address = reverse("portal-report-download", args=[SLUGS[name]])
    return button(request, Download, None, f"{address}?{query}")


BELOW = "ledger/reports/"
urlpatterns = [
    path(f"{BELOW}trial-balance/", trial_balance, name="portal-trial-balance"),
    path(f"{BELOW}balance-sheet/", balance_sheet, name="portal-balance-sheet"),
    path(f"{BELOW}profit-and-loss/", profit_and_loss, name="portal-profit-and-loss"),
    path(f"{BELOW}general-ledger/", general_ledger, name="portal-general-ledger"),
    path(
        f"{BELOW}<str:slug>/do/download/",
        frame.dialog(Download, find=find, back=back),
        name="portal-report-download",
    ),
]
