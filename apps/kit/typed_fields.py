"""What a person types by hand before a dialog acts, so that he has read it: an amount, a number, a name."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from apps.kit import typed_sums
from apps.kit.money import Money, MoneyInvalid


class TypedMoney(forms.CharField):
    """The amount of the dialog, typed by hand: 12400, 12,400 or 12 400.00."""

    def __init__(self, money: Money) -> None:
        super().__init__(
            label=_("Type the amount"),
            help_text=_("Type %(amount)s.") % {"amount": money},
            max_length=60,
            widget=forms.TextInput(
                attrs={"inputmode": "decimal", "autocomplete": "off", "data-typed": money.text, "data-named": str(money)}
            ),
        )  # fmt: skip
        self.money = money

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        try:
            typed = typed_sums.read(text, self.money.currency)
        except MoneyInvalid as refusal:
            raise forms.ValidationError(refusal.detail) from None
        if typed != self.money:
            raise forms.ValidationError(
                _("You typed %(typed)s; the amount is %(amount)s.") % {"typed": typed, "amount": self.money}
            )
        return text


class TypedText(forms.CharField):
    """A number or a name, typed by hand before something is destroyed."""

    def __init__(self, text: str) -> None:
        super().__init__(
            label=_("Type “%(text)s”") % {"text": text},
            max_length=200,
            widget=forms.TextInput(attrs={"autocomplete": "off", "data-typed": text}),
        )
        self.text = text

    def clean(self, value: Any) -> str:
        typed = str(super().clean(value))
        if typed != self.text:
            raise forms.ValidationError(_("Type “%(text)s” exactly.") % {"text": self.text})
        return typed
