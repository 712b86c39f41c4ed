"""The forms of parties in the portal: they read input, the services judge it."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from apps.access.selectors import branches
from apps.access.selectors.scope import Principal
from apps.kit import phones
from apps.parties.contracts import (
    CHANNELS,
    CONTACTS_MAX,
    KINDS,
    LANGUAGES,
    Channel,
    Contact,
    ContactKind,
    Language,
    PartyFacts,
)
from apps.parties.models import Party
from apps.parties.models.party import EXTERNAL_ID_LENGTH, NAME_LENGTH

ADDRESS = forms.EmailField()


class LinesField(forms.CharField):
    """Several values, one on each line."""

    def __init__(self, label: Any) -> None:
        super().__init__(
            label=label,
            required=False,
            help_text=_("One on each line; the first is the primary one."),
            widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
        )

    def clean(self, value: Any) -> list[str]:
        lines = [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]
        if len(lines) > CONTACTS_MAX:
            raise ValidationError(_("Name %(many)d at most."), params={"many": CONTACTS_MAX})
        return lines


class PartyForm(forms.Form):
    """What is said of a party."""

    display_name = forms.CharField(label=_("Name"), max_length=NAME_LENGTH)
    legal_name = forms.CharField(label=_("Legal name"), max_length=NAME_LENGTH, required=False)
    tax_pin = forms.CharField(
        label=_("Tax PIN"), max_length=11, required=False, help_text=_("As P051234567Q.")
    )
    phones = LinesField(_("Phones"))
    emails = LinesField(_("E-mail addresses"))
    channel = forms.ChoiceField(
        label=_("Written to by"), choices=[(name.value, word) for name, word in CHANNELS.items()]
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=[(name.value, word) for name, word in LANGUAGES.items()]
    )

    def clean_tax_pin(self) -> str:
        return str(self.cleaned_data["tax_pin"]).upper()

    def clean_phones(self) -> list[str]:
        """Say here which number is none: the service counts all contacts together."""
        try:
            return [phones.normalise(line, pointer="/phones") for line in self.cleaned_data["phones"]]
        except phones.PhoneInvalid as refusal:
            raise ValidationError(refusal.detail) from None

    def clean_emails(self) -> list[str]:
        return [ADDRESS.clean(line) for line in self.cleaned_data["emails"]]


class NewPartyForm(PartyForm):
    """A new party, and the branch whose it is."""

    kind = forms.ChoiceField(label=_("Kind"), choices=[(name.value, word) for name, word in KINDS.items()])
    branch = forms.ChoiceField(label=_("Branch"))
    external_id = forms.CharField(label=_("External id"), max_length=EXTERNAL_ID_LENGTH, required=False)
    field_order = ["kind", "branch", "display_name", "legal_name", "tax_pin", "external_id"]

    def __init__(self, data: Any = None, *, person: Principal) -> None:
        super().__init__(data)
        places = branches.visible_to(person).order_by("-is_head_office", "name")
        self.fields["branch"] = forms.ChoiceField(
            label=_("Branch"), choices=[(str(place.id), place.name) for place in places]
        )


def said(party: Party) -> dict[str, Any]:
    """Return what a form starts from to change a party; its contacts have been read."""
    contacts = list(party.contacts.all())
    lines = {kind: "\n".join(one.value for one in contacts if one.kind == kind) for kind in ContactKind}
    return {
        **{name: getattr(party, name) for name in ("display_name", "legal_name", "tax_pin")},
        **{name: getattr(party, name) for name in ("channel", "language")},
        "phones": lines[ContactKind.PHONE],
        "emails": lines[ContactKind.EMAIL],
    }


def facts(data: Any) -> PartyFacts:
    """Return what a valid form says of a party; the first of a kind is the primary contact."""
    return PartyFacts(
        display_name=data["display_name"],
        legal_name=data["legal_name"],
        tax_pin=data["tax_pin"],
        language=Language(data["language"]),
        channel=Channel(data["channel"]),
        contacts=tuple(
            Contact(kind, value, is_primary=place == 0)
            for kind, values in ((ContactKind.PHONE, data["phones"]), (ContactKind.EMAIL, data["emails"]))
            for place, value in enumerate(values)
        ),
    )
