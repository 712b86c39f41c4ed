"""What people do with payments and refunds in the portal."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.approvals.selectors import rules
from apps.kit.admin import masked_phone
from apps.kit.dialogs import Answer, Content, Dialog, Effect, Notice, ReasonForm
from apps.kit.money import Money
from apps.kit.phones import HIDDEN
from apps.payments.contracts import (
    LATE_MONEY,
    REFUND,
    CollectionTerms,
    IntentStatus,
    LateMoney,
    RefundStatus,
)
from apps.payments.models import InboundReceipt, PaymentIntent, Refund, phone
from apps.payments.selectors import intents
from apps.payments.selectors import policies as stored
from apps.payments.services import policies, refunds, resolutions
from apps.payments.services.suspense import PERMISSION as RESOLVE

HASH_LENGTH = 64
"""How long a payer's number is that the provider tells as its SHA-256."""


class RefundPayment(Dialog):
    """Give a payment back whole; over a limit other people decide first."""

    name = "refund"
    label = gettext_lazy("Refund…")
    icon = "undo"
    permission = "payments.refund"
    steps_up = True
    is_danger = True
    form_class = ReasonForm

    def is_offered(self, row: PaymentIntent) -> bool:
        attempt = row.current_attempt
        if row.status != IntentStatus.SUCCEEDED or attempt is None:
            return False
        return not attempt.refund_pending_minor and bool(attempt.refundable_minor)

    def content(self, request: HttpRequest, rows: Sequence[PaymentIntent]) -> Content:  # noqa: ARG002 (the rows say all)
        intent = rows[0]
        attempt = intent.current_attempt
        money = (attempt.received if attempt else None) or intent.money
        receipt = attempt.provider_receipt if attempt else ""
        rule = rules.matching(kind=REFUND.name, money=money, branch_id=intent.branch_id)
        is_decided_first = rule is not None
        phone = masked_phone(intent.payer_phone)
        return Content(
            title=_("Refund payment %(receipt)s") % {"receipt": receipt or intent.reference},
            button=_("Ask for %(amount)s back") % {"amount": money}
            if is_decided_first
            else _("Refund %(amount)s") % {"amount": money},
            money=money,
            about=_("To %(payer)s, %(phone)s") % {"payer": intent.payer_name, "phone": phone}
            if intent.payer_name
            else _("To %(phone)s") % {"phone": phone},
            notices=_notices(receipt, is_decided_first=is_decided_first),
            effects=[
                Effect(_("Received"), money),
                Effect(_("This refund"), -money),
                Effect(_("Left of this payment"), Money.zero(money.currency), is_result=True),
            ],
            next_step=_(
                "M-Pesa gives back the whole payment. It cannot be recalled, and its fee stays paid."
            ),
            typed_money=money if is_decided_first else None,
            version=f"{intent.status}:{attempt.refunded_minor if attempt else 0}",
        )

    def act(self, row: PaymentIntent, answer: Answer) -> str:
        refund = refunds.create(
            intent_id=row.id, money=None, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        if refund.status == RefundStatus.AWAITING_APPROVAL:
            return _("Refund of %(amount)s asked for; it waits for approval.") % {"amount": refund.money}
        return _("Refund of %(amount)s is on its way to M-Pesa.") % {"amount": refund.money}


class CollectionPolicyForm(ReasonForm):
    """What becomes of money that comes otherwise than asked."""

    late_money = forms.ChoiceField(
        label=gettext_lazy("Money that comes after its payment was closed"), choices=list(LATE_MONEY.items())
    )
    refuses_unknown = forms.BooleanField(
        label=gettext_lazy("Refuse money for a payment that nobody knows or waits for"), required=False
    )
    refuses_other_sums = forms.BooleanField(
        label=gettext_lazy("Refuse another sum than was asked for"), required=False
    )
    field_order = ("late_money", "refuses_unknown", "refuses_other_sums", "reason")


class ChooseCollectionPolicy(Dialog):
    """Say what becomes of money that comes otherwise than asked."""

    name = "policy"
    label = gettext_lazy("Late and unknown money…")
    icon = "rule"
    permission = "access.manage"
    steps_up = True
    on_list = True

    def form(self, request: HttpRequest, rows: Sequence[PaymentIntent], data: Any = None) -> forms.Form:  # noqa: ARG002 (about all)
        return CollectionPolicyForm(data, initial=asdict(stored.current()))

    def content(self, request: HttpRequest, rows: Sequence[PaymentIntent]) -> Content:  # noqa: ARG002 (about all)
        terms = stored.current()
        return Content(
            title=_("Late and unknown money"),
            button=_("Choose"),
            effects=[Effect(_("Now"), str(LATE_MONEY[terms.late_money]))],
            next_step=_(
                "It holds for money that comes from now on. Refusals work where M-Pesa asks before it takes the money."
            ),
        )

    def perform(self, rows: Sequence[PaymentIntent], answer: Answer) -> list[str]:  # noqa: ARG002 (about all)
        terms = CollectionTerms(
            LateMoney(answer.data["late_money"]),
            answer.data["refuses_unknown"],
            answer.data["refuses_other_sums"],
        )
        policies.choose(terms=terms, reason=answer.data["reason"], actor=answer.actor, now=answer.now)
        return [
            _("Money that comes late: %(choice)s.") % {"choice": str(LATE_MONEY[terms.late_money]).lower()}
        ]


class ReceiptForm(forms.Form):
    """The receipt of a reversal, as the provider's statement shows it."""

    receipt = forms.CharField(label=gettext_lazy("Receipt of the reversal"), max_length=40, required=False)


class VerifyRefund(Dialog):
    """Ask the provider about the receipt of a reversal that somebody found in its statement."""

    name = "verify"
    label = gettext_lazy("Verify…")
    icon = "fact_check"
    permission = "payments.refund"
    steps_up = True
    on_rows = True
    form_class = ReceiptForm

    def is_offered(self, row: Refund) -> bool:
        return row.is_verifiable

    def content(self, request: HttpRequest, rows: Sequence[Refund]) -> Content:  # noqa: ARG002 (the rows say all)
        refund = rows[0]
        return Content(
            title=_("Verify the refund of %(receipt)s") % {"receipt": refund.payment_receipt},
            button=_("Ask about %(amount)s") % {"amount": refund.money},
            money=refund.money,
            about=_("Write the receipt here, or nothing: then M-Pesa is asked about the request itself.")
            if refund.can_be_asked_by_ticket
            else _("Find the reversal in the provider's statement and write its receipt here."),
            next_step=_("M-Pesa is asked; the refund settles only if receipt, sum and payer agree."),
            version=refund.status,
        )

    def act(self, row: Refund, answer: Answer) -> str:
        refunds.verify(refund_id=row.id, receipt=answer.data["receipt"], actor=answer.actor, now=answer.now)
        if not answer.data["receipt"]:
            return _("M-Pesa has been asked about the refund of %(receipt)s.") % {
                "receipt": row.payment_receipt
            }
        return _("M-Pesa has been asked about %(receipt)s.") % {"receipt": answer.data["receipt"]}


def payer_text(inbound: InboundReceipt) -> str:
    """Return who paid for people: a number masked, or the words for one that the provider hides; empty for none."""
    if len(inbound.payer) == HASH_LENGTH:
        return _("Number hidden by the provider")
    try:
        return masked_phone(phone.normalise(inbound.payer))
    except phone.PhoneInvalid:
        return f"{inbound.payer[:4]} {HIDDEN} {inbound.payer[-3:]}" if inbound.payer else ""


def _arrived(inbound: InboundReceipt) -> list[Effect]:
    """Return the lines that say which money it is."""
    return [
        Effect(_("Receipt"), inbound.receipt),
        Effect(_("Reference as typed"), inbound.reference or _("none typed")),
        Effect(
            _("Payer"), " ".join(filter(None, [inbound.payer_name, payer_text(inbound)])) or _("Not named")
        ),
    ]


class PaymentNamedForm(ReasonForm):
    """Which payment the money is of, and why."""

    payment_id = forms.CharField(label=gettext_lazy("Payment: its id, code or reference"), max_length=200)
    field_order = ("payment_id", "reason")


class AssignMoney(Dialog):
    """Give money in suspense to the payment that it is of."""

    name = "assign"
    label = gettext_lazy("Assign…")
    icon = "how_to_reg"
    permission = RESOLVE
    steps_up = True
    form_class = PaymentNamedForm

    def is_offered(self, row: InboundReceipt) -> bool:
        return row.is_waiting

    def form(self, request: HttpRequest, rows: Sequence[InboundReceipt], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        seems = rows[0].intent
        initial = {"payment_id": seems.code} if seems and not seems.is_settled else {}
        return PaymentNamedForm(data, initial=initial)

    def content(self, request: HttpRequest, rows: Sequence[InboundReceipt]) -> Content:  # noqa: ARG002 (the row says all)
        [inbound] = rows
        return Content(
            title=_("Assign %(receipt)s") % {"receipt": inbound.receipt},
            button=_("Assign %(amount)s") % {"amount": inbound.money},
            money=inbound.money,
            about=inbound.reason,
            effects=_arrived(inbound),
            next_step=_(
                "A payment of this very sum is settled with it, closed or not. It cannot be taken back here; the payment can be refunded."
            ),
            version=inbound.status,
        )

    def act(self, row: InboundReceipt, answer: Answer) -> str:
        intent = intents.named(answer.request.user, answer.data["payment_id"])
        resolutions.assign(
            inbound_id=row.id,
            intent_id=intent.id,
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("%(receipt)s: assigned to payment %(code)s.") % {"receipt": row.receipt, "code": intent.code}


class GiveMoneyBack(Dialog):
    """Send money in suspense back to who paid it; over a limit other people decide first."""

    name = "give-back"
    label = gettext_lazy("Give back…")
    icon = "undo"
    permission = "payments.refund"
    steps_up = True
    is_danger = True
    form_class = ReasonForm

    def is_offered(self, row: InboundReceipt) -> bool:
        return row.is_waiting

    def content(self, request: HttpRequest, rows: Sequence[InboundReceipt]) -> Content:  # noqa: ARG002 (the row says all)
        [inbound] = rows
        rule = rules.matching(kind=REFUND.name, money=inbound.money, branch_id=inbound.branch_id)
        is_decided_first = rule is not None
        return Content(
            title=_("Give %(receipt)s back") % {"receipt": inbound.receipt},
            button=_("Ask for %(amount)s back") % {"amount": inbound.money}
            if is_decided_first
            else _("Give %(amount)s back") % {"amount": inbound.money},
            money=inbound.money,
            about=inbound.reason,
            notices=_notices(inbound.receipt, is_decided_first=is_decided_first),
            effects=_arrived(inbound),
            next_step=_(
                "M-Pesa gives it back to who sent it. It cannot be recalled, and its fee stays paid."
            ),
            typed_money=inbound.money if is_decided_first else None,
            version=inbound.status,
        )

    def act(self, row: InboundReceipt, answer: Answer) -> str:
        refund = resolutions.give_back(
            inbound_id=row.id, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        if refund.status == RefundStatus.AWAITING_APPROVAL:
            return _("Refund of %(amount)s asked for; it waits for approval.") % {"amount": refund.money}
        return _("Refund of %(amount)s is on its way to M-Pesa.") % {"amount": refund.money}


class TakeMoneyOver(Dialog):
    """Become the owner of money in suspense."""

    name = "take-over"
    label = gettext_lazy("Take over…")
    icon = "person_add"
    permission = RESOLVE
    on_selection = True

    def is_offered(self, row: InboundReceipt) -> bool:
        return row.is_waiting

    def content(self, request: HttpRequest, rows: Sequence[InboundReceipt]) -> Content:  # noqa: ARG002 (the rows say all)
        count = len(rows)
        facts = {"receipt": rows[0].receipt, "count": count}
        return Content(
            title=ngettext("Take over %(receipt)s", "Take over %(count)d receipts", count) % facts,
            button=_("Take over"),
            effects=[Effect(inbound.receipt, inbound.money) for inbound in rows],
            next_step=_(
                "You are its owner from now on. Anybody who may decide about it can take it over from you."
            ),
            version=",".join(str(inbound.owner_id) for inbound in rows),
        )

    def act(self, row: InboundReceipt, answer: Answer) -> str:
        resolutions.take_over(inbound_id=row.id, actor=answer.actor, now=answer.now)
        return _("%(receipt)s is yours.") % {"receipt": row.receipt}


def _notices(receipt: str, *, is_decided_first: bool) -> list[Notice]:
    found = []
    if not receipt:
        found.append(Notice(_("No receipt yet"), _("M-Pesa gives nothing back without it. Try again later.")))
    if is_decided_first:
        found.append(
            Notice(
                _("Other people decide first"), _("Nothing leaves before they have approved."), tone="pending"
            )
        )
    return found
