"""Reading saved methods, within what a caller may see."""

from uuid import UUID

from django.db.models import QuerySet

from apps.access.selectors import scope
from apps.kit import errors
from apps.payments.contracts.saving import SavedMethodStatus
from apps.payments.models import SavedMethod
from apps.payments.models.saved_method import SavedMethodQuerySet


def visible_to(caller: scope.Principal) -> SavedMethodQuerySet:
    """Return the saved methods of the caller's branches; a key sees those of its own application, a person those of all."""
    found = SavedMethod.objects.of_branches(scope.branch_ids(caller))
    return found.of_applications(scope.application_ids(caller))


def get(caller: scope.Principal, method_id: UUID) -> SavedMethod:
    """Return one saved method; raise NotFound for one that is not visible to the caller."""
    saved = visible_to(caller).filter(id=method_id).first()
    if saved is None:
        raise errors.NotFound("There is no such saved method.")
    return saved


def is_requested(method_id: UUID) -> bool:
    """Say whether the provider is still being asked for its page. For internal use: no caller's scope is asked."""
    return SavedMethod.objects.filter(id=method_id, status=SavedMethodStatus.REQUESTED.value).exists()


def found_by(saved: QuerySet[SavedMethod], term: str) -> QuerySet[SavedMethod]:
    """Return those of the payer that an application's id names exactly; all of them for an empty term."""
    return saved.filter(payer_reference=term.strip()) if term.strip() else saved
