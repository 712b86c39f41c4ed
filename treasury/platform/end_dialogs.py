"""What the platform's operators do about the end of an organisation: ask for it, and call it off while its grace lasts."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit.dialogs import Answer, Content, Dialog, ReasonForm
from apps.tenancy.models import OrganisationStatus
from apps.tenancy.services import offboardings
from treasury.platform.dialogs import MANAGE


class EndForm(ReasonForm):
    """How long its data is kept."""

    days = forms.IntegerField(
        label=gettext_lazy("Days until it is dropped"), min_value=30, max_value=3650, initial=30
    )
    field_order = ("days", "reason")


class EndOrganisation(Dialog):
    """Have a suspended organisation exported and, after a grace, dropped."""

    name = "end"
    label = gettext_lazy("End…")
    icon = "delete_forever"
    permission = MANAGE
    steps_up = True
    is_danger = True
    form_class = EndForm

    def is_offered(self, row: Any) -> bool:
        return row.status == OrganisationStatus.SUSPENDED and not row.is_ending

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("End %(organisation)s") % {"organisation": rows[0].name},
            button=_("End the organisation"),
            typed_text=rows[0].slug,
            next_step=_(
                "All that it holds is exported now and once more at the end. It can be called off until the day; then its data "
                "is dropped for good."
            ),
        )

    def act(self, row: Any, answer: Answer) -> str:
        asked = offboardings.begin(
            organisation_id=row.pk,
            drop_after=answer.now + timedelta(days=answer.data["days"]),
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("%(organisation)s ends on %(day)s.") % {
            "organisation": row.name,
            "day": f"{asked.drop_after:%d %b %Y}",
        }


class CallOffEnd(Dialog):
    """Keep an organisation that was to be ended."""

    name = "call-off-end"
    label = gettext_lazy("Call off the end…")
    icon = "undo"
    permission = MANAGE
    steps_up = True
    form_class = ReasonForm

    def is_offered(self, row: Any) -> bool:
        return row.status == OrganisationStatus.SUSPENDED and row.is_ending

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Keep %(organisation)s") % {"organisation": rows[0].name},
            button=_("Call off the end"),
            next_step=_("It stays suspended until somebody opens it again. The archive stays."),
        )

    def act(self, row: Any, answer: Answer) -> str:
        offboardings.cancel(
            organisation_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return _("%(organisation)s is kept.") % {"organisation": row.name}
