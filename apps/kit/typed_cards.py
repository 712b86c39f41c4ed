"""The number of a card that a person types where none belongs: cards are typed on their provider's page alone."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from apps.kit import redaction


def refuse(form: forms.BaseForm) -> bool:
    """
    Refuse the number of a card in each text of a valid form, beside its field, and say whether the form goes on.

    Telephone numbers, passwords, sums, and what is only compared with what the page shows are left out: nobody keeps
    these as texts, or some pass a card's check by chance.
    """
    with_card = [
        name
        for name, field in form.fields.items()
        if _is_text(name, field) and redaction.holds_card(form.cleaned_data.get(name))
    ]
    for name in with_card:
        form.add_error(name, said())
    return not with_card


def said() -> str:
    """Return what is said to who typed one."""
    return _("This holds the number of a card. Cards are typed on their provider's page.")


class Refusing:
    """A form that refuses the number of a card in its texts as it refuses anything else: for pages that are no dialogs."""

    def full_clean(self) -> None:
        super().full_clean()  # type: ignore[misc]
        if isinstance(self, forms.BaseForm) and self.is_bound and hasattr(self, "cleaned_data"):
            refuse(self)


def _is_text(name: str, field: Any) -> bool:
    widget = field.widget
    return (
        isinstance(field, forms.CharField)
        and not isinstance(widget, forms.PasswordInput)
        and widget.attrs.get("inputmode") != "decimal"
        and "data-typed" not in widget.attrs
        and not redaction.is_phone_name(name)
    )
