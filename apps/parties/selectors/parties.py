"""Finding parties, within what the caller may see."""

from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from apps.access.selectors import scope
from apps.access.selectors.branches import BranchForbidden
from apps.kit import errors, phones
from apps.parties.models import ContactPoint, Party
from apps.parties.models.party import PartyQuerySet


def visible_to(caller: scope.Principal) -> PartyQuerySet:
    """
    Return the parties of the caller's branches with their contacts, or of all where the organisation shares them; a key
    sees those of its own application.
    """
    parties = Party.objects.of_branches(scope.party_branch_ids(caller))
    parties = parties.of_applications(scope.application_ids(caller))
    contacts = ContactPoint.objects.order_by("kind", "-is_primary", "value")
    return parties.prefetch_related(Prefetch("contacts", contacts))


def get(caller: scope.Principal, party_id: UUID) -> Party:
    """Return one party with its contacts; raise NotFound for one that is not visible to the caller."""
    party = visible_to(caller).filter(id=party_id).first()
    if party is None:
        raise errors.NotFound("There is no such party.")
    return party


def require_own(caller: scope.Principal, party: Party) -> None:
    """Refuse to change a party of another branch, which may be seen where parties are shared. Raises BranchForbidden."""
    own = scope.branch_ids(caller)
    if own is not None and party.branch_id not in own:
        raise BranchForbidden("This party belongs to another branch, which alone changes it.")


def found_by(parties: QuerySet[Party], term: str) -> QuerySet[Party]:
    """Return those with this in their name, or that have exactly this tax PIN, external id, phone or e-mail address."""
    term = term.strip()
    if not term:
        return parties
    having = ContactPoint.objects.filter(value__in=_contact_forms(term)).values("party_id")
    return parties.filter(
        Q(display_name__icontains=term)
        | Q(legal_name__icontains=term)
        | Q(tax_pin=term.upper())
        | Q(external_id=term)
        | Q(id__in=having)
    )


def of_phone(phone: str) -> QuerySet[Party]:
    """Return the parties that have this phone, of every branch and application. The caller's scope is not asked."""
    if not phone:
        return Party.objects.none()
    return Party.objects.filter(id__in=ContactPoint.objects.filter(value=phone).values("party_id"))


def main_contact(party: Party) -> ContactPoint | None:
    """Return how to reach a party first: the primary phone, else the primary address, else any; reads what is loaded."""
    contacts = sorted(party.contacts.all(), key=lambda one: (not one.is_primary, one.kind != "PHONE"))
    return contacts[0] if contacts else None


def _contact_forms(term: str) -> list[str]:
    """Return a term as a contact would be stored."""
    try:
        return [phones.normalise(term, pointer="/search"), term.lower()]
    except errors.Invalid:
        return [term.lower()]
