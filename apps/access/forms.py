"""The forms of the organisation's site: they read input, the services judge it."""

from typing import Any, cast

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from apps.access.contracts import SCOPES
from apps.access.models import ApiKey, Membership, Role


class ApiKeyForm(forms.ModelForm):
    """A new API key."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope, f"{scope}: {meaning}") for scope, meaning in SCOPES.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = ApiKey
        fields = ["name", "application", "branch", "scopes", "expires_at"]


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
        cast(forms.ModelChoiceField, self.fields["role"]).queryset = Role.objects.order_by("name")
