"""Provider accounts in the organisation's site: secrets go in and never come out, what the provider said stands beside."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.access.selectors import branches, memberships
from apps.integrations import registry
from apps.integrations.admin.account_form import FIXED, PULL, UNASKED, AccountForm
from apps.integrations.contracts import Environment, RegistrationStatus, provider_choices
from apps.integrations.dialogs.accounts import (
    AskBalance,
    CheckConnection,
    CloseCircuit,
    DisableAccount,
    EnableAccount,
    OpenCircuit,
    RegisterAddresses,
)
from apps.integrations.models import ProviderAccount
from apps.integrations.ports import WebhookPort
from apps.integrations.selectors import accounts as stored
from apps.integrations.selectors import circuits as standing
from apps.integrations.selectors import holdings, kinds, registrations, traffic
from apps.integrations.services import accounts, providers
from apps.integrations.services import hooks as account_hooks
from apps.kit import clock, errors
from apps.kit.admin import TreasuryAdmin, badge, local_time_html, money_html, nothing_html
from apps.kit.circuits import Position

PASSWORD_WARNING_DAYS = 75
PASSWORD_EXPIRES_DAYS = 90
"""Safaricom lets the password of an initiator expire after so many days."""
GOOD, FAIR = 98, 90
"""From how many calls of a hundred on that were answered well an account is in order, or worth a look."""
LONG_UNREAD = timedelta(minutes=2)
POSITIONS = {
    Position.OPEN: ("failed", "error", _("Stopped after failures")),
    Position.HALF_OPEN: ("pending", "schedule", _("Trying again")),
    Position.HELD_OPEN: ("held", "block", _("Stopped by a person")),
}
REGISTRATIONS = {
    RegistrationStatus.DONE: ("done", "check_circle", _("Registered")),
    RegistrationStatus.ELSEWHERE: ("held", "help", _("Registered before: look whose addresses they are")),
    RegistrationStatus.FAILED: ("failed", "error", _("Not registered")),
}
TOLD_BY = {
    "balance": "is_balance_watched",
    "addresses": "inbound_version",
    "password_age": "certificate",
}
"""What the page tells only where the provider knows such a term."""
ENVIRONMENTS = {
    Environment.SIMULATOR: ("quiet", "science", _("Simulator")),
    Environment.SANDBOX: ("held", "construction", _("Sandbox")),
    Environment.PRODUCTION: ("done", "verified", _("Production")),
}


@admin.register(ProviderAccount)
class ProviderAccountAdmin(TreasuryAdmin):
    """Accounts with providers. Of the secrets only the day on which they were set is ever shown."""

    form = AccountForm
    list_display = [
        "label",
        "number_column",
        "branch",
        "environment_badge",
        "currency",
        "fee",
        "state",
        "answered",
    ]
    list_filter = ["environment", "is_enabled"]
    list_select_related = ["branch"]
    search_fields = ["label", "short_code", "till_number"]
    readonly_fields = [
        "secrets_set",
        "password_age",
        "limits",
        "addresses",
        "balance",
        "circuits",
        "health",
        "inbox",
        "webhook_address",
    ]
    dialogs = [
        CheckConnection,
        EnableAccount,
        DisableAccount,
        RegisterAddresses,
        AskBalance,
        OpenCircuit,
        CloseCircuit,
    ]
    steps_up = True

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Return what accounts of this provider have; a new account's provider is chosen first."""
        slug = obj.provider if isinstance(obj, ProviderAccount) else _chosen(request)
        provider = registry.providers()[slug]
        signed = ["webhook_address"] if providers.offers(slug, WebhookPort) else []
        sections = [
            (None, ["label", "branch", "provider", "environment", "base_url", "currency"]),
            (_("Balance at the provider"), ["balance", "is_balance_watched"]),
            (_("Calls and messages"), ["circuits", "health", "inbox", "calls_per_second", *signed]),
            (_("Number"), ["short_code", "short_code_type", "till_number"]),
            (_("Terms"), ["fee_bps", "minimum", "maximum"]),
            (_("Pull Transactions"), list(PULL)),
            (_("Payments that come unasked"), ["addresses", *UNASKED, "confirm_from"]),
            (_("Secrets"), ["secrets_set", "password_age", *provider.secret_names, "certificate"]),
        ]
        unknown = {name.removesuffix("_minor") for name in accounts.SPECIAL if name not in provider.terms}
        unknown |= {told for told, by in TOLD_BY.items() if by in unknown}
        known = [(title, [name for name in names if name not in unknown]) for title, names in sections]
        return [(title, {"fields": names}) for title, names in known if names]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().get_changeform_initial_data(request), "provider": _chosen(request)}

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_choice_field(db_field, request, **kwargs)
        if db_field.name == "provider" and field is not None:
            field.help_text = format_html_join(
                " · ",
                '<a class="underline" href="?provider={}">{}</a>',
                (
                    (slug, _("Add an account of %(name)s") % {"name": name})
                    for slug, name in provider_choices()
                ),
            )
        return field

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:  # noqa: ARG002 (Django's signature)
        return [*self.readonly_fields, *(["branch", *FIXED] if obj else [])]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderAccount]:
        return traffic.counted(stored.visible_to(request.user), now=clock.now())

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

    @admin.display(description=_("Number"))
    def number_column(self, account: ProviderAccount) -> SafeString:
        return format_html('<span class="t-ref">{}</span>', account.number)

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

    @admin.display(description=_("Answered, 48 hours"))
    def answered(self, account: ProviderAccount) -> SafeString | str:
        calls, well = getattr(account, "calls", None), getattr(account, "answered_well", None)
        if not calls:
            return nothing_html()
        share = ((well or 0) * 1000 // calls) / 10
        tone = "done" if share >= GOOD else "held" if share >= FAIR else "failed"
        icon = {"done": "check_circle", "held": "warning", "failed": "error"}[tone]
        return badge(tone, icon, f"{share:.1f} %")

    @admin.display(description=_("Messages of the provider"))
    def inbox(self, account: ProviderAccount) -> SafeString | str:
        heard = traffic.heard(account) if account.created_at else None
        if heard is None:
            return str(_("None yet"))
        count, oldest = traffic.unread(now=clock.now())
        waiting = ngettext("%(count)d waits to be read", "%(count)d wait to be read", count) % {
            "count": count
        }
        tone, icon = ("held", "schedule") if oldest > LONG_UNREAD else ("done", "check_circle")
        return format_html(
            str(_("Last on {} {}")), local_time_html(heard, seconds=True), badge(tone, icon, waiting)
        )

    @admin.display(description=_("Address for signed messages"))
    def webhook_address(self, account: ProviderAccount) -> SafeString | str:
        if not account.created_at:
            return str(_("Known once the account is saved"))
        return format_html('<span class="t-ref">{}</span>', account_hooks.webhook(account))

    @admin.display(description=_("Payments"))
    def limits(self, account: ProviderAccount) -> SafeString:
        return format_html("{} to {}", money_html(account.minimum), money_html(account.maximum))

    @admin.display(description=_("Secrets"))
    def secrets_set(self, account: ProviderAccount) -> SafeString | str:
        if not account.credentials_set_at:
            return str(_("Not set"))
        return format_html(str(_("Set on {}")), local_time_html(account.credentials_set_at))

    @admin.display(description=_("Initiator password"))
    def password_age(self, account: ProviderAccount) -> SafeString | str:
        """Warn before the provider lets the password expire, and say when it has."""
        if account.password_set_at is None:
            return str(_("Not set"))
        left = PASSWORD_EXPIRES_DAYS - (clock.now() - account.password_set_at).days
        if left <= 0:
            return badge("failed", "error", str(_("Expired: set a new one")))
        if left <= PASSWORD_EXPIRES_DAYS - PASSWORD_WARNING_DAYS:
            words = ngettext("%d day left: set a new one", "%d days left: set a new one", left)
            return badge("held", "warning", words % left)
        return format_html(str(_("Set on {}")), local_time_html(account.password_set_at))

    @admin.display(description=_("Addresses"))
    def addresses(self, account: ProviderAccount) -> SafeString | str:
        found = registrations.latest(account.id) if account.created_at else None
        if found is None:
            return str(_("Never registered from here"))
        state = badge(*REGISTRATIONS[found.status])
        facts = [local_time_html(found.at), found.by, found.message]
        return format_html("{} {}", state, format_html_join(" · ", "{}", ((fact,) for fact in facts if fact)))

    @admin.display(description=_("Held there"))
    def balance(self, account: ProviderAccount) -> SafeString | str:
        held = holdings.newest([account.id]).get(account.id) if account.created_at else None
        if held is None:
            return str(_("Not asked yet"))
        return render_to_string("integrations/held.html", {"held": held})

    @admin.display(description=_("State"))
    def circuits(self, account: ProviderAccount) -> SafeString | str:
        found = standing.of(account) if account.created_at else []
        stopped = [fact for fact in found if fact.position in POSITIONS]
        if not stopped:
            return badge("done", "check_circle", _("All let through")) if found else ""
        return format_html_join(
            " ", "{} {}", ((kinds.called(fact.kind), badge(*POSITIONS[fact.position])) for fact in stopped)
        )

    @admin.display(description=_("Last 48 hours"))
    def health(self, account: ProviderAccount) -> SafeString | str:
        now = clock.now()
        found = traffic.health(account, now=now) if account.created_at else []
        if not found:
            return str(_("No calls"))
        lines = [{"name": kinds.called(health.kind), "health": health} for health in found]
        facts = {"lines": lines, "hours": traffic.hours(account, now=now)}
        return render_to_string("integrations/health.html", facts)


def _chosen(request: HttpRequest) -> str:
    """Return the provider of an account that is being added: as it was sent, or chosen by a link, or the first."""
    asked = request.POST.get("provider") or request.GET.get("provider")
    known = [slug for slug, _ in provider_choices()]
    return asked if asked in known else known[0]
