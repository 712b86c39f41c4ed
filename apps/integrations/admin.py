"""Provider accounts, calls and callbacks in the organisation's site: secrets go in and never come out, evidence is read only."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.access.selectors import branches, memberships
from apps.integrations.contracts import (
    CREDENTIALS,
    AccountTerms,
    CallbackStatus,
    CallStatus,
    Credentials,
    Environment,
    PullMethod,
    ShortCodeType,
    needed_secret_names,
    secret_names,
)
from apps.integrations.dialogs import DisableAccount, EnableAccount
from apps.integrations.models import ProviderAccount, ProviderCall, ProviderCallback
from apps.integrations.selectors import accounts as stored
from apps.integrations.selectors import exchanges
from apps.integrations.services import accounts
from apps.kit import clock, errors
from apps.kit.admin import ReadOnlyAdmin, TreasuryAdmin, badge, local_time_html, money_html
from apps.kit.money import Money, MoneyInvalid
from apps.kit.related_filter import VisibleRelatedFilter

SECRETS = tuple(dict.fromkeys(name for provider in CREDENTIALS for name in secret_names(provider)))
FIXED = ("provider", "environment", "currency", "short_code", "short_code_type", "till_number")
PULL = ("is_pull_enabled", "pull_number", "pull_method")
TAKEN_OVER = (*FIXED, "label", "base_url", "certificate", "fee_bps", *PULL)
ENVIRONMENTS = {
    Environment.SIMULATOR: ("quiet", "science", _("Simulator")),
    Environment.SANDBOX: ("held", "construction", _("Sandbox")),
    Environment.PRODUCTION: ("done", "verified", _("Production")),
}
CALLBACKS = {
    CallbackStatus.RECEIVED: ("pending", "schedule", _("Received")),
    CallbackStatus.UNMATCHED: ("held", "help", _("Unmatched")),
    CallbackStatus.APPLIED: ("done", "check_circle", _("Applied")),
    CallbackStatus.DUPLICATE: ("quiet", "content_copy", _("Duplicate")),
    CallbackStatus.FORGED: ("failed", "gpp_bad", _("Forged")),
    CallbackStatus.MALFORMED: ("failed", "error", _("Malformed")),
    CallbackStatus.IGNORED: ("quiet", "do_not_disturb_on", _("Ignored")),
}


def _secret(label: Any, help_text: Any = "") -> forms.CharField:
    """Return a field that is never filled in from what is stored."""
    widget = UnfoldAdminPasswordWidget(render_value=False, attrs={"autocomplete": "new-password"})
    return forms.CharField(label=label, required=False, widget=widget, help_text=help_text, max_length=500)


def _amount(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label, widget=UnfoldAdminTextInputWidget, help_text=_("As 250000.00"), max_length=30
    )


class AccountForm(forms.ModelForm):
    """The terms of an account, and new secrets where any are given: then all of them, because they go together."""

    minimum = _amount(_("Smallest payment"))
    maximum = _amount(_("Largest payment"))
    certificate = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget,
        help_text=_(
            "Safaricom's certificate for this environment, in PEM; needed for refunds and to ask after movements."
        ),
    )
    consumer_key = _secret(_("Consumer key"))
    consumer_secret = _secret(_("Consumer secret"))
    passkey = _secret(_("Passkey"))
    initiator = _secret(
        _("Initiator"), _("With its password, needed for refunds and to ask after movements.")
    )
    initiator_password = _secret(_("Initiator password"))

    class Meta:
        model = ProviderAccount
        fields = [*TAKEN_OVER, "branch"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        account = self.instance
        if "pull_method" in self.fields:
            self.fields["pull_method"].required = False
        if account.created_at:
            self.initial["minimum"] = account.minimum.text
            self.initial["maximum"] = account.maximum.text

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        currency = cleaned.get("currency", self.instance.currency)
        for name in ("minimum", "maximum"):
            if name in cleaned:
                cleaned[name] = self._money(name, cleaned[name], currency)
        given = [name for name in SECRETS if cleaned.get(name)]
        provider = cleaned.get("provider", self.instance.provider)
        for name in needed_secret_names(provider) if provider else ():
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
                "short_code_type": ShortCodeType(cleaned["short_code_type"]),
                "pull_method": PullMethod(cleaned["pull_method"] or PullMethod.POST),
            },
            minimum_minor=self.cleaned_data["minimum"].minor,
            maximum_minor=self.cleaned_data["maximum"].minor,
        )

    def credentials(self) -> Credentials | None:
        """Return the new secrets, or None where none were given."""
        provider = self.cleaned_data.get("provider", self.instance.provider)
        given = {name: self.cleaned_data[name] for name in secret_names(provider)}
        return CREDENTIALS[provider](**given) if any(given.values()) else None

    def _money(self, name: str, text: str, currency: str) -> Money | None:
        try:
            return Money.parse(text, currency)
        except MoneyInvalid as refusal:
            self.add_error(name, refusal.detail)
            return None


@admin.register(ProviderAccount)
class ProviderAccountAdmin(TreasuryAdmin):
    """Accounts with providers. Of the secrets only the day on which they were set is ever shown."""

    form = AccountForm
    list_display = [
        "label",
        "number",
        "branch",
        "environment_badge",
        "currency",
        "fee",
        "state",
        "secrets_set",
    ]
    list_filter = ["environment", "is_enabled"]
    list_select_related = ["branch"]
    search_fields = ["label", "short_code", "till_number"]
    readonly_fields = ["secrets_set", "limits"]
    dialogs = [EnableAccount, DisableAccount]
    steps_up = True
    fieldsets = [
        (None, {"fields": ["label", "branch", "provider", "environment", "base_url", "currency"]}),
        (_("Short code"), {"fields": ["short_code", "short_code_type", "till_number"]}),
        (_("Terms"), {"fields": ["fee_bps", "minimum", "maximum"]}),
        (_("Pull Transactions"), {"fields": list(PULL)}),
        (_("Secrets"), {"fields": ["secrets_set", *SECRETS, "certificate"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:  # noqa: ARG002 (Django's signature)
        return [*self.readonly_fields, *(["branch", *FIXED] if obj else [])]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderAccount]:
        return stored.visible_to(request.user)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "branch":
            kwargs["queryset"] = branches.visible_to(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except errors.DomainError as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's signature)
        actor, now, credentials = memberships.actor(request.user), clock.now(), form.credentials()
        if not change:
            obj.pk = accounts.create(terms=form.terms(), credentials=credentials, actor=actor, now=now).pk
            return
        accounts.change(account_id=obj.pk, terms=form.terms(), credentials=credentials, actor=actor, now=now)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 (Django's signature)
        """Do nothing: the service has written everything."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 (never)
        return False

    @admin.display(description=_("Environment"))
    def environment_badge(self, account: ProviderAccount) -> SafeString:
        return badge(*ENVIRONMENTS[Environment(account.environment)])

    @admin.display(description=_("Fee"))
    def fee(self, account: ProviderAccount) -> str:
        return f"{account.fee_bps / 100:.2f} %"

    @admin.display(description=_("State"))
    def state(self, account: ProviderAccount) -> SafeString:
        if account.is_enabled:
            return badge("done", "check_circle", str(_("Enabled")))
        return badge("quiet", "block", str(_("Disabled")))

    @admin.display(description=_("Payments"))
    def limits(self, account: ProviderAccount) -> SafeString:
        return format_html("{} to {}", money_html(account.minimum), money_html(account.maximum))

    @admin.display(description=_("Secrets"))
    def secrets_set(self, account: ProviderAccount) -> SafeString | str:
        if not account.credentials_set_at:
            return str(_("Not set"))
        return format_html(str(_("Set on {}")), local_time_html(account.credentials_set_at))


@admin.register(ProviderCall)
class ProviderCallAdmin(ReadOnlyAdmin):
    """What we asked providers, and what they answered."""

    list_display = ["called", "kind", "account", "result", "elapsed", "subject_id"]
    list_filter = ["kind", "status", ("account", VisibleRelatedFilter)]
    list_select_related = ["account"]
    search_fields = ["subject_id__exact"]
    fields = [
        "called", "kind", "account", "subject_id", "method", "url", "address", "result", "problem", "elapsed",
        "request_body_shown", "response_body_shown",
    ]  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderCall]:
        return exchanges.calls_visible_to(request.user)

    @admin.display(description=_("Called"))
    def called(self, call: ProviderCall) -> SafeString:
        return local_time_html(call.called_at, seconds=True)

    @admin.display(description=_("Result"))
    def result(self, call: ProviderCall) -> SafeString:
        if call.status == CallStatus.NOT_SENT:
            return badge("failed", "cloud_off", str(_("Not sent")))
        if call.status == CallStatus.NO_ANSWER:
            return badge("unknown", "help", str(_("No answer")))
        is_success = call.response_status is not None and call.response_status < 300  # noqa: PLR2004 (HTTP success)
        tone, icon = ("done", "check_circle") if is_success else ("held", "error")
        return badge(tone, icon, f"HTTP {call.response_status}")

    @admin.display(description=_("Took"))
    def elapsed(self, call: ProviderCall) -> str:
        return f"{call.elapsed_ms} ms"

    @admin.display(description=_("Request"))
    def request_body_shown(self, call: ProviderCall) -> SafeString:
        return _block(call.request_body)

    @admin.display(description=_("Answer"))
    def response_body_shown(self, call: ProviderCall) -> SafeString:
        return _block(call.response_body)


@admin.register(ProviderCallback)
class ProviderCallbackAdmin(ReadOnlyAdmin):
    """What providers sent us, and what became of it."""

    list_display = ["received", "kind", "state", "note", "remote_ip", "subject"]
    list_filter = ["kind", "processing__status"]
    list_select_related = ["processing"]
    search_fields = ["processing__subject_id__exact"]
    fields = ["received", "kind", "state", "note", "subject", "remote_ip", "sha256", "body_shown"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderCallback]:
        return exchanges.callbacks_visible_to(request.user).select_related("processing")

    @admin.display(description=_("Received"))
    def received(self, callback: ProviderCallback) -> SafeString:
        return local_time_html(callback.received_at, seconds=True)

    @admin.display(description=_("State"))
    def state(self, callback: ProviderCallback) -> SafeString:
        return badge(*CALLBACKS[CallbackStatus(callback.processing.status)])

    @admin.display(description=_("Note"))
    def note(self, callback: ProviderCallback) -> str:
        return callback.processing.note

    @admin.display(description=_("Belongs to"))
    def subject(self, callback: ProviderCallback) -> str:
        return str(callback.processing.subject_id or "")

    @admin.display(description=_("Body"))
    def body_shown(self, callback: ProviderCallback) -> SafeString:
        return _block(callback.readable_body())


def _block(text: str) -> SafeString:
    return format_html('<pre class="p-pre" tabindex="0">{}</pre>', text)
