"""API keys in the organisation's site."""

from collections.abc import Sequence
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
from apps.access.dialogs import RevokeKey
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
    """API keys are made and revoked here; the secret is shown once, the digest never."""

    form = ApiKeyForm
    list_display = ["name", "recognised_by", "application", "branch", "state", "last_used", "expires"]
    list_select_related: ClassVar[list[str]] = ["application", "branch"]
    list_filter = ["application"]
    search_fields = ["name", "prefix"]
    dialogs = [RevokeKey]
    facts = [
        "name", "recognised_by", "application", "branch", "granted", "maker", "created", "expires", "last_used", "state",
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

    @admin.display(description=_("Expires"))
    def expires(self, key: ApiKey) -> SafeString:
        return local_time_html(key.expires_at)

    @admin.display(description=_("Last used"))
    def last_used(self, key: ApiKey) -> SafeString:
        return local_time_html(key.last_used_at)

    @admin.display(description=_("State"))
    def state(self, key: ApiKey) -> SafeString:
        if key.revoked_at is not None:
            return badge("quiet", "block", str(_("Revoked")))
        if not key.opens(clock.now()):
            return badge("quiet", "timer_off", str(_("Expired")))
        return badge("done", "check_circle", str(_("Active")))
