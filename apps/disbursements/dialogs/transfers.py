"""What people do with transfers: take one back."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.disbursements.models import Transfer
from apps.disbursements.services import transfer_reversals
from apps.integrations.contracts import provider_name
from apps.kit.dialogs import Answer, Content, Dialog, Effect, ReasonForm
from apps.kit.part_form import PartForm


class ReversalForm(PartForm, ReasonForm):
    """How much is taken back, and why."""

    too_much: ClassVar[Any] = gettext_lazy("%(left)s of this transfer can be taken back.")
    field_order = ("amount", "reason")


class ReverseTransfer(Dialog):
    """Take a transfer back, whole or a part of it."""

    name = "reverse"
    label = gettext_lazy("Take back…")
    icon = "undo"
    permission = "disbursements.transfer"
    steps_up = True
    is_danger = True

    def is_offered(self, row: Transfer) -> bool:
        return row.reversible.is_positive

    def form(self, request: HttpRequest, rows: Sequence[Transfer], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        return ReversalForm(data, left=rows[0].reversible)

    def content(self, request: HttpRequest, rows: Sequence[Transfer]) -> Content:  # noqa: ARG002 (the row says all)
        [transfer] = rows
        rail = {"rail": provider_name(transfer.provider)}
        return Content(
            title=_("Take back transfer %(reference)s") % {"reference": transfer.reference},
            button=_("Take back"),
            money=transfer.reversible,
            about=_("From %(party)s") % {"party": transfer.connected_account.party},
            effects=[
                Effect(_("Transferred"), transfer.money),
                *([Effect(_("Came back"), -transfer.reversed)] if transfer.reversed_minor else []),
                *([Effect(_("Being taken back"), -transfer.reversing)] if transfer.reversing_minor else []),
                Effect(_("May come back"), transfer.reversible, is_result=True),
            ],
            next_step=_(
                "%(rail)s takes the sum from the party's account, where it is still there. We owe it again then."
            )
            % rail,
            version=f"{transfer.status}:{transfer.reversed_minor}:{transfer.reversing_minor}",
        )

    def act(self, row: Transfer, answer: Answer) -> str:
        transfer_reversals.reverse(
            transfer_id=row.id,
            money=answer.data["amount"],
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
            nonce=answer.nonce,
        )
        told = {"amount": answer.data["amount"], "rail": provider_name(row.provider)}
        return _("%(rail)s is told to take %(amount)s back.") % told
