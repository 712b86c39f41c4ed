"""The page that takes a chart of accounts over from a file: what it would change is shown first, and done as shown."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.kit import clock, dialogs, errors, typed_cards
from apps.kit.actors import person
from apps.ledger.selectors import books
from apps.ledger.services import chart_files
from apps.ledger.services.chart_files import Change, ChartChanged
from apps.portal.pages import file_forms, frame
from apps.portal.services import downloads

PERMISSION = "ledger.chart"
SEND = "send"
UNREADABLE = 422
FILE = "chart"
FILES = {
    "csv": ("text/csv; charset=utf-8", lambda: chart_files.as_csv().encode()),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        chart_files.as_xlsx,
    ),
}
CHANGES = {
    "added": gettext_lazy("Added"),
    "renamed": gettext_lazy("Renamed"),
    "moved": gettext_lazy("Moved below another heading"),
}


class ChartFileForm(typed_cards.Refusing, forms.Form):
    """The file, and why the chart changes."""

    chart = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV (UTF-8) or XLSX, 700 kB at most. Lines that it leaves out stay."),
        required=False,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("For the audit log."),
        min_length=dialogs.REASON_MIN,
        max_length=dialogs.REASON_MAX,
    )

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        for name in self.fields:
            dialogs.dress(self, name)


@frame.form_page(PERMISSION)
def show(request: HttpRequest) -> HttpResponse:
    """Show the form; with a file what it would change, and with "send" do exactly that."""
    if request.method != "POST":
        return _form(request, ChartFileForm())
    form = ChartFileForm(request.POST, request.FILES)
    content = file_forms.read(request, form, FILE)
    if not form.is_valid():
        return _form(request, form, content=content, status=UNREADABLE)
    try:
        books.require_all_branches(request.user)
        changes = chart_files.plan(content=content)
        is_sent = request.POST.get("do") == SEND
        if not is_sent or not _is_done(request, form, content):
            shown = chart_files.plan(content=content) if is_sent else changes
            return _form(request, form, content=content, changes=shown, is_changed=is_sent)
    except errors.DomainError as refusal:
        file_forms.tell(form, FILE, refusal)
        return _form(request, form, status=refusal.status)
    count = len(changes)
    said = ngettext("%(count)d change of the chart.", "%(count)d changes of the chart.", count)
    messages.success(request, said % {"count": count})
    return HttpResponseRedirect(reverse("portal-accounts"))


@frame.page(PERMISSION)
def file(request: HttpRequest, kind: str) -> HttpResponse:
    """Give the chart out as a file to be changed and taken over again."""
    if kind not in FILES:
        raise errors.NotFound(_("The chart is given out as CSV or XLSX."))
    content_type, written = FILES[kind]
    downloads.record(
        what="ledger_chart", object_id="chart", reader=request.user, now=clock.now(), format=kind
    )
    name = f"chart-{date.isoformat(books.today(clock.now()))}.{kind}"
    return HttpResponse(
        written(),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _is_done(request: HttpRequest, form: ChartFileForm, content: bytes) -> bool:
    """Do what was shown; say whether the chart was still as it was then."""
    try:
        chart_files.take_over(
            content=content,
            shown=request.POST.get("shown", ""),
            reason=form.cleaned_data["reason"],
            actor=person(request.user.pk),
            now=clock.now(),
        )
    except ChartChanged:
        return False
    return True


def _form(
    request: HttpRequest,
    form: ChartFileForm,
    *,
    content: bytes = b"",
    changes: Sequence[Change] | None = None,
    is_changed: bool = False,
    status: int = 200,
) -> HttpResponse:
    form.fields[FILE].required = not content
    return frame.render(
        request,
        "portal/chart_import.html",
        title=_("Import a chart"),
        crumbs=[frame.Crumb(_("Ledger"), reverse("portal-accounts"))],
        status=status,
        form=form,
        content=file_forms.carried(content),
        is_planned=changes is not None,
        changes=[(own, CHANGES[own.change]) for own in changes or ()],
        shown=chart_files.fingerprint(changes) if changes is not None else "",
        is_changed=is_changed,
    )


urlpatterns = [
    path("ledger/chart/import/", show, name="portal-chart-import"),
    path("ledger/chart/file/<str:kind>", file, name="portal-chart-file"),
]
