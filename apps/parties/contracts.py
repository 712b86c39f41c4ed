"""What crosses the border of parties: kinds, ways to reach somebody, and what is said of a party."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


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


@dataclass(frozen=True, slots=True)
class Contact:
    """One way to reach a party; a phone may be written as people write it in Kenya."""

    kind: ContactKind
    value: str
    is_primary: bool = False


@dataclass(frozen=True, slots=True)
class PartyFacts:
    """What is said of a party; ``contacts`` are all of them."""

    display_name: str
    legal_name: str = ""
    tax_pin: str = ""
    language: Language = Language.ENGLISH
    channel: Channel = Channel.SMS
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True)
class NewParty:
    """A party to record; ``external_id`` is the application's own id of it, once per application."""

    kind: PartyKind
    branch_id: UUID
    application_id: UUID
    facts: PartyFacts
    external_id: str = ""
