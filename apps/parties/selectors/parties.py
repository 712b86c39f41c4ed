"""Finding parties, within what the caller may see."""

from django.db.models import Prefetch

from apps.access.selectors import scope
from apps.parties.models import ContactPoint, Party
from apps.parties.models.party import PartyQuerySet


def visible_to(caller: scope.Principal) -> PartyQuerySet:
    """Return the parties of the caller's branches with their contacts; a key sees those of its own application."""
    parties = Party.objects.of_branches(scope.branch_ids(caller))
    parties = parties.of_applications(scope.application_ids(caller))
    contacts = ContactPoint.objects.order_by("kind", "-is_primary", "value")
    return parties.prefetch_related(Prefetch("contacts", contacts))
