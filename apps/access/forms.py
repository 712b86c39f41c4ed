"""The forms of the organisation's site: they read input, the services judge it."""

from collections.abc import Collection
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.access.contracts import PERMISSION_AREAS, PERMISSIONS, SCOPES
from apps.access.models import ApiKey, Application, Membership, Role
from apps.access.models.branch_external_id import EXTERNAL_ID_LENGTH
from apps.kit import typed_sums
from apps.kit.dialogs import ReasonForm
from apps.kit.money import MoneyInvalid
from apps.tenancy.contracts import BRANCH_POLICIES


class NetworksField(forms.CharField):
    """Addresses and networks, one a line; the services judge them."""

    def __init__(self, **chosen: Any) -> None:
        super().__init__(
            label=_("Works from"),
            required=False,
            max_length=2000,
            help_text=_(
                "Addresses and networks, one a line, as 203.0.113.9, 203.0.113.0/24 or 2001:db8::/32. Empty: every address."
            ),
            **chosen,
        )

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        return str(super().clean(value)).replace(",", " ").split()


class ApiKeyForm(forms.ModelForm):
    """A new API key."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope, f"{scope}: {meaning}") for scope, meaning in SCOPES.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    is_for_tokens = forms.BooleanField(
        label=_("Only for access tokens"),
        required=False,
        help_text=_(
            "A client of OAuth 2: the key opens nothing itself and is exchanged for tokens of 15 minutes."
        ),
        widget=UnfoldBooleanSwitchWidget,
    )
    allowed_networks = NetworksField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))

    class Meta:
        model = ApiKey
        fields = [
            "name",
            "application",
            "branch",
            "scopes",
            "expires_at",
            "allowed_networks",
            "is_for_tokens",
        ]
        help_texts = {"expires_at": _("365 days from now at most, and where it stays empty.")}


class RotateKeyForm(forms.Form):
    """For how long the key that is replaced works on."""

    grace_hours = forms.TypedChoiceField(
        label=_("The old key works on"),
        choices=[
            (24, _("for 24 hours")),
            (0, _("no longer: it ends at once")),
            (1, _("for an hour")),
            (72, _("for 3 days")),
            (168, _("for 7 days")),
        ],
        coerce=int,
    )


class NetworksForm(forms.Form):
    """From where a key may come."""

    allowed_networks = NetworksField(widget=forms.Textarea(attrs={"rows": 4}))


def permission_choices(names: Collection[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return permissions by area, each with what it allows."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in PERMISSIONS:
        if name in names:
            area = str(PERMISSION_AREAS[name.partition(".")[0]])
            groups.setdefault(area, []).append((name, f"{PERMISSIONS[name]} ({name})"))
    return list(groups.items())


class RoleForm(forms.Form):
    """What a role is called and what it may do: as much as may be given."""

    name = forms.CharField(label=_("Name"), max_length=120)
    permissions = forms.MultipleChoiceField(label=_("It may"), widget=forms.CheckboxSelectMultiple)

    def offer(self, names: Collection[str]) -> None:
        """Offer these permissions; what the form does not offer cannot be sent."""
        cast(forms.MultipleChoiceField, self.fields["permissions"]).choices = permission_choices(names)


class SumsField(forms.CharField):
    """Amounts, one a line, each with its currency."""

    def __init__(self, label: Any) -> None:
        super().__init__(
            label=label,
            required=False,
            max_length=2000,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=_(
                "One a line, as KES 50,000.00. Empty: no limit. A currency that is not named: nothing."
            ),
        )

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(money) for money in value) if isinstance(value, tuple) else value

    def clean(self, value: Any) -> Any:
        lines = [line.split(maxsplit=1) for line in str(super().clean(value)).splitlines() if line.strip()]
        try:
            return tuple(typed_sums.read("".join(rest), currency.upper()) for currency, *rest in lines)
        except MoneyInvalid as refusal:
            raise forms.ValidationError(refusal.detail) from None


class LimitsForm(ReasonForm):
    """How much a role may ask for, and approve, at once."""

    create = SumsField(_("Asks for, at most"))
    approve = SumsField(_("Approves, at most"))
    field_order = ("create", "approve", "reason")


class BranchPolicyForm(ReasonForm):
    """Who sees which branch."""

    policy = forms.ChoiceField(
        label=_("Who works for some branches sees"), choices=list(BRANCH_POLICIES.items())
    )
    field_order = ("policy", "reason")


class LinkBranchForm(forms.Form):
    """Which application is to keep a branch, and by which of its own ids."""

    application = forms.ModelChoiceField(label=_("Application"), queryset=Application.objects.none())
    external_id = forms.CharField(
        label=_("External id"),
        max_length=EXTERNAL_ID_LENGTH,
        help_text=_("What the application calls this branch."),
    )


class UnlinkBranchForm(forms.Form):
    """Which application keeps a branch no longer."""

    application = forms.ModelChoiceField(label=_("Application"), queryset=Application.objects.none())


class ConfirmForm(forms.Form):
    """What proves that the person himself stands behind it."""

    code = forms.CharField(
        label=_("The code that he reads to you"), max_length=20, help_text=_("Eight letters and digits.")
    )


class MemberForm(forms.ModelForm):
    """What a member may do and where."""

    class Meta:
        model = Membership
        fields = ["role", "branches", "is_active"]


class NewMemberForm(forms.ModelForm):
    """A new member, by e-mail: users are never offered as a list."""

    email = forms.EmailField(widget=UnfoldAdminEmailInputWidget)
    name = forms.CharField(
        max_length=120,
        widget=UnfoldAdminTextInputWidget,
    )
    role = forms.ModelChoiceField(queryset=Role.objects.none(), widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Membership
        fields = ["email", "name", "role", "branches"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ModelChoiceField, self.fields["role"]).queryset = Role.objects.filter(
            retired_at__isnull=True
        ).order_by("name")
