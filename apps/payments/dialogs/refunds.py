"""What people do with refunds: ask for one, and verify one of which nobody knows."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.approvals.selectors import rules
from apps.integrations.contracts import provider_name
from apps.integrations.services import providers
from apps.kit.admin import masked_phone
from apps.kit.dialogs import Answer, Content, Dialog, Effect, Notice, ReasonForm
from apps.kit.money import Money
from apps.kit.part_form import PartForm
from apps.payments.contracts import REFUND, RefundStatus
from apps.payments.models import PaymentAttempt, PaymentIntent, Refund
from apps.payments.models.intent import MONEY_STATES
from apps.payments.selectors import attempts
from apps.payments.services import refunds


def hindrance(provider: str, *, is_receipt_known: bool) -> str:
    """Return why a rail gives this money back now neither wholly nor in part, or an empty text."""
    rail = {"rail": provider_name(provider)}
    if providers.refund_terms(provider) is None:
        return _("%(rail)s gives no money back from here. Return it to the payer by other means.") % rail
    if not is_receipt_known:
        return _("%(rail)s has not told the receipt yet, and gives nothing back without it.") % rail
    return ""


def what_follows(provider: str) -> str:
    """Return what a rail promises of money that goes back, in its own terms."""
    terms, rail = providers.refund_terms(provider), {"rail": provider_name(provider)}
    if terms is None:
        return ""
    said = [
        _("%(rail)s gives back the whole payment or a part of it.") % rail
        if terms.is_partial
        else _("%(rail)s gives back the whole payment.") % rail,
        _("It cannot be recalled, and its fee comes back too.")
        if terms.is_fee_returned
        else _("It cannot be recalled, and its fee stays paid."),
    ]
    return " ".join(said)


def others_decide() -> Notice:
    return Notice(
        _("Other people decide first"), _("Nothing leaves before they have approved."), tone="pending"
    )


def asked(refund: Refund) -> str:
    """Return what happened when somebody asked for a refund."""
    if refund.status == RefundStatus.AWAITING_APPROVAL:
        return _("Refund of %(amount)s asked for; it waits for approval.") % {"amount": refund.money}
    rail = provider_name(refund.provider)
    return _("Refund of %(amount)s is on its way to %(rail)s.") % {"amount": refund.money, "rail": rail}


class PartRefundForm(PartForm, ReasonForm):
    """How much goes back, where a rail gives back parts, and why."""

    too_much: ClassVar[Any] = gettext_lazy("%(left)s of this payment can go back.")
    field_order = ("amount", "reason")


class WhichPartForm(ReasonForm):
    """Which of the sums that paid a payment goes back, and why."""

    part = forms.ChoiceField(label=gettext_lazy("Which of them goes back"))
    field_order = ("part", "reason")

    def __init__(self, data: Any = None, *, parts: Sequence[PaymentAttempt]) -> None:
        super().__init__(data)
        choices = [(str(one.id), f"{one.provider_receipt}: {one.refundable}") for one in parts]
        self.fields["part"].choices = choices  # type: ignore[attr-defined]


class RefundPayment(Dialog):
    """Give a payment back, whole or a part of it, or one of the sums that paid it; over a limit other people decide first."""

    name = "refund"
    label = gettext_lazy("Refund…")
    icon = "undo"
    permission = "payments.refund"
    steps_up = True
    is_danger = True
    form_class = ReasonForm

    def is_offered(self, row: PaymentIntent) -> bool:
        return row.status in MONEY_STATES and any(one.refundable_minor for one in _paying(row))

    def hindrance(self, row: PaymentIntent) -> str:
        attempt = _one(row)
        if attempt is None:
            return ""
        is_known = bool(attempt.provider_receipt) and attempt.is_amount_reported
        return hindrance(attempt.provider, is_receipt_known=is_known)

    def content(self, request: HttpRequest, rows: Sequence[PaymentIntent]) -> Content:  # noqa: ARG002 (the rows say all)
        intent = rows[0]
        attempt = _one(intent)
        if attempt is None:
            return _of_parts(intent)
        received = (attempt.received if attempt else None) or intent.money
        money = _left(intent)
        is_partial = _is_partial(intent)
        receipt = attempt.provider_receipt if attempt else ""
        rule = rules.matching(kind=REFUND.name, money=money, branch_id=intent.branch_id)
        is_decided_first = rule is not None
        phone = masked_phone(intent.payer_phone)
        return Content(
            title=_("Refund payment %(receipt)s") % {"receipt": receipt or intent.reference},
            button=_button(money, is_partial=is_partial, is_decided_first=is_decided_first),
            money=money,
            about=_("To %(payer)s, %(phone)s") % {"payer": intent.payer_name, "phone": phone}
            if intent.payer_name and phone
            else _("To %(payer)s") % {"payer": intent.payer_name or phone or _("who sent it")},
            notices=[others_decide()] if is_decided_first else [],
            effects=[
                Effect(_("Received"), received),
                *([Effect(_("Gone back, or on its way"), money - received)] if money != received else []),
                *([] if is_partial else [Effect(_("This refund"), -money)]),
                Effect(
                    _("May go back") if is_partial else _("Left of this payment"),
                    money if is_partial else Money.zero(money.currency),
                    is_result=True,
                ),
            ],
            next_step=what_follows(attempt.provider if attempt else ""),
            typed_money=money if is_decided_first and not is_partial else None,
            version=f"{intent.status}:{attempt.refunded_minor if attempt else 0}",
        )

    def form(self, request: HttpRequest, rows: Sequence[PaymentIntent], data: Any = None) -> forms.Form:  # noqa: ARG002 (the rows say all)
        [intent] = rows
        if _one(intent) is None:
            return WhichPartForm(data, parts=_left_parts(intent))
        return PartRefundForm(data, left=_left(intent)) if _is_partial(intent) else ReasonForm(data)

    def act(self, row: PaymentIntent, answer: Answer) -> str:
        refund = refunds.create(
            intent_id=row.id,
            attempt_id=UUID(answer.data["part"]) if "part" in answer.data else None,
            money=answer.data.get("amount"),
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
            nonce=answer.nonce,
        )
        return asked(refund)


def _paying(intent: PaymentIntent) -> list[PaymentAttempt]:
    """Return the attempts whose money paid a payment."""
    if intent.is_in_parts:
        return list(attempts.parts(intent.id))
    return [intent.current_attempt] if intent.current_attempt else []


def _left_parts(intent: PaymentIntent) -> list[PaymentAttempt]:
    return [one for one in _paying(intent) if one.refundable_minor]


def _one(intent: PaymentIntent) -> PaymentAttempt | None:
    """Return the attempt whose money would go back; None where several can."""
    left = _left_parts(intent)
    return (left[0] if left else intent.current_attempt) if len(left) < 2 else None  # noqa: PLR2004 (one of several)


def _of_parts(intent: PaymentIntent) -> Content:
    """Return what a person reads who is to say which of several sums goes back."""
    left = _left_parts(intent)
    sums = [one.refundable for one in left if one.refundable]
    rule = rules.matching(kind=REFUND.name, money=max(sums), branch_id=intent.branch_id)
    return Content(
        title=_("Refund a part of payment %(code)s") % {"code": intent.code},
        button=_("Ask for it back") if rule else _("Refund"),
        about=_("Several sums paid this. One of them goes back at a time."),
        notices=[others_decide()] if rule else [],
        effects=[Effect(one.provider_receipt, one.refundable or "") for one in left],
        next_step=what_follows(left[0].provider),
        version=f"{intent.status}:{intent.paid_minor}",
    )


def _left(intent: PaymentIntent) -> Money:
    attempt = _one(intent)
    return (attempt.refundable if attempt else None) or intent.money


def _is_partial(intent: PaymentIntent) -> bool:
    attempt = _one(intent)
    terms = providers.refund_terms(attempt.provider) if attempt else None
    return terms is not None and terms.is_partial


def _button(money: Money, *, is_partial: bool, is_decided_first: bool) -> str:
    if is_partial:
        return _("Ask for it back") if is_decided_first else _("Refund")
    told = {"amount": money}
    return _("Ask for %(amount)s back") % told if is_decided_first else _("Refund %(amount)s") % told


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
        rail = {"rail": provider_name(refund.provider)}
        return Content(
            title=_("Verify the refund of %(receipt)s") % {"receipt": refund.payment_receipt},
            button=_("Ask about %(amount)s") % {"amount": refund.money},
            money=refund.money,
            about=_("Write the receipt here, or nothing: then %(rail)s is asked about the request itself.")
            % rail
            if refund.can_be_asked_by_ticket
            else _("Find the reversal in the provider's statement and write its receipt here."),
            next_step=_("%(rail)s is asked; the refund settles only if receipt, sum and payer agree.") % rail,
            version=refund.status,
        )

    def act(self, row: Refund, answer: Answer) -> str:
        refunds.verify(refund_id=row.id, receipt=answer.data["receipt"], actor=answer.actor, now=answer.now)
        told = {"rail": provider_name(row.provider), "receipt": answer.data["receipt"] or row.payment_receipt}
        if not answer.data["receipt"]:
            return _("%(rail)s has been asked about the refund of %(receipt)s.") % told
        return _("%(rail)s has been asked about %(receipt)s.") % told
