"""The form that connects a party in the portal: it reads input, the service judges it."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.selectors.branches import BranchForbidden
from apps.access.selectors.scope import Principal
from apps.disbursements.contracts import NewConnectedAccount
from apps.disbursements.models.connected_account import EMAIL_LENGTH, URL_LENGTH
from apps.integrations.contracts import provider_choices
from apps.integrations.ports import ConnectPort
from apps.integrations.selectors import accounts
from apps.integrations.services import providers
from apps.kit import ids
from apps.kit.money import EXPONENTS
from apps.parties.selectors import parties

if TYPE_CHECKING:
    from apps.parties.models import Party

TERM_LENGTH = 200


class ConnectForm(forms.Form):
    """Whom to connect, where, and what the provider has to know before."""

    party_id = forms.CharField(
        label=gettext_lazy("Party"),
        max_length=TERM_LENGTH,
        help_text=gettext_lazy("The whole name of a merchant, a rider or a supplier, or its id."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    currency = forms.ChoiceField(
        label=gettext_lazy("Paid in"), choices=[(code, code) for code in sorted(EXPONENTS)]
    )
    country = forms.RegexField(
        r"^[A-Za-z]{2}$",
        label=gettext_lazy("Country of the party"),
        help_text=gettext_lazy("Two letters, as KE."),
        error_messages={"invalid": gettext_lazy("Write two letters, as KE.")},
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        required=False,
        max_length=EMAIL_LENGTH,
        help_text=gettext_lazy("Saves the party some typing on the provider's pages."),
    )
    return_url = forms.URLField(
        label=gettext_lazy("Where the party goes afterwards"),
        max_length=URL_LENGTH,
        assume_scheme="https",
        help_text=gettext_lazy("A page of yours, to which the provider's pages lead at their end."),
    )

    def __init__(self, data: Any = None, *, person: Principal) -> None:
        super().__init__(data)
        self.person = person
        offering = [choice for choice in provider_choices() if providers.offers(choice[0], ConnectPort)]
        self.fields["provider"] = forms.ChoiceField(label=_("Kept by"), choices=offering)
        ours = accounts.visible_to(person).filter(
            is_enabled=True, provider__in=[name for name, _word in offering]
        )
        self.fields["currency"].initial = ours.order_by("id").values_list("currency", flat=True).first()
        self.order_fields(["party_id", "provider"])

    def clean_party_id(self) -> "Party":
        """Return the party of the person's own branches that is meant; a name that several have names none."""
        text = self.cleaned_data["party_id"].strip()
        try:
            called = Q(id=ids.decode("pty", text))
        except ids.InvalidId:
            called = Q(display_name__iexact=text) | Q(external_id=text)
        found = list(parties.visible_to(self.person).filter(called, archived_at=None)[:2])
        if not found:
            raise ValidationError(_("No party that you see is called so."))
        if len(found) > 1:
            raise ValidationError(_("Several parties are called so: write the id of the one that you mean."))
        try:
            parties.require_own(self.person, found[0])
        except BranchForbidden as refusal:
            raise ValidationError(refusal.detail) from None
        return found[0]


def wanted(data: Any) -> NewConnectedAccount:
    """Return what a valid form asks for."""
    return NewConnectedAccount(
        provider=data["provider"],
        currency=data["currency"],
        country=data["country"].upper(),
        email=data["email"],
        return_url=data["return_url"],
        refresh_url=data["return_url"],
    )
