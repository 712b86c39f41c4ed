"""What people do with a refund whose answer is lost for good: one says what became of it, another agrees."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.integrations.contracts import provider_name
from apps.kit import clock
from apps.kit.dialogs import Answer, Content, Effect, ReasonForm
from apps.kit.verdict_dialogs import CloseUnknown, others_decide
from apps.payments.contracts.verdicts import RefundVerdict
from apps.payments.models import Refund
from apps.payments.services import refund_verdicts


class VerdictForm(ReasonForm):
    """What became of the refund, and what shows it."""

    verdict = forms.ChoiceField(
        label=gettext_lazy("What became of it"),
        choices=[
            ("", gettext_lazy("Choose")),
            (RefundVerdict.GIVEN_BACK.value, gettext_lazy("The money went back")),
            (RefundVerdict.NOT_GIVEN_BACK.value, gettext_lazy("The money did not go back")),
        ],
    )
    receipt = forms.CharField(
        label=gettext_lazy("Receipt of the refund"),
        help_text=gettext_lazy("As the provider's statement shows it, where the money went back."),
        max_length=40,
        required=False,
    )
    field_order = ("verdict", "receipt", "reason")

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        is_given_back = found.get("verdict") == RefundVerdict.GIVEN_BACK
        if is_given_back and not found.get("receipt"):
            self.add_error(
                "receipt", _("Write the receipt: without it nobody can say that the money went back.")
            )
        if found.get("verdict") == RefundVerdict.NOT_GIVEN_BACK and found.get("receipt"):
            self.add_error("receipt", _("Money that did not go back has no receipt."))
        return found


class CloseUnknownRefund(CloseUnknown):
    """Say what became of a refund of which the provider tells nothing; another person agrees before it counts."""

    name = "close"
    label = gettext_lazy("Close…")
    permission = "payments.refund"
    on_rows = True
    form_class = VerdictForm

    def may_be_answered(self, row: Refund) -> bool:
        return refund_verdicts.may_be_answered(row, now=clock.now())

    def content(self, request: HttpRequest, rows: Sequence[Refund]) -> Content:  # noqa: ARG002 (the row says all)
        [refund] = rows
        rail = {"rail": provider_name(refund.provider)}
        return Content(
            title=_("Close the refund of %(receipt)s") % {"receipt": refund.payment_receipt},
            button=_("Ask to close it"),
            money=refund.money,
            about=_(
                "Look for it in the statement of %(rail)s first: by the receipt of the payment, and after the request left."
            )
            % rail,
            notices=[others_decide()],
            effects=[
                Effect(_("If it went back"), _("Booked under its receipt")),
                Effect(_("If it did not"), _("Failed, and the money may go back anew")),
            ],
            next_step=_(
                "It cannot be recalled. What %(rail)s says later is still booked, or is shown for people."
            )
            % rail,
            typed_money=refund.money,
            version=f"{refund.status}:{refund.next_query_at}",
        )

    def act(self, row: Refund, answer: Answer) -> str:
        refund_verdicts.ask(
            refund_id=row.id,
            verdict=RefundVerdict(answer.data["verdict"]),
            receipt=answer.data["receipt"],
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("It waits for approval how the refund of %(receipt)s is closed.") % {
            "receipt": row.payment_receipt
        }
