"""Forms of the portal's event pages."""

from django import forms
from unfold.forms import ActionForm
from unfold.widgets import UnfoldAdminTextInputWidget


class DeadLetterActionForm(ActionForm):
    """An action on dead letters, with the reason that skipping needs."""

    reason = forms.CharField(
        required=False,
        max_length=200,
        label="",
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Reason (to skip)", "aria-label": "Reason"}),
    )
