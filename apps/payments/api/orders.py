"""What bodies ask for, in the words of the services: one payment, or many of which each is read by itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.exceptions import ValidationError

from apps.access.contracts import Caller
from apps.access.selectors import branches
from apps.kit import errors, ids, problems, redaction
from apps.kit.models import is_storable
from apps.payments.api.bulk_serializers import BulkPaymentIn
from apps.payments.api.serializers import PaymentIntentIn
from apps.payments.contracts import NewIntent
from apps.payments.contracts.bulks import BulkOrder


def read(body: PaymentIntentIn, caller: Caller) -> NewIntent:
    """Return what a valid body asks for; raise MethodRequired, BranchUnknown or BranchForbidden."""
    data = body.validated_data
    payable = data.get("payable", {})
    return NewIntent(
        money=data["amount"],
        branch_id=branches.chosen(caller, data.get("branch_id")).id,
        application_id=caller.application_id,
        choice=body.choice(),
        reference=data["reference"],
        payable_type=payable.get("type", ""),
        payable_id=payable.get("id", ""),
        is_repeat_refused=not data["force"],
        description=data["description"],
        metadata=data["metadata"],
        is_confirmed=data["confirm"],
        is_captured=data["capture"],
    )


def read_each(found: Sequence[Any], caller: Caller) -> list[BulkOrder]:
    """Return what each of these asks for, or why it cannot be; none stops another."""
    return [_order(each, caller) for each in found]


def _order(found: Any, caller: Caller) -> BulkOrder:
    body = BulkPaymentIn(data=found)
    try:
        body.is_valid(raise_exception=True)
        request = read(body, caller)
    except (ValidationError, errors.DomainError, ids.InvalidId) as error:
        return BulkOrder(_reference(found), refusal=problems.as_domain_error(error))
    return BulkOrder(request.reference, request)


def _reference(found: Any) -> str:
    """Return the reference of what was refused as far as it may be kept, so that its sender recognises it."""
    text = found.get("reference") if isinstance(found, Mapping) else None
    if not isinstance(text, str) or not is_storable(text) or redaction.has_card(text):
        return ""
    return text[:64]
