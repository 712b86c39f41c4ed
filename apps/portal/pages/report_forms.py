"""What people ask a report for: its days, the instant, the branch; and as what file they take it away."""

from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.access.selectors import branches
from apps.access.selectors.scope import Principal
from apps.ledger.selectors.reports import comparison
from apps.ledger.selectors.reports.basis import DatesInvalid
from apps.ledger.selectors.reports.comparison import Against
from apps.ledger.services.reports import NEEDS_SINCE, NewReport, ReportFormat, ReportName
from apps.portal.forms import BookDatesForm, RangeForm

FORMATS = [
    (ReportFormat.XLSX.value, _("Spreadsheet (XLSX): numbers and dates as such")),
    (ReportFormat.CSV.value, _("CSV: plain text, for other programs")),
    (ReportFormat.PDF.value, _("PDF: to print and to send")),
]

AGAINST = [
    ("", _("These days alone")),
    (Against.BEFORE.value, _("The time before")),
    (Against.YEAR.value, _("The year before")),
    (Against.MONTHS.value, _("Month by month")),
]


class ReportForm(BookDatesForm):
    """
    The dates and the branch of a report; what is left empty is today, now and all that the reader sees.

    Cleaned, ``known_at`` is always there, in whole seconds as the report states it.
    """

    branch = forms.ChoiceField(label=_("Branch"), required=False)

    def __init__(self, data: Any, *, caller: Principal, now: datetime, today: date) -> None:
        super().__init__(data, now=now, today=today)
        own = branches.visible_to(caller).order_by("name").values_list("id", "name")
        self.branches = {str(branch_id): name for branch_id, name in own}
        cast(forms.ChoiceField, self.fields["branch"]).choices = [("", _("All")), *self.branches.items()]

    def clean_known_at(self) -> datetime:
        return (super().clean_known_at() or self.now).replace(microsecond=0)

    def request(self, name: ReportName) -> NewReport:
        """Return the report that a valid form asks for."""
        asked: dict[str, Any] = self.cleaned_data
        return NewReport(
            name=name,
            as_of=asked["as_of"],
            known_at=asked["known_at"],
            since=asked.get("since"),
            branch_id=UUID(asked["branch"]) if asked["branch"] else None,
            against=Against(asked["against"]) if asked.get("against") else None,
        )

    def narrowed(self) -> list[str]:
        """Return what a valid form asks for beside its dates, in words."""
        asked = self.cleaned_data
        known: dict[str, dict[str, Any]] = {"branch": self.branches, "against": dict(AGAINST)}
        return [str(words[asked[name]]) for name, words in known.items() if asked.get(name)]


class RangeReportForm(RangeForm, ReportForm):
    """The dates and the branch of a report on a range of days."""

    field_order = ["since", "as_of", "known_at", "branch"]


class ProfitAndLossForm(RangeReportForm):
    """The dates of a profit and loss, and what is put beside it."""

    against = forms.ChoiceField(label=_("Side by side"), choices=AGAINST, required=False)
    field_order = ["since", "as_of", "known_at", "branch", "against"]

    def clean(self) -> dict[str, Any]:
        asked = super().clean()
        since, as_of = asked.get("since"), asked.get("as_of")
        if asked.get("against") and since and as_of and not self.errors:
            try:
                comparison.spans(Against(asked["against"]), since=since, as_of=as_of)
            except DatesInvalid:
                self.add_error("since", _("Twelve months are shown side by side at most."))
        return asked


class FileForm(forms.Form):
    """As what file a report is taken away."""

    file_format = forms.ChoiceField(
        label=_("File"), choices=FORMATS, initial=ReportFormat.XLSX.value, widget=forms.RadioSelect
    )


def form_of(name: ReportName) -> type[ReportForm]:
    """Return the form that a report is asked for by."""
    if name == ReportName.PROFIT_AND_LOSS:
        return ProfitAndLossForm
    return RangeReportForm if name in NEEDS_SINCE else ReportForm
