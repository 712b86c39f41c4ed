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
from apps.integrations.admin.account_form import FIXED, PULL, SECRETS, UNASKED, AccountForm
from apps.integrations.contracts import Environment, RegistrationStatus
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
from apps.integrations.selectors import accounts as stored
from apps.integrations.selectors import circuits as standing
from apps.integrations.selectors import holdings, registrations, traffic
from apps.integrations.services import accounts
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
    fieldsets = [
        (None, {"fields": ["label", "branch", "provider", "environment", "base_url", "currency"]}),
        (_("Balance at the provider"), {"fields": ["balance", "is_balance_watched"]}),
        (_("Calls and messages"), {"fields": ["circuits", "health", "inbox", "calls_per_second"]}),
        (_("Short code"), {"fields": ["short_code", "short_code_type", "till_number"]}),
        (_("Terms"), {"fields": ["fee_bps", "minimum", "maximum"]}),
        (_("Pull Transactions"), {"fields": list(PULL)}),
        (_("Payments that come unasked"), {"fields": ["addresses", *UNASKED, "confirm_from"]}),
        (_("Secrets"), {"fields": ["secrets_set", "password_age", *SECRETS, "certificate"]}),
    ]

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
            " ", "{} {}", ((fact.kind, badge(*POSITIONS[fact.position])) for fact in stopped)
        )

    @admin.display(description=_("Last 48 hours"))
    def health(self, account: ProviderAccount) -> SafeString | str:
        now = clock.now()
        kinds = traffic.health(account, now=now) if account.created_at else []
        if not kinds:
            return str(_("No calls"))
        facts = {"kinds": kinds, "hours": traffic.hours(account, now=now)}
        return render_to_string("integrations/health.html", facts)
