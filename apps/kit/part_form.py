"""A part of a sum, as a person writes it."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit import typed_sums
from apps.kit.money import Money, MoneyInvalid


class PartForm(forms.Form):
    """
    How much of a sum, all of it where nothing is written: ``cleaned_data["amount"]`` is money.

    ``too_much`` is what is said of more than all, or of nothing.
    """

    too_much: ClassVar[Any]

    amount = forms.CharField(
        label=gettext_lazy("Amount"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=gettext_lazy("As 1,250.00. Left empty: all that is left."),
    )

    def __init__(self, data: Any = None, *, left: Money) -> None:
        super().__init__(data)
        self.left = left
        self.fields["amount"].label = _("Amount in %(currency)s") % {"currency": left.currency}

    def clean_amount(self) -> Money:
        text = self.cleaned_data["amount"]
        if not text:
            return self.left
        try:
            wanted = typed_sums.read(text, self.left.currency)
        except MoneyInvalid as refusal:
            raise forms.ValidationError(refusal.detail) from None
        if not wanted.is_positive or wanted > self.left:
            raise forms.ValidationError(self.too_much % {"left": self.left})
        return wanted
