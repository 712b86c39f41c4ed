"""The lists of payments and refunds as exports: what the screen shows, phones masked as there."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.jobs.contracts import Choice, Column, Reach, Source, ValueKind, declare_source
from apps.kit import ids
from apps.kit.admin import masked_phone
from apps.payments.contracts import IntentStatus, RefundStatus
from apps.payments.models import PaymentIntent, Refund
from apps.payments.selectors import intents, refunds


def _rows(reach: Reach) -> QuerySet[PaymentIntent]:
    payments = PaymentIntent.objects.of_branches(None if reach.branch_ids is None else set(reach.branch_ids))
    chosen = None if reach.application_ids is None else set(reach.application_ids)
    return payments.of_applications(chosen).order_by("-id")


def _refund_rows(reach: Reach) -> QuerySet[Refund]:
    rows = Refund.objects.of_branches(None if reach.branch_ids is None else set(reach.branch_ids))
    chosen = None if reach.application_ids is None else set(reach.application_ids)
    return rows.of_applications(chosen).order_by("-id")


def _id(value: UUID) -> str:
    return ids.encode("pi", value)


def _refund_id(value: UUID) -> str:
    return ids.encode("re", value)


def _word(value: Any) -> str:
    return str(value).replace("_", " ").capitalize()


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
            Column(_("Amount"), "amount_minor", ValueKind.MONEY, "currency"),
        ),
        rows=_rows,
        branch_field="branch_id",
        day_field="created_at",
        choices=(
            Choice("status", _("Status"), "status", {state.value: _word(state) for state in IntentStatus}),
        ),
        search=intents.found_by,
        list_names={
            "status": "status",
            "status__in": "status",
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
