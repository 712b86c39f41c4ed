"""What crosses the border of parties: kinds, ways to reach somebody, and what is said of a party."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

PARTY = "party"
"""What the audit trail calls a party."""
CONTACTS_MAX = 20
"""How many contacts a party may have."""


class PartyKind(StrEnum):
    CUSTOMER = "CUSTOMER"
    SUPPLIER = "SUPPLIER"
    MERCHANT = "MERCHANT"
    RIDER = "RIDER"
    BRANCH = "BRANCH"


class ContactKind(StrEnum):
    PHONE = "PHONE"
    EMAIL = "EMAIL"


class Channel(StrEnum):
    """How a party wants to be written to."""

    SMS = "SMS"
    EMAIL = "EMAIL"
    WHATSAPP = "WHATSAPP"
    NONE = "NONE"


class Language(StrEnum):
    ENGLISH = "EN"
    KISWAHILI = "SW"


KINDS: Mapping[PartyKind, Any] = {
    PartyKind.CUSTOMER: _("Customer"),
    PartyKind.SUPPLIER: _("Supplier"),
    PartyKind.MERCHANT: _("Merchant"),
    PartyKind.RIDER: _("Rider"),
    PartyKind.BRANCH: _("Branch"),
}
CHANNELS: Mapping[Channel, Any] = {
    Channel.SMS: _("SMS"),
    Channel.EMAIL: _("E-mail"),
    Channel.WHATSAPP: _("WhatsApp"),
    Channel.NONE: _("Not at all"),
}
LANGUAGES: Mapping[Language, Any] = {Language.ENGLISH: _("English"), Language.KISWAHILI: _("Kiswahili")}
IN_USE, ARCHIVED = "IN_USE", "ARCHIVED"
STATES: Mapping[str, Any] = {IN_USE: _("In use"), ARCHIVED: _("Archived")}
"""What people call them."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One way to reach a party; a phone may be written as people write it in Kenya."""

    kind: ContactKind
    value: str
    is_primary: bool = False


@dataclass(frozen=True, slots=True)
class PartyFacts:
    """What is said of a party; ``contacts`` are all of them. ``metadata`` is its application's own; None leaves it as it is."""

    display_name: str
    legal_name: str = ""
    tax_pin: str = ""
    language: Language = Language.ENGLISH
    channel: Channel = Channel.SMS
    contacts: tuple[Contact, ...] = ()
    metadata: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class NewParty:
    """A party to record; ``external_id`` is the application's own id of it, once per application."""

    kind: PartyKind
    branch_id: UUID
    application_id: UUID
    facts: PartyFacts
    external_id: str = ""
