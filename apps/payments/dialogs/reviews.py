"""What people do with a payment in review: its money pays it all the same, or it ends without the money."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit.dialogs import Answer, Content, Dialog, Effect, ReasonForm
from apps.payments.contracts import RESOLVE, IntentStatus
from apps.payments.models import PaymentIntent
from apps.payments.selectors import policies, refunds
from apps.payments.services import reviews


class ReviewDialog(Dialog):
    """What both dialogs about a payment in review have in common."""

    permission = RESOLVE
    steps_up = True
    form_class = ReasonForm

    def is_offered(self, row: PaymentIntent) -> bool:
        return row.status == IntentStatus.IN_REVIEW

    @staticmethod
    def lines(intent: PaymentIntent) -> list[Effect]:
        attempt = intent.current_attempt
        arrived = attempt.received if attempt else None
        return [
            Effect(_("Asked"), intent.money),
            Effect(_("Arrived"), arrived or _("nothing")),
            Effect(_("Receipt"), (attempt.provider_receipt if attempt else "") or _("no receipt yet")),
        ]


class AcceptReview(ReviewDialog):
    """Say that the money of a payment in review pays it."""

    name = "accept-review"
    label = gettext_lazy("Accept the money…")
    icon = "check_circle"

    def is_offered(self, row: PaymentIntent) -> bool:
        attempt = row.current_attempt
        return super().is_offered(row) and not (attempt and refunds.is_let_go(attempt))

    def content(self, request: HttpRequest, rows: Sequence[PaymentIntent]) -> Content:  # noqa: ARG002 (the row says all)
        [intent] = rows
        arrived = (intent.current_attempt.received if intent.current_attempt else None) or intent.money
        is_part = arrived < intent.money and policies.current().takes_parts
        return Content(
            title=_("Accept the money of %(code)s") % {"code": intent.code},
            button=_("Accept %(amount)s") % {"amount": arrived if is_part else intent.money},
            money=arrived if is_part else intent.money,
            effects=self.lines(intent),
            next_step=_(
                "It pays a part then, the rest may follow under the same code, and the application is told."
            )
            if is_part
            else _(
                "The payment has succeeded then, and its application is told. It needs the very sum that was asked for."
            ),
            version=intent.status,
        )

    def act(self, row: PaymentIntent, answer: Answer) -> str:
        reason = answer.data["reason"]
        accepted = reviews.accept(intent_id=row.id, reason=reason, actor=answer.actor, now=answer.now)
        if accepted.is_partly_paid:
            return _("A part of payment %(code)s is paid.") % {"code": row.code}
        return _("Payment %(code)s has succeeded.") % {"code": row.code}


class CloseReview(ReviewDialog):
    """Say that the money of a payment in review does not pay it."""

    name = "close-review"
    label = gettext_lazy("Close without the money…")
    icon = "block"
    is_danger = True

    def content(self, request: HttpRequest, rows: Sequence[PaymentIntent]) -> Content:  # noqa: ARG002 (the row says all)
        [intent] = rows
        return Content(
            title=_("Close %(code)s without the money") % {"code": intent.code},
            button=_("Close the payment"),
            effects=self.lines(intent),
            next_step=_(
                "The payment has failed then, and may be asked for anew. Money that is still here waits under Suspense."
            ),
            version=intent.status,
        )

    def act(self, row: PaymentIntent, answer: Answer) -> str:
        reason = answer.data["reason"]
        reviews.close(intent_id=row.id, reason=reason, actor=answer.actor, now=answer.now)
        return _("Payment %(code)s is closed.") % {"code": row.code}
