"""What a person chooses when he takes a list away."""

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.jobs.contracts import FileFormat

FORMATS = [
    (FileFormat.XLSX.value, _("Spreadsheet (XLSX): numbers and dates as such")),
    (FileFormat.CSV.value, _("CSV: plain text, for other programs")),
]


class ExportForm(forms.Form):
    file_format = forms.ChoiceField(
        label=_("File"), choices=FORMATS, initial=FileFormat.XLSX.value, widget=forms.RadioSelect
    )
    with_bom = forms.BooleanField(label=_("CSV for older Excel (UTF-8 with a mark)"), required=False)
