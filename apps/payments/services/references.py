"""References: the application's own id of a payment, which names one payment only."""

from apps.kit import errors, ids
from apps.payments.contracts import NewIntent
from apps.payments.models import PaymentIntent


class DuplicateReference(errors.DomainError):
    """The application has used this reference for another payment."""

    code = "duplicate_reference"
    title = "Reference used before"


def refusal(request: NewIntent) -> DuplicateReference | None:
    """Return the refusal of a request that the database would not take, where another payment has its reference."""
    used = PaymentIntent.objects.filter(
        application_id=request.application_id, reference=request.reference
    ).first()
    if not request.reference or used is None:
        return None
    message = f"This reference belongs to {ids.encode('pi', used.id)}."
    return DuplicateReference(
        message, errors=[errors.FieldError("/reference", DuplicateReference.code, message)]
    )
