"""What people do with a payment whose answer is lost for good: one says that nothing was collected, another agrees."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.integrations.contracts import provider_name
from apps.kit import clock
from apps.kit.dialogs import Answer, Content, Effect, Notice
from apps.kit.verdict_dialogs import CloseUnknown, others_decide
from apps.payments.contracts import LATE_MONEY, RESOLVE
from apps.payments.dialogs.payments import payer
from apps.payments.models import PaymentAttempt, PaymentIntent
from apps.payments.selectors import policies
from apps.payments.services import payment_verdicts, silent


class CloseUnknownPayment(CloseUnknown):
    """Say that a payment of which the provider tells nothing brought no money; another person agrees before it counts."""

    name = "close"
    label = gettext_lazy("Close as not paid…")
    permission = RESOLVE

    def is_offered(self, row: PaymentIntent) -> bool:
        return super().is_offered(row) and row.current_attempt is not None

    def hindrance(self, row: PaymentIntent) -> str:
        if (attempt := row.current_attempt) is None:
            return ""
        said = super().hindrance(attempt)
        if not said and silent.may_be_here(attempt):
            said = _("Money waits in suspense that may be of this payment. Decide about that first.")
        return said

    def may_be_answered(self, row: PaymentAttempt) -> bool:
        return payment_verdicts.may_be_answered(row, now=clock.now())

    def content(self, request: HttpRequest, rows: Sequence[PaymentIntent]) -> Content:  # noqa: ARG002 (the row says all)
        [intent] = rows
        attempt = intent.current_attempt
        rail = {"rail": provider_name(intent.method)}
        will_be = _("Cancelled, as was asked for") if intent.cancel_requested_at else _("Failed")
        return Content(
            title=_("Close %(reference)s as not paid") % {"reference": intent.reference or intent.code},
            button=_("Ask to close it"),
            money=intent.money,
            about=payer(intent),
            notices=[
                Notice(
                    _("Was it paid? Then do not close it"),
                    _("Verify its receipt, or assign that under Suspense: so it is booked."),
                ),
                others_decide(),
            ],
            effects=[
                Effect(_("Look in the statement for"), attempt.code if attempt else ""),
                Effect(_("The payment"), will_be),
                Effect(_("Money that comes after all"), str(LATE_MONEY[policies.current().late_money])),
            ],
            next_step=_(
                "It cannot be recalled. What was to be paid may be asked for anew. Write below what shows that %(rail)s collected nothing: which statement, of which days."
            )
            % rail,
            typed_money=intent.money,
            version=f"{intent.status}:{attempt.next_query_at if attempt else ''}",
        )

    def act(self, row: PaymentIntent, answer: Answer) -> str:
        payment_verdicts.ask(
            intent_id=row.id, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return _("It waits for approval that %(code)s is closed as not paid.") % {"code": row.code}
