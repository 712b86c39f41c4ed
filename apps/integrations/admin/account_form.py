"""The form of a provider account: its terms, and new secrets where any are given."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.integrations import registry
from apps.integrations.contracts import (
    CALLS_PER_SECOND,
    AccountTerms,
    Credentials,
    Environment,
    InboundVersion,
    PullMethod,
    ShortCodeType,
)
from apps.integrations.models import ProviderAccount
from apps.kit import typed_sums
from apps.kit.money import Money, MoneyInvalid

FIXED = ("provider", "environment", "currency", "short_code", "short_code_type", "till_number")
PULL = ("is_pull_enabled", "pull_number", "pull_method")
UNASKED = ("inbound_version", "is_accepted_by_default")
LINE = ("is_balance_watched", "calls_per_second")
TAKEN_OVER = (*FIXED, "label", "base_url", "certificate", "fee_bps", *PULL, *UNASKED, *LINE)
MAY_BE_LEFT_OUT = ("short_code_type", "pull_method", "inbound_version", "calls_per_second")


def _secret(label: Any, help_text: Any = "") -> forms.CharField:
    """Return a field that is never filled in from what is stored."""
    widget = UnfoldAdminPasswordWidget(render_value=False, attrs={"autocomplete": "new-password"})
    return forms.CharField(label=label, required=False, widget=widget, help_text=help_text, max_length=500)


def _amount(label: Any) -> forms.CharField:
    return forms.CharField(label=label, widget=_sum(), help_text=_("As 250,000.00"), max_length=30)


def _sum() -> UnfoldAdminTextInputWidget:
    return UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"})


class AccountForm(forms.ModelForm):
    """The terms of an account, and new secrets where any are given: then all of them, because they go together."""

    minimum = _amount(_("Smallest payment"))
    maximum = _amount(_("Largest payment"))
    confirm_from = forms.CharField(
        label=_("Ask about payments from"),
        required=False,
        widget=_sum(),
        help_text=_(
            "What comes unasked of this sum or more is booked once the provider has confirmed it. Empty: nothing is asked about."
        ),
        max_length=30,
    )
    certificate = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget,
        help_text=_(
            "Safaricom's certificate for this environment, in PEM; needed for refunds and to ask after movements."
        ),
    )

    class Meta:
        model = ProviderAccount
        fields = [*TAKEN_OVER, "branch"]
        help_texts: ClassVar[dict[str, Any]] = {
            "currency": _("Three letters, as KES."),
            "fee_bps": _("250 is 2.5 %."),
        }
        labels = {
            "inbound_version": _("Version of the service"),
            "is_accepted_by_default": _("Accept when a check is not answered"),
            "is_balance_watched": _("Ask every 15 minutes"),
            "calls_per_second": _("Calls of one kind in a second"),
            "base_url": _("Address of the service"),
            "short_code": _("Number"),
            "fee_bps": _("Fee in hundredths of a percent"),
            "is_pull_enabled": _("List movements every 15 minutes"),
            "pull_number": _("Nominated phone number"),
            "pull_method": _("Method of the call"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        account = self.instance
        for name in MAY_BE_LEFT_OUT:
            if name in self.fields:
                self.fields[name].required = False
        if account.created_at:
            self.initial["minimum"] = account.minimum.text
            self.initial["maximum"] = account.maximum.text
            self.initial["confirm_from"] = account.confirm_from.text if account.confirm_from else ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        currency = cleaned.get("currency", self.instance.currency)
        for name in ("minimum", "maximum"):
            if name in cleaned:
                cleaned[name] = self._money(name, cleaned[name], currency)
        if cleaned.get("confirm_from"):
            cleaned["confirm_from"] = self._money("confirm_from", cleaned["confirm_from"], currency)
        given = [name for name in SECRETS if cleaned.get(name)]
        provider = registry.providers().get(cleaned.get("provider", self.instance.provider))
        for name in provider.needed_secret_names if provider else ():
            if (given or not self.instance.created_at) and name not in given:
                self.add_error(name, str(_("Secrets are replaced together: fill in this one too.")))
        return cleaned

    def terms(self) -> AccountTerms:
        """Return the terms; what is fixed comes from the account as it is."""
        cleaned = {name: getattr(self.instance, name) for name in (*TAKEN_OVER, "branch_id")}
        cleaned |= {name: value for name, value in self.cleaned_data.items() if name in TAKEN_OVER}
        return AccountTerms(
            **{
                **cleaned,
                "environment": Environment(cleaned["environment"]),
                "short_code_type": ShortCodeType(cleaned["short_code_type"] or ShortCodeType.PAYBILL),
                "pull_method": PullMethod(cleaned["pull_method"] or PullMethod.POST),
                "inbound_version": InboundVersion(cleaned["inbound_version"] or InboundVersion.V2),
                "calls_per_second": cleaned["calls_per_second"] or CALLS_PER_SECOND,
            },
            minimum_minor=self.cleaned_data["minimum"].minor,
            maximum_minor=self.cleaned_data["maximum"].minor,
            confirm_from_minor=least.minor if (least := self.cleaned_data.get("confirm_from")) else None,
        )

    def credentials(self) -> Credentials | None:
        """Return the new secrets, or None where none were given."""
        provider = registry.providers()[self.cleaned_data.get("provider", self.instance.provider)]
        given = {name: self.cleaned_data[name] for name in provider.secret_names}
        return provider.credentials(**given) if any(given.values()) else None

    def _money(self, name: str, text: str, currency: str) -> Money | None:
        try:
            return typed_sums.read(text, currency)
        except MoneyInvalid as refusal:
            self.add_error(name, refusal.detail)
            return None


SECRETS = {
    name: _secret(text.label, text.help_text)
    for provider in registry.providers().values()
    for name, text in provider.secret_texts.items()
}
"""A field for each secret that any provider has; the page shows those of the account's own."""
AccountForm.declared_fields |= SECRETS
AccountForm.base_fields |= SECRETS
