"""Reading what became of registering addresses."""

from uuid import UUID

from apps.access.selectors import memberships
from apps.integrations.contracts import RegistrationFact, RegistrationStatus
from apps.integrations.models import AddressRegistration


def latest(account_id: UUID) -> RegistrationFact | None:
    """Return the last answer of the provider about an account's addresses, or None. For internal use: no caller's scope is asked."""
    found = AddressRegistration.objects.latest_of(account_id).first()
    if found is None:
        return None
    person = found.registered_by.partition(":")[2]
    return RegistrationFact(
        status=RegistrationStatus(found.status),
        at=found.registered_at,
        by=memberships.names_of([person]).get(person, ""),
        message=found.message,
    )
