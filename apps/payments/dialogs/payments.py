"""What people do with a payment beside giving it back: ask after it, verify a receipt, cancel it."""

from collections.abc import Sequence

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.integrations.contracts import provider_name
from apps.integrations.ports import CapturePort
from apps.integrations.services import providers
from apps.kit.admin import masked_phone
from apps.kit.dialogs import Answer, Content, Dialog, Effect, Notice, ReasonForm
from apps.payments.contracts import IntentStatus, Method
from apps.payments.models import PaymentIntent
from apps.payments.services import intents


def _lines(rows: Sequence[PaymentIntent]) -> list[Effect]:
    return [Effect(row.reference or row.code, row.money) for row in rows]


def payer(intent: PaymentIntent) -> str:
    """Return whom the money comes from, with the phone masked."""
    return " ".join(filter(None, [intent.payer_name, masked_phone(intent.payer_phone)])) or _("Not named")


class AskPayment(Dialog):
    """Ask the provider what became of payments whose outcome is open."""

    name = "ask"
    label = gettext_lazy("Ask provider…")
    icon = "sync"
    permission = "payments.verify"
    on_selection = True

    def is_offered(self, row: PaymentIntent) -> bool:
        attempt = row.current_attempt
        return attempt is not None and attempt.is_live and bool(attempt.ticket)

    def content(self, request: HttpRequest, rows: Sequence[PaymentIntent]) -> Content:  # noqa: ARG002 (the rows say all)
        count, rail = len(rows), provider_name(rows[0].method)
        return Content(
            title=ngettext("Ask %(rail)s about this payment", "Ask about %(count)d payments", count)
            % {"rail": rail, "count": count},
            button=_("Ask now"),
            effects=_lines(rows),
            next_step=_("It moves no money. The answer appears in the timeline, usually within seconds."),
            version=",".join(row.status for row in rows),
        )

    def act(self, row: PaymentIntent, answer: Answer) -> str:
        intents.ask(intent_id=row.id, actor=answer.actor, now=answer.now)
        return _("%(rail)s is being asked about %(code)s.") % {
            "rail": provider_name(row.method),
            "code": row.reference or row.code,
        }


class ClaimedReceiptForm(ReasonForm):
    """The receipt that somebody holds, and where it was seen."""

    receipt = forms.CharField(
        label=gettext_lazy("Receipt"),
        max_length=40,
        help_text=gettext_lazy("As it stands in the provider's message, like NLJ7RT61SV."),
    )
    field_order = ("receipt", "reason")


class VerifyPayment(Dialog):
    """Have the provider asked about a receipt that the payer shows."""

    name = "verify"
    label = gettext_lazy("Verify a receipt…")
    icon = "fact_check"
    permission = "payments.verify"
    steps_up = True
    form_class = ClaimedReceiptForm

    def is_offered(self, row: PaymentIntent) -> bool:
        attempt = row.current_attempt
        if attempt is None or attempt.provider_receipt:
            return False
        return row.status == IntentStatus.UNKNOWN or attempt.is_booked or attempt.judged_at is not None

    def content(self, request: HttpRequest, rows: Sequence[PaymentIntent]) -> Content:  # noqa: ARG002 (the row says all)
        [intent] = rows
        return Content(
            title=_("Verify a receipt of %(reference)s") % {"reference": intent.reference or intent.code},
            button=_("Ask about %(amount)s") % {"amount": intent.money},
            money=intent.money,
            about=payer(intent),
            next_step=_(
                "%(rail)s is asked about the receipt. The payment settles only if receipt, sum and payer agree."
            )
            % {"rail": provider_name(intent.method)},
            version=intent.status,
        )

    def act(self, row: PaymentIntent, answer: Answer) -> str:
        receipt, reason = answer.data["receipt"], answer.data["reason"]
        intents.verify(intent_id=row.id, receipt=receipt, actor=answer.actor, now=answer.now, reason=reason)
        return _("%(rail)s has been asked about %(receipt)s.") % {
            "rail": provider_name(row.method),
            "receipt": receipt.strip().upper(),
        }


class CancelPayment(Dialog):
    """Ask for the money no more."""

    name = "cancel"
    label = gettext_lazy("Cancel…")
    icon = "block"
    permission = "payments.cancel"
    is_danger = True

    def is_offered(self, row: PaymentIntent) -> bool:
        return (row.is_open or row.is_partly_paid) and row.cancel_requested_at is None

    def content(self, request: HttpRequest, rows: Sequence[PaymentIntent]) -> Content:  # noqa: ARG002 (the row says all)
        [intent] = rows
        rail = provider_name(intent.method)
        under_way = (
            _("%(rail)s is told to let it go. If the payer is faster, that money is booked.")
            if intent.method and providers.offers(Method(intent.method).provider, CapturePort)
            else _("%(rail)s does not call it back: the payer may still pay, and that money is booked.")
        )
        prompted = Notice(_("A request is under way"), under_way % {"rail": rail})
        return Content(
            title=_("Cancel payment %(reference)s") % {"reference": intent.reference or intent.code},
            button=_("Cancel %(amount)s") % {"amount": intent.due},
            money=intent.due,
            about=payer(intent),
            notices=[prompted] if intent.is_in_flight else [],
            next_step=_("What has come stays paid. More that comes waits in suspense for a person.")
            if intent.is_partly_paid
            else _("Nothing new is sent to the payer. It cannot be opened again."),
            version=intent.status,
        )

    def act(self, row: PaymentIntent, answer: Answer) -> str:
        intent = intents.cancel(intent_id=row.id, actor=answer.actor, now=answer.now)
        if intent.status == IntentStatus.CANCELLED:
            return _("%(code)s: cancelled.") % {"code": row.reference or row.code}
        if intent.is_partly_paid:
            return _("%(code)s: the rest is not asked for any more.") % {"code": row.reference or row.code}
        return _("%(code)s: nothing more is sent; it ends when the request that is under way has ended.") % {
            "code": row.reference or row.code
        }
