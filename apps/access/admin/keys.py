"""API keys in the organisation's site."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import ForeignKey, QuerySet
from django.forms import Form, ModelChoiceField
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.access.admin.saving import ServiceAdmin, person
from apps.access.contracts import SCOPES
from apps.access.dialogs.keys import AllowNetworks, RevokeKey, RotateKey
from apps.access.forms import ApiKeyForm
from apps.access.models import ApiKey
from apps.access.selectors import api_keys as visible_keys
from apps.access.selectors import applications as visible_applications
from apps.access.selectors import branches as visible_branches
from apps.access.selectors import memberships as team
from apps.access.services import api_keys
from apps.kit import clock
from apps.kit.admin import badge, local_time_html


@admin.register(ApiKey)
class ApiKeyAdmin(ServiceAdmin):
    """API keys are made, rotated, bound to networks and revoked here; the secret is shown once, the digest never."""

    form = ApiKeyForm
    list_display = ["name", "recognised_by", "application", "branch", "state", "last_used", "expires"]
    list_select_related: ClassVar[list[str]] = ["application", "branch"]
    list_filter = ["application"]
    search_fields = ["name", "prefix"]
    dialogs = [RotateKey, AllowNetworks, RevokeKey]
    steps_up = True
    facts = [
        "name", "recognised_by", "application", "branch", "granted", "opens", "networks", "maker", "created", "expires",
        "last_used", "refused", "predecessor", "state",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        return visible_keys.visible_to(request.user)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Sequence[str]:  # noqa: ARG002 (Django's signature)
        return self.facts if obj else ApiKeyForm.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Sequence[str]:  # noqa: ARG002 (Django's signature)
        return self.facts if obj else []

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:  # noqa: ARG002 (never)
        return False

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        if db_field.name == "branch":
            kwargs["queryset"] = visible_branches.visible_to(request.user).order_by("code")
        if db_field.name == "application":
            kwargs["queryset"] = visible_applications.with_keys(request.user).order_by("name")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def perform(self, request: HttpRequest, row: ApiKey, form: Form) -> None:
        branch = form.cleaned_data["branch"]
        issued = api_keys.issue(
            application_id=form.cleaned_data["application"].id,
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            branch_id=branch.id if branch else None,
            expires_at=form.cleaned_data["expires_at"],
            allowed_networks=form.cleaned_data["allowed_networks"],
            is_for_tokens=form.cleaned_data["is_for_tokens"],
            issuer=request.user,
            actor=team.actor(person(request)),
            now=clock.now(),
        )
        row.pk, row.prefix, row.last4 = issued.key.pk, issued.key.prefix, issued.key.last4
        self.message_user(
            request,
            format_html(str(_("The key, shown this once: <code>{}</code>. Copy it now.")), issued.secret),
            messages.WARNING,
        )

    @admin.display(description=_("Key"))
    def recognised_by(self, key: ApiKey) -> SafeString:
        return format_html('<span class="t-ref">{}…{}</span>', key.prefix, key.last4)

    @admin.display(description=_("Scopes"))
    def granted(self, key: ApiKey) -> str:
        return ", ".join(scope for scope in SCOPES if scope in key.scopes)

    @admin.display(description=_("Made by"))
    def maker(self, key: ApiKey) -> str:
        return str(key.created_by) if key.created_by else "Treasury"

    @admin.display(description=_("Made"))
    def created(self, key: ApiKey) -> SafeString:
        return local_time_html(key.created_at)

    @admin.display(description=_("Works until"))
    def expires(self, key: ApiKey) -> SafeString:
        return local_time_html(key.ends_at)

    @admin.display(description=_("Opens"))
    def opens(self, key: ApiKey) -> str:
        if key.is_for_tokens:
            return str(_("Nothing itself: it is exchanged for access tokens"))
        return str(_("The API, itself or exchanged for access tokens"))

    @admin.display(description=_("Works from"))
    def networks(self, key: ApiKey) -> str:
        return ", ".join(key.allowed_networks) or str(_("Every address"))

    @admin.display(description=_("Last used"))
    def last_used(self, key: ApiKey) -> SafeString:
        return _seen(key.last_used_at, key.last_used_ip)

    @admin.display(description=_("Last refused elsewhere"))
    def refused(self, key: ApiKey) -> SafeString:
        return _seen(key.last_refused_at, key.last_refused_ip)

    @admin.display(description=_("In place of"))
    def predecessor(self, key: ApiKey) -> str:
        return str(key.replaces) if key.replaces else "—"

    @admin.display(description=_("State"))
    def state(self, key: ApiKey) -> SafeString:
        if key.revoked_at is not None:
            return badge("quiet", "block", str(_("Revoked")))
        if key.opens(clock.now()):
            replaced = badge("held", "hourglass_top", str(_("Replaced, still works")))
            return replaced if key.replaced_at else badge("done", "check_circle", str(_("Active")))
        if key.replaced_at is not None:
            return badge("quiet", "swap_horiz", str(_("Replaced")))
        return badge("quiet", "timer_off", str(_("Expired")))


def _seen(at: datetime | None, ip: str | None) -> SafeString:
    """Return when and from which address, on two lines."""
    when = local_time_html(at)
    return format_html('{}<br><span class="t-sub">{}</span>', when, ip) if ip else when
