"""What people do with a sum that a payer has agreed to have held back: take it, or a part of it."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.integrations.contracts import provider_name
from apps.kit.dialogs import Answer, Content, Dialog, Effect, Notice
from apps.kit.money import Money
from apps.kit.part_form import PartForm
from apps.payments.contracts import IntentStatus
from apps.payments.dialogs.payments import payer
from apps.payments.models import PaymentIntent
from apps.payments.services import captures


class CaptureForm(PartForm):
    too_much: ClassVar[Any] = gettext_lazy("%(left)s is held back; no more than that can be captured.")


class CapturePayment(Dialog):
    """Have the provider take what it holds back for a payment, or a part of it."""

    name = "capture"
    label = gettext_lazy("Capture…")
    icon = "lock_open"
    permission = "payments.capture"
    steps_up = True
    form_class = CaptureForm

    def is_offered(self, row: PaymentIntent) -> bool:
        attempt = row.current_attempt
        if attempt is None or attempt.order_due_at is not None or row.cancel_requested_at is not None:
            return False
        return row.status == IntentStatus.REQUIRES_CAPTURE

    def content(self, request: HttpRequest, rows: Sequence[PaymentIntent]) -> Content:  # noqa: ARG002 (the row says all)
        [intent] = rows
        attempt = intent.current_attempt
        refusal = attempt.capture_refusal if attempt else ""
        held = _held(intent)
        return Content(
            title=_("Capture payment %(reference)s") % {"reference": intent.reference or intent.code},
            button=_("Capture"),
            money=held,
            about=payer(intent),
            notices=[Notice(_("The last order was refused"), refusal)] if refusal else [],
            effects=[Effect(_("Held back"), held, is_result=True)],
            next_step=_(
                "%(rail)s takes the sum. What is left of it goes free, and nothing more can be taken."
            )
            % {"rail": provider_name(attempt.provider if attempt else intent.method)},
            version=f"{intent.status}:{attempt.capture_number if attempt else 0}",
        )

    def form(self, request: HttpRequest, rows: Sequence[PaymentIntent], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        [intent] = rows
        return CaptureForm(data, left=_held(intent))

    def act(self, row: PaymentIntent, answer: Answer) -> str:
        money = answer.data["amount"]
        captures.capture(intent_id=row.id, money=money, actor=answer.actor, now=answer.now)
        return _("%(amount)s of %(code)s is being captured.") % {
            "amount": money,
            "code": row.reference or row.code,
        }


def _held(intent: PaymentIntent) -> Money:
    attempt = intent.current_attempt
    return (attempt.held if attempt else None) or intent.money
