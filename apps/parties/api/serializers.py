"""Bodies of the parties API."""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from apps.kit.serializers import IdField, InstantField, MetadataField, StrictSerializer
from apps.parties.contracts import (
    CONTACTS_MAX,
    Channel,
    Contact,
    ContactKind,
    Language,
    PartyFacts,
    PartyKind,
)
from apps.parties.models import Party
from apps.parties.models.party import EXTERNAL_ID_LENGTH, NAME_LENGTH


def names(values: Any) -> list[str]:
    return [value.lower() for value in values]


class ContactIn(StrictSerializer):
    kind = serializers.ChoiceField(choices=names(ContactKind))
    value = serializers.CharField(max_length=254)
    is_primary = serializers.BooleanField(default=False)


class PartyFactsIn(StrictSerializer):
    display_name = serializers.CharField(max_length=NAME_LENGTH)
    legal_name = serializers.CharField(max_length=NAME_LENGTH, allow_blank=True, default="")
    tax_pin = serializers.CharField(max_length=11, allow_blank=True, default="")
    language = serializers.ChoiceField(choices=names(Language), default="en")
    channel = serializers.ChoiceField(choices=names(Channel), default="sms")
    contacts = serializers.ListField(child=ContactIn(), default=list, max_length=CONTACTS_MAX)
    metadata = MetadataField(default=dict)


class ExternalIdIn(StrictSerializer):
    """An application's own id of a party, as a path names it."""

    external_id = serializers.CharField(max_length=EXTERNAL_ID_LENGTH)


class PartyKeptIn(PartyFactsIn):
    """All that is known of a party; the branch is that of the key unless one is named."""

    kind = serializers.ChoiceField(choices=names(PartyKind))
    branch_id = IdField("br", required=False, allow_null=True, default=None)


class PartyIn(PartyKeptIn):
    """A new party; the branch is that of the key unless one is named."""

    external_id = serializers.CharField(max_length=EXTERNAL_ID_LENGTH, allow_blank=True, default="")


class PartyChangeIn(StrictSerializer):
    """What is to be different; ``version`` is the one that was read. Contacts, when named, replace all of them."""

    version = serializers.IntegerField(min_value=1)
    display_name = serializers.CharField(max_length=NAME_LENGTH, required=False)
    legal_name = serializers.CharField(max_length=NAME_LENGTH, allow_blank=True, required=False)
    tax_pin = serializers.CharField(max_length=11, allow_blank=True, required=False)
    language = serializers.ChoiceField(choices=names(Language), required=False)
    channel = serializers.ChoiceField(choices=names(Channel), required=False)
    contacts = serializers.ListField(child=ContactIn(), required=False, max_length=CONTACTS_MAX)
    metadata = MetadataField(required=False)


class ContactOut(serializers.Serializer):
    kind = serializers.ChoiceField(choices=names(ContactKind))
    value = serializers.CharField()
    is_primary = serializers.BooleanField()

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {"kind": instance.kind.lower(), "value": instance.value, "is_primary": instance.is_primary}


class PartyOut(serializers.Serializer):
    """Somebody the organisation deals with."""

    id = IdField("pty")
    object = serializers.CharField(read_only=True, default="party")
    kind = serializers.SerializerMethodField()
    display_name = serializers.CharField()
    legal_name = serializers.CharField()
    tax_pin = serializers.CharField()
    external_id = serializers.CharField()
    language = serializers.SerializerMethodField()
    channel = serializers.SerializerMethodField()
    contacts = ContactOut(many=True)
    metadata = MetadataField()
    branch_id = IdField("br")
    application_id = IdField("app")
    version = serializers.IntegerField()
    created_at = InstantField()
    updated_at = InstantField()
    archived_at = InstantField(allow_null=True)

    def get_kind(self, party: Party) -> str:
        return party.kind.lower()

    def get_language(self, party: Party) -> str:
        return party.language.lower()

    def get_channel(self, party: Party) -> str:
        return party.channel.lower()


READ: dict[str, Callable[[Any], Any]] = {
    "metadata": dict,
    "display_name": str,
    "legal_name": str,
    "tax_pin": str,
    "language": lambda said: Language(said.upper()),
    "channel": lambda said: Channel(said.upper()),
    "contacts": lambda said: tuple(
        Contact(ContactKind(one["kind"].upper()), one["value"], one["is_primary"]) for one in said
    ),
}


def named(body: dict[str, Any]) -> dict[str, Any]:
    """Return those facts of a party that a body names."""
    return {name: read(body[name]) for name, read in READ.items() if name in body}


def facts(body: dict[str, Any]) -> PartyFacts:
    """Return what a body with every field says of a party."""
    return PartyFacts(**named(body))
