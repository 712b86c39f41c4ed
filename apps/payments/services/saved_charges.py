"""Charges of saved methods: whether a payment may be taken by one without its payer."""

from uuid import UUID

from apps.kit import errors
from apps.payments.contracts import Choice
from apps.payments.contracts.saving import ConsentUse, SavedMethodStatus
from apps.payments.models import SavedMethod

POINTER = "/saved_method_id"
NOT_ACTIVE = "This way to pay has not been saved, or is forgotten. Ask the payer."


class SavedMethodUnknown(errors.Invalid):
    """There is no such saved method of this application, in the branch of the payment, paid by its method."""

    code = "saved_method_unknown"
    title = "Saved method unknown"


class SavedMethodNotActive(errors.DomainError):
    """The provider does not keep it, or not any more."""

    code = "saved_method_not_active"
    title = "Saved method not active"


class ConsentMissing(errors.DomainError):
    """The payer agreed to be charged only while he is there."""

    code = "consent_missing"
    title = "Consent missing"


def required(choice: Choice, *, branch_id: UUID, application_id: UUID) -> SavedMethod | None:
    """
    Return the saved method of a choice, None where it names none, after every check.

    Raises SavedMethodUnknown, the same for that of another application or branch, SavedMethodNotActive and ConsentMissing.
    """
    if choice.saved_method_id is None:
        return None
    own = SavedMethod.objects.filter(branch_id=branch_id, application_id=application_id)
    saved = own.filter(id=choice.saved_method_id, provider=choice.method.provider).first()
    if saved is None:
        message = "There is no such saved method for this payment."
        raise SavedMethodUnknown(
            message, errors=[errors.FieldError(POINTER, SavedMethodUnknown.code, message)]
        )
    if saved.status != SavedMethodStatus.ACTIVE:
        raise SavedMethodNotActive(NOT_ACTIVE)
    if saved.consent_use != ConsentUse.OFF_SESSION:
        raise ConsentMissing("The payer agreed to be charged only while he is there. Ask him on a page.")
    return saved


def is_still_allowed(saved_method_id: UUID) -> bool:
    """Say whether a method may be charged now; it stays so until the caller's transaction ends."""
    return SavedMethod.objects.locked().get(id=saved_method_id).is_chargeable
