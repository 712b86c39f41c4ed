"""The dialog in which people say what became of a row of which nobody knows: it is the same for every kind of row but its words."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit.dialogs import Dialog, Notice, ReasonForm


class CloseUnknown(Dialog):
    """Say what became of a row of which the provider tells nothing; another person agrees before it counts."""

    icon = "gavel"
    steps_up = True
    is_danger = True
    form_class = ReasonForm
    wait: ClassVar[Any] = gettext_lazy(
        "The provider may still answer. Wait for a day, and for the questions that are planned."
    )

    def is_offered(self, row: Any) -> bool:
        return bool(row.status == "UNKNOWN")

    def hindrance(self, row: Any) -> str:
        if row.verdict_by:
            return _("Other people have been asked already.")
        return str(self.wait) if self.may_be_answered(row) else ""

    def may_be_answered(self, row: Any) -> bool:
        """Say whether the provider may still tell by itself what became of it."""
        raise NotImplementedError


def others_decide() -> Notice:
    return Notice(
        _("Other people decide first"), _("Nothing changes before they have approved."), tone="pending"
    )
