"""What people decide about money in suspense: whose it is, that it goes back, and who looks after it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.access.selectors import memberships
from apps.approvals.selectors import rules
from apps.kit.admin import masked_phone
from apps.kit.dialogs import Answer, Content, Dialog, Effect, ReasonForm
from apps.payments.contracts import REFUND, RESOLVE
from apps.payments.dialogs.refunds import asked, hindrance, others_decide, what_follows
from apps.payments.models import InboundReceipt, PaymentAttempt, phone
from apps.payments.selectors import intents
from apps.payments.services import confirmations, refunds, resolutions

CHOSEN = "payment"
"""The name by which an address proposes the payment that money is of."""


def _arrived(inbound: InboundReceipt) -> list[Effect]:
    """Return the lines that say which money it is."""
    return [
        Effect(_("Receipt"), inbound.receipt),
        Effect(_("Reference as typed"), inbound.reference or _("none typed")),
        Effect(
            _("Payer"),
            " ".join(filter(None, [inbound.payer_name, phone.shown(inbound.payer)])) or _("Not named"),
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

    def form(self, request: HttpRequest, rows: Sequence[InboundReceipt], data: Any = None) -> forms.Form:
        seems = rows[0].intent
        likely = seems.code if seems and not seems.is_done else ""
        return PaymentNamedForm(data, initial={"payment_id": request.GET.get(CHOSEN, "") or likely})

    def content(self, request: HttpRequest, rows: Sequence[InboundReceipt]) -> Content:  # noqa: ARG002 (the row says all)
        [inbound] = rows
        return Content(
            title=_("Assign %(receipt)s") % {"receipt": inbound.receipt},
            button=_("Assign %(amount)s") % {"amount": inbound.money},
            money=inbound.money,
            about=inbound.reason,
            effects=_arrived(inbound),
            next_step=_(
                "A payment of this very sum is settled with it, closed or not; less than is due pays a part where parts are taken. It cannot be taken back here; the payment can be refunded."
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

    def hindrance(self, row: InboundReceipt) -> str:
        return hindrance(row.provider, is_receipt_known=True)

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
            notices=[others_decide()] if is_decided_first else [],
            effects=_arrived(inbound),
            next_step=what_follows(inbound.provider),
            typed_money=inbound.money if is_decided_first else None,
            version=inbound.status,
        )

    def act(self, row: InboundReceipt, answer: Answer) -> str:
        refund = resolutions.give_back(
            inbound_id=row.id, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return asked(refund)


class ConfirmMoney(Dialog):
    """Have the provider asked once more whether money has come that it has not confirmed."""

    name = "confirm"
    label = gettext_lazy("Ask again…")
    icon = "sync"
    permission = RESOLVE
    form_class = ReasonForm

    def is_offered(self, row: InboundReceipt) -> bool:
        return row.is_unconfirmed

    def content(self, request: HttpRequest, rows: Sequence[InboundReceipt]) -> Content:  # noqa: ARG002 (the row says all)
        [inbound] = rows
        return Content(
            title=_("Ask about %(receipt)s once more") % {"receipt": inbound.receipt},
            button=_("Ask now"),
            money=inbound.money,
            about=inbound.reason,
            effects=_arrived(inbound),
            next_step=_("It moves no money. It is booked once the provider confirms receipt and sum."),
            version=inbound.status,
        )

    def act(self, row: InboundReceipt, answer: Answer) -> str:
        reason = answer.data["reason"]
        confirmations.ask_again(inbound_id=row.id, reason=reason, actor=answer.actor, now=answer.now)
        return _("The provider is being asked about %(receipt)s.") % {"receipt": row.receipt}


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


class HandOverForm(ReasonForm):
    """To whom, and why."""

    member = forms.ChoiceField(label=gettext_lazy("To whom"))
    field_order = ("member", "reason")


class HandMoneyOver(Dialog):
    """Make somebody else the owner of money in suspense."""

    name = "hand-over"
    label = gettext_lazy("Hand over…")
    icon = "forward"
    permission = RESOLVE
    on_selection = True

    def is_offered(self, row: InboundReceipt) -> bool:
        return row.is_waiting

    def form(self, request: HttpRequest, rows: Sequence[InboundReceipt], data: Any = None) -> forms.Form:  # noqa: ARG002 (the rows say all)
        form = HandOverForm(data)
        able = memberships.able(RESOLVE, branch_ids={row.branch_id for row in rows})
        owners = {row.owner_id for row in rows}
        form.fields["member"].choices = [  # type: ignore[attr-defined]
            (str(member.id), f"{member.user.name}, {member.role.name}")
            for member in able
            if owners != {member.id}
        ]
        return form

    def content(self, request: HttpRequest, rows: Sequence[InboundReceipt]) -> Content:  # noqa: ARG002 (the rows say all)
        count = len(rows)
        return Content(
            title=ngettext("Hand %(receipt)s over", "Hand %(count)d receipts over", count)
            % {"receipt": rows[0].receipt, "count": count},
            button=_("Hand over"),
            effects=[Effect(inbound.receipt, inbound.money) for inbound in rows],
            next_step=_(
                "It stands in his queue from now on. Only people who may decide about it can be chosen."
            ),
            version=",".join(str(inbound.owner_id) for inbound in rows),
        )

    def act(self, row: InboundReceipt, answer: Answer) -> str:
        handed = resolutions.hand_over(
            inbound_id=row.id,
            member_id=UUID(answer.data["member"]),
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("%(receipt)s: %(name)s looks after it.") % {
            "receipt": row.receipt,
            "name": handed.owner.user.name if handed.owner else "",
        }


class GiveLateMoneyBack(Dialog):
    """Send the money of a payment that waits in suspense back to its payer; over a limit other people decide first."""

    name = "give-back"
    label = gettext_lazy("Give back…")
    icon = "undo"
    permission = "payments.refund"
    steps_up = True
    is_danger = True
    on_rows = True
    form_class = ReasonForm

    def is_offered(self, row: PaymentAttempt) -> bool:
        return row.is_in_suspense and not row.refund_pending_minor and bool(row.refundable_minor)

    def hindrance(self, row: PaymentAttempt) -> str:
        is_known = bool(row.provider_receipt) and row.is_amount_reported
        return hindrance(row.provider, is_receipt_known=is_known)

    def content(self, request: HttpRequest, rows: Sequence[PaymentAttempt]) -> Content:  # noqa: ARG002 (the row says all)
        [attempt] = rows
        money = attempt.received or attempt.money
        rule = rules.matching(kind=REFUND.name, money=money, branch_id=attempt.branch_id)
        is_decided_first = rule is not None
        return Content(
            title=_("Give %(receipt)s back") % {"receipt": attempt.provider_receipt},
            button=_("Ask for %(amount)s back") % {"amount": money}
            if is_decided_first
            else _("Give %(amount)s back") % {"amount": money},
            money=money,
            about=" ".join(filter(None, [attempt.intent.payer_name, masked_phone(attempt.phone)])),
            notices=[others_decide()] if is_decided_first else [],
            effects=[
                Effect(_("Payment"), attempt.intent.reference or attempt.intent.code),
                Effect(_("Asked"), attempt.intent.money),
            ],
            next_step=what_follows(attempt.provider),
            typed_money=money if is_decided_first else None,
            version=f"{attempt.refunded_minor}",
        )

    def act(self, row: PaymentAttempt, answer: Answer) -> str:
        refund = refunds.give_back(
            attempt_id=row.id, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return asked(refund)
