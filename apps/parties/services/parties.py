"""Parties: recorded, changed by whoever has read the present version, kept by an external id, and archived."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from apps.audit.services import records
from apps.kit import errors, ids, masks, metadata, phones
from apps.kit.actors import Actor
from apps.parties.contracts import PARTY, Contact, ContactKind, NewParty, PartyFacts
from apps.parties.models import ContactPoint, Party
from apps.parties.models.party import PartyQuerySet

ID_PREFIX = "pty"
TAX_PIN = re.compile(r"[AP][0-9]{9}[A-Z]")
OWN_FIELDS = ("display_name", "legal_name", "tax_pin", "language", "channel")


class PartyInvalid(errors.Invalid):
    """What is said of the party cannot be."""

    code = "party_invalid"
    title = "Party invalid"

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail, errors=[errors.FieldError(pointer, self.code, detail)])


class DuplicateParty(errors.DomainError):
    """The application has a party with this external id already."""

    code = "duplicate_party"
    title = "Party known already"


class PartyChanged(errors.DomainError):
    """Somebody changed the party after it was read."""

    code = "party_changed"
    title = "Changed meanwhile"


@transaction.atomic
def create(*, request: NewParty, actor: Actor, now: datetime) -> Party:
    """Record a party with its contacts. Raises PartyInvalid, PhoneInvalid, or DuplicateParty naming the known one."""
    facts = request.facts
    contacts = _checked(facts)
    party = Party(
        kind=request.kind,
        branch_id=request.branch_id,
        application_id=request.application_id,
        external_id=request.external_id,
        created_by=str(actor),
        created_at=now,
        updated_at=now,
        metadata=_metadata(facts.metadata or {}),
        **{name: getattr(facts, name) for name in OWN_FIELDS},
    )
    try:
        with transaction.atomic():
            party.save(force_insert=True)
    except IntegrityError:
        _refuse_duplicate(request)
        raise
    _write_contacts(party, contacts)
    _audit("party.created", party, actor, now, {"display_name": [None, party.display_name]})
    return party


@transaction.atomic
def change(
    *, party_id: UUID, version: int, facts: PartyFacts | Mapping[str, Any], actor: Actor, now: datetime
) -> Party:
    """
    Change what is said of a party to ``facts``, contacts included, or only those of them that a mapping names.

    ``version`` is the one that was read. Raises NotFound, PartyChanged, PartyInvalid or PhoneInvalid.
    """
    party = _locked(party_id)
    if party.version != version:
        raise PartyChanged(f"Version {party.version} is the present one. Read the party again.")
    known = _contacts(party)
    if not isinstance(facts, PartyFacts):
        own = {name: getattr(party, name) for name in OWN_FIELDS}
        facts = PartyFacts(**{**own, "contacts": tuple(known), **facts})
    contacts = _checked(facts)
    changes: dict[str, Any] = {
        name: [getattr(party, name), str(getattr(facts, name))]
        for name in OWN_FIELDS
        if getattr(party, name) != getattr(facts, name)
    }
    if "tax_pin" in changes:
        changes["tax_pin"] = [masks.tax_pin(pin) for pin in changes["tax_pin"]]
    if set(known) != set(contacts):
        changes["contacts"] = [_shown(known), _shown(contacts)]
    if facts.metadata is not None and dict(facts.metadata) != party.metadata:
        kept = _metadata(facts.metadata)
        changes["metadata"] = [_names_changed(party.metadata, kept), _names_changed(kept, party.metadata)]
        party.metadata = kept
    for name in OWN_FIELDS:
        setattr(party, name, getattr(facts, name))
    party.version += 1
    party.updated_at = now
    party.save(update_fields=[*OWN_FIELDS, "metadata", "version", "updated_at"])
    party.contacts.all().delete()
    _write_contacts(party, contacts)
    _audit("party.changed", party, actor, now, changes)
    return party


@transaction.atomic
def keep(*, request: NewParty, actor: Actor, now: datetime) -> tuple[Party, bool]:
    """
    Let what is said be what is known of the application's party with this external id; return it and whether it is new.

    However often and from however many callers at once: one party, and a repetition changes nothing. Kind and branch
    stay those that it was recorded with. Raises PartyInvalid or PhoneInvalid.
    """
    party = _known(request).locked().first()
    if party is None:
        try:
            return create(request=request, actor=actor, now=now), True
        except DuplicateParty:
            party = _known(request).locked().get()
    if party.kind != request.kind:
        raise PartyInvalid("/kind", "It was recorded as another kind, and stays that.")
    if party.branch_id != request.branch_id:
        raise PartyInvalid("/branch_id", "It was recorded for another branch, and stays there.")
    if _says(party, request.facts):
        return party, False
    version = party.version
    return change(party_id=party.id, version=version, facts=request.facts, actor=actor, now=now), False


@transaction.atomic
def archive(*, party_id: UUID, actor: Actor, now: datetime) -> Party:
    """Offer a party no longer; a second time changes nothing. Raises NotFound."""
    party = _locked(party_id)
    if party.archived_at is not None:
        return party
    party.archived_at = now
    party.updated_at = now
    party.version += 1
    party.save(update_fields=["archived_at", "updated_at", "version"])
    _audit("party.archived", party, actor, now, {"archived_at": [None, now.isoformat()]})
    return party


def _locked(party_id: UUID) -> Party:
    party = Party.objects.locked().filter(id=party_id).first()
    if party is None:
        raise errors.NotFound("There is no such party.")
    return party


def _checked(facts: PartyFacts) -> list[Contact]:
    """Return the contacts in the form that is stored; raise for what cannot be."""
    if not facts.display_name.strip():
        raise PartyInvalid("/display_name", "Give the party a name.")
    if facts.tax_pin and not TAX_PIN.fullmatch(facts.tax_pin):
        raise PartyInvalid("/tax_pin", "A tax PIN is A or P, nine digits and a letter, as P051234567Q.")
    contacts = [_contact(contact, f"/contacts/{place}/value") for place, contact in enumerate(facts.contacts)]
    if len({(contact.kind, contact.value) for contact in contacts}) < len(contacts):
        raise PartyInvalid("/contacts", "Name each contact once.")
    primary = [contact.kind for contact in contacts if contact.is_primary]
    if len(set(primary)) < len(primary):
        raise PartyInvalid("/contacts", "One contact of a kind can be the primary one.")
    return contacts


def _metadata(said: Mapping[str, str]) -> dict[str, str]:
    try:
        return metadata.checked(said)
    except metadata.MetadataInvalid as refusal:
        pointer = f"/metadata/{refusal.key}" if refusal.key else "/metadata"
        raise PartyInvalid(pointer, str(refusal)) from None


def _names_changed(values: Mapping[str, str], others: Mapping[str, str]) -> list[str]:
    """Return what the audit trail keeps of metadata: the names alone, as the values may be anybody's data."""
    return sorted(name for name in values if values[name] != others.get(name))


def _contact(contact: Contact, pointer: str) -> Contact:
    if contact.kind == ContactKind.PHONE:
        return Contact(contact.kind, phones.normalise(contact.value, pointer=pointer), contact.is_primary)
    address = contact.value.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise PartyInvalid(pointer, "Write an e-mail address.") from None
    return Contact(contact.kind, address, contact.is_primary)


def _contacts(party: Party) -> list[Contact]:
    return [Contact(ContactKind(one.kind), one.value, one.is_primary) for one in party.contacts.all()]


def _shown(contacts: list[Contact]) -> list[str]:
    """Return contacts as the audit trail keeps them: to be recognised, not to be called."""
    return sorted(
        f"{one.kind.lower()} {_masked(one)}{', primary' if one.is_primary else ''}" for one in contacts
    )


def _masked(contact: Contact) -> str:
    if contact.kind == ContactKind.PHONE:
        return phones.masked(contact.value)
    return masks.email(contact.value)


def _write_contacts(party: Party, contacts: list[Contact]) -> None:
    ContactPoint.objects.bulk_create(
        ContactPoint(party=party, kind=one.kind, value=one.value, is_primary=one.is_primary)
        for one in contacts
    )


def _known(request: NewParty) -> PartyQuerySet:
    """Return the application's party with this external id; no external id is nobody's."""
    named = Party.objects.filter(application_id=request.application_id, external_id=request.external_id)
    return named.exclude(external_id="")


def _says(party: Party, facts: PartyFacts) -> bool:
    """Whether this is what is known of the party already."""
    same = all(getattr(party, name) == getattr(facts, name) for name in OWN_FIELDS)
    same = same and facts.metadata in (None, party.metadata)
    return same and set(_contacts(party)) == set(_checked(facts))


def contacts_seen(*, party: Party, actor: Actor, now: datetime) -> None:
    """Record that somebody was shown the contacts and the tax PIN of a party as they are, unmasked."""
    _audit("party.contacts_seen", party, actor, now, {})


def _refuse_duplicate(request: NewParty) -> None:
    party = _known(request).first()
    if party is not None:
        message = f"This external id is that of {ids.encode(ID_PREFIX, party.id)}."
        raise DuplicateParty(
            message, errors=[errors.FieldError("/external_id", DuplicateParty.code, message)]
        ) from None


def _audit(action: str, party: Party, actor: Actor, now: datetime, changes: dict[str, Any]) -> None:
    records.write(
        action=action,
        object_type=PARTY,
        object_id=str(party.id),
        actor=actor,
        now=now,
        changes=changes,
        branch=party.branch_id,
    )
