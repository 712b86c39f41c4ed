"""The lists of payments, refunds and suspense as exports: what the screen shows, phones masked as there."""

from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.jobs.contracts import Choice, Column, Reach, Source, ValueKind, declare_source
from apps.kit import ids
from apps.kit.admin import masked_phone
from apps.payments.contracts import CLOSED, DOUBTS, Doubt, InboundStatus, IntentStatus, RefundStatus
from apps.payments.models import InboundReceipt, PaymentAttempt, PaymentIntent, Refund, phone
from apps.payments.models.inbound import WAITING_STATES
from apps.payments.selectors import doubts, inbound_receipts, intents, refunds, suspense

AGES = {age.key: age.title for age in suspense.AGES}


def _rows(reach: Reach) -> QuerySet[PaymentIntent]:
    payments = PaymentIntent.objects.of_branches(None if reach.branch_ids is None else set(reach.branch_ids))
    chosen = None if reach.application_ids is None else set(reach.application_ids)
    return payments.of_applications(chosen).order_by("-id")


def _refund_rows(reach: Reach) -> QuerySet[Refund]:
    rows = Refund.objects.of_branches(None if reach.branch_ids is None else set(reach.branch_ids))
    chosen = None if reach.application_ids is None else set(reach.application_ids)
    return rows.of_applications(chosen).order_by("-id")


def _held_rows(reach: Reach) -> QuerySet[InboundReceipt]:
    """Return what was put aside; of what waits, a reach of applications holds what seems to pay their payments."""
    branch_ids = None if reach.branch_ids is None else set(reach.branch_ids)
    application_ids = None if reach.application_ids is None else set(reach.application_ids)
    rows = InboundReceipt.objects.of_branches(branch_ids).of_applications(application_ids)
    return rows.held().order_by("-id")


def _of_doubt(
    rows: QuerySet[PaymentIntent], values: tuple[str, ...], now: datetime
) -> QuerySet[PaymentIntent]:
    return reduce(or_, [doubts.of(value, rows, now=now) for value in values]) if values else rows


def _of_closed(
    rows: QuerySet[PaymentIntent], values: tuple[str, ...], now: datetime
) -> QuerySet[PaymentIntent]:
    return intents.closed_today(rows, now=now) if values else rows


def _of_standing(
    rows: QuerySet[InboundReceipt],
    values: tuple[str, ...],
    now: datetime,  # noqa: ARG001 (the same at every time)
) -> QuerySet[InboundReceipt]:
    return reduce(or_, [suspense.standing(rows, value) for value in values or ("",)])


def _of_owner(
    rows: QuerySet[InboundReceipt],
    values: tuple[str, ...],
    now: datetime,  # noqa: ARG001 (the same at every time)
) -> QuerySet[InboundReceipt]:
    return suspense.of_owners(rows, values) if values else rows


def _of_received_age(rows: QuerySet[Any], values: tuple[str, ...], now: datetime) -> QuerySet[Any]:
    return _of_age(rows, values, "received_at", now)


def _of_booked_age(rows: QuerySet[Any], values: tuple[str, ...], now: datetime) -> QuerySet[Any]:
    return _of_age(rows, values, "booked_at", now)


def _of_age(rows: QuerySet[Any], values: tuple[str, ...], field: str, now: datetime) -> QuerySet[Any]:
    chosen = [suspense.of_age(rows, value, field=field, now=now) for value in values]
    return reduce(or_, chosen) if chosen else rows


def _suspended_rows(reach: Reach) -> QuerySet[PaymentAttempt]:
    return suspense.within(reach.branch_ids, reach.application_ids).order_by("-id")


def _id(value: UUID) -> str:
    return ids.encode("pi", value)


def _refund_id(value: UUID) -> str:
    return ids.encode("re", value)


def _word(value: Any) -> str:
    return str(value).replace("_", " ").capitalize()


STANDINGS = {
    **{state: _word(state) for state in WAITING_STATES},
    InboundStatus.UNCONFIRMED.value: _("Not confirmed yet"),
    suspense.DECIDED: _("Decided"),
}


PAYMENTS = declare_source(
    Source(
        name="payments",
        title=_("Payments"),
        permission="payments.view",
        scope="payments:read",
        columns=(
            Column(_("Created"), "created_at", ValueKind.INSTANT),
            Column(_("Payment"), "id", shown=_id),
            Column(_("Branch"), "branch__name"),
            Column(_("Payer"), "payer_name"),
            Column(_("Phone"), "payer_phone", shown=masked_phone),
            Column(_("Reference"), "reference"),
            Column(_("Description"), "description"),
            Column(_("Rail"), "method", shown=_word),
            Column(_("Receipt"), "current_attempt__provider_receipt"),
            Column(_("Status"), "status", shown=_word),
            Column(_("Settled"), "settled_at", ValueKind.INSTANT),
            Column(_("Paid"), "paid_minor", ValueKind.MONEY, "currency"),
            Column(_("Amount"), "amount_minor", ValueKind.MONEY, "currency"),
        ),
        rows=_rows,
        branch_field="branch_id",
        day_field="created_at",
        choices=(
            Choice("status", _("Status"), "status", {state.value: _word(state) for state in IntentStatus}),
            Choice("doubt", _("Needs a look"), "", {str(each): DOUBTS[each] for each in Doubt}, _of_doubt),
            Choice("closed", _("Closed"), "", CLOSED, _of_closed),
        ),
        search=intents.found_by,
        list_names={
            "status": "status",
            "status__in": "status",
            "doubt": "doubt",
            "closed": "closed",
            "branch": "branch_id",
            "created_at_from": "from_date",
            "created_at_to": "to_date",
            "created_at__gte": "from_date",
            "q": "search",
        },
    )
)


REFUNDS = declare_source(
    Source(
        name="refunds",
        title=_("Refunds"),
        permission="payments.view",
        scope="refunds:read",
        columns=(
            Column(_("Asked"), "created_at", ValueKind.INSTANT),
            Column(_("Refund"), "id", shown=_refund_id),
            Column(_("Payment"), "intent_id", shown=_id),
            Column(_("Branch"), "branch__name"),
            Column(_("Payer"), "intent__payer_name"),
            Column(_("Phone"), "intent__payer_phone", shown=masked_phone),
            Column(_("Receipt of the payment"), "payment_receipt"),
            Column(_("Receipt of the refund"), "provider_receipt"),
            Column(_("Reason"), "reason"),
            Column(_("Status"), "status", shown=_word),
            Column(_("Refunded"), "refunded_at", ValueKind.INSTANT),
            Column(_("Amount"), "amount_minor", ValueKind.MONEY, "currency"),
        ),
        rows=_refund_rows,
        branch_field="branch_id",
        day_field="created_at",
        choices=(
            Choice("status", _("Status"), "status", {state.value: _word(state) for state in RefundStatus}),
        ),
        search=refunds.found_by,
        list_names={
            "status": "status",
            "branch": "branch_id",
            "created_at_from": "from_date",
            "created_at_to": "to_date",
            "q": "search",
        },
    )
)


SUSPENSE = declare_source(
    Source(
        name="suspense",
        title=_("Money in suspense"),
        permission="payments.view",
        scope="suspense:read",
        columns=(
            Column(_("Arrived"), "received_at", ValueKind.INSTANT),
            Column(_("Receipt"), "receipt"),
            Column(_("Branch"), "branch__name"),
            Column(_("Account"), "provider_account__label"),
            Column(_("Payer"), "payer_name"),
            Column(_("Phone"), "payer", shown=phone.shown),
            Column(_("Reference as typed"), "reference"),
            Column(_("Reason"), "reason"),
            Column(_("Owner"), "owner__user__name"),
            Column(_("Status"), "status", shown=_word),
            Column(_("Amount"), "amount_minor", ValueKind.MONEY, "currency"),
        ),
        rows=_held_rows,
        branch_field="branch_id",
        day_field="received_at",
        choices=(
            Choice(
                "state",
                _("State"),
                "",
                STANDINGS,
                _of_standing,
            ),
            Choice("owner", _("Owner"), "", suspense.owners, _of_owner),
            Choice("age", _("Age"), "", AGES, _of_received_age),
        ),
        search=inbound_receipts.found_by,
        list_names={"state": "state", "owner": "owner", "age": "age", "branch": "branch_id", "q": "search"},
    )
)


SUSPENDED_PAYMENTS = declare_source(
    Source(
        name="suspended_payments",
        title=_("Money of payments in suspense"),
        permission="payments.view",
        scope="payments:read",
        columns=(
            Column(_("Arrived"), "booked_at", ValueKind.INSTANT),
            Column(_("Receipt"), "provider_receipt"),
            Column(_("Payment"), "intent_id", shown=_id),
            Column(_("Branch"), "branch__name"),
            Column(_("Payer"), "intent__payer_name"),
            Column(_("Phone"), "phone", shown=masked_phone),
            Column(_("Reference"), "intent__reference"),
            Column(_("Status"), "intent__status", shown=_word),
            Column(_("Asked"), "amount_minor", ValueKind.MONEY, "currency"),
            Column(_("Amount"), "received_minor", ValueKind.MONEY, "received_currency"),
        ),
        rows=_suspended_rows,
        branch_field="branch_id",
        day_field="booked_at",
        choices=(Choice("age", _("Age"), "", AGES, _of_booked_age),),
        search=suspense.found_by,
        list_names={"age": "age", "branch": "branch_id", "q": "search"},
    )
)
