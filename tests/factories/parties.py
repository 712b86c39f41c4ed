"""Parties for tests."""

from typing import Any

from apps.kit.actors import SYSTEM
from apps.parties.contracts import Contact, ContactKind, NewParty, PartyFacts, PartyKind
from apps.parties.models import Party
from apps.parties.services import parties
from tests.factories import access

NOW = access.NOW
PHONE = Contact(ContactKind.PHONE, "0712 345 678", is_primary=True)


def wanted(*, external_id: str = "", kind: PartyKind = PartyKind.CUSTOMER, **facts: Any) -> NewParty:
    return NewParty(
        kind=kind,
        branch_id=facts.pop("branch_id", None) or access.head_office().id,
        application_id=facts.pop("application_id", None) or access.application().id,
        external_id=external_id,
        facts=PartyFacts(**{"display_name": "Njeri Kamau", "contacts": (PHONE,), **facts}),
    )


def party(**facts: Any) -> Party:
    return parties.create(request=wanted(**facts), actor=SYSTEM, now=NOW)
