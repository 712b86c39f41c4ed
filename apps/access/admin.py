"""Branches, applications, the team and API keys in the organisation's site; every change is one service call."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import Form, ModelChoiceField, ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.admin_sites import OrganisationModelAdmin
from apps.access.contracts import SCOPES
from apps.access.dialogs import RevokeKey
from apps.access.forms import ApiKeyForm, MemberForm, NewMemberForm
from apps.access.models import ApiKey, Application, Branch, Membership, Role
from apps.access.selectors import api_keys as visible_keys
from apps.access.selectors import applications as visible_applications
from apps.access.selectors import branches as visible_branches
from apps.access.selectors import memberships as team
from apps.access.services import api_keys, applications, branches, memberships
from apps.kit import clock, errors
from apps.kit.admin import ReadOnlyAdmin, badge, local_time_html


def _person(request: HttpRequest) -> AbstractBaseUser:
    """Return who is signed in: the site lets nobody else in."""
    return cast(AbstractBaseUser, request.user)


class ServiceAdmin(OrganisationModelAdmin):
    """
    A page whose save is one service call (``perform``); nothing is ever deleted.

    A refusal of the service is shown, and nothing is kept.
    """

    def perform(self, request: HttpRequest, row: Any, form: Form) -> None:
        """Do what the form asks, and give ``row`` the key of what came of it."""
        raise NotImplementedError

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

    def save_model(self, request: HttpRequest, obj: Any, form: Form, change: bool) -> None:  # noqa: ARG002, FBT001 (Django's signature)
        self.perform(request, obj, form)

    def save_related(self, request: HttpRequest, form: Form, formsets: Any, change: bool) -> None:  # noqa: FBT001 (Django's signature)
        """Do nothing: the service has written the related rows."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 (never)
        return False


@admin.register(Branch)
class BranchAdmin(ServiceAdmin):
    """Branches are opened and renamed here; the code stays."""

    list_display = ["code", "name", "is_head_office", "time_zone"]
    search_fields = ["code", "name"]

    def get_fields(self, request: HttpRequest, obj: Branch | None = None) -> Sequence[str]:  # noqa: ARG002 (Django's signature)
        return ["code", "name", "time_zone"]

    def get_readonly_fields(self, request: HttpRequest, obj: Branch | None = None) -> Sequence[str]:  # noqa: ARG002 (Django's signature)
        return ["code"] if obj else []

    def perform(self, request: HttpRequest, row: Branch, form: Form) -> None:
        chosen = {**form.cleaned_data, "actor": team.actor(_person(request)), "now": clock.now()}
        saved = branches.change(branch_id=row.id, **chosen) if row.created_at else branches.create(**chosen)
        row.pk = saved.pk


@admin.register(Application)
class ApplicationAdmin(ServiceAdmin):
    """Applications are registered here; they never change."""

    list_display = ["name", "slug", "created_at"]
    fields = ["slug", "name"]

    def has_change_permission(self, request: HttpRequest, obj: Application | None = None) -> bool:  # noqa: ARG002 (never)
        return False

    def perform(self, request: HttpRequest, row: Application, form: Form) -> None:
        row.pk = applications.create(
            **form.cleaned_data, actor=team.actor(_person(request)), now=clock.now()
        ).pk


@admin.register(Role)
class RoleAdmin(ReadOnlyAdmin):
    """What each role may do."""

    list_display = ["name", "code", "granted"]
    fields = ["name", "code", "granted"]

    @admin.display(description=_("Permissions"))
    def granted(self, role: Role) -> str:
        return ", ".join(role.permissions)


@admin.register(Membership)
class MembershipAdmin(ServiceAdmin):
    """The team: who is in it, with which role, for which branches."""

    list_display = ["person", "email", "role", "works_for", "state"]
    list_select_related: ClassVar[list[str]] = ["user", "role"]
    list_filter = ["is_active"]
    readonly_fields = ["person", "email"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).prefetch_related("branches")

    def get_form(self, request: HttpRequest, obj: Membership | None = None, **kwargs: Any) -> type[ModelForm]:
        return super().get_form(request, obj, **{**kwargs, "form": MemberForm if obj else NewMemberForm})

    def get_fields(self, request: HttpRequest, obj: Membership | None = None) -> Sequence[str]:  # noqa: ARG002 (Django's signature)
        return ["person", "email", "role", "branches", "is_active"] if obj else NewMemberForm.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> Sequence[str]:  # noqa: ARG002 (Django's signature)
        return self.readonly_fields if obj else []

    def perform(self, request: HttpRequest, row: Membership, form: Form) -> None:
        chosen = {
            "role": form.cleaned_data["role"].code,
            "branch_ids": [branch.id for branch in form.cleaned_data["branches"]],
            "actor": team.actor(_person(request)),
            "now": clock.now(),
        }
        if "email" not in form.cleaned_data:
            memberships.change(membership_id=row.id, is_active=form.cleaned_data["is_active"], **chosen)
            return
        admitted = memberships.admit(
            email=form.cleaned_data["email"], name=form.cleaned_data["name"], **chosen
        )
        row.pk, row.user = admitted.membership.pk, admitted.membership.user
        self.message_user(
            request,
            format_html(
                gettext(
                    "First password of {}, shown this once: <code>{}</code>. The first sign-in asks for another one."
                ),
                row.user.email,
                admitted.password,
            ),
            messages.WARNING,
        )

    @admin.display(description=_("Person"))
    def person(self, membership: Membership) -> str:
        return membership.user.name

    @admin.display(description=_("E-mail"))
    def email(self, membership: Membership) -> str:
        return membership.user.email

    @admin.display(description=_("Branches"))
    def works_for(self, membership: Membership) -> str:
        return ", ".join(sorted(branch.code for branch in membership.branches.all())) or str(_("All"))

    @admin.display(description=_("State"))
    def state(self, membership: Membership) -> SafeString:
        return (
            badge("done", "check_circle", str(_("Active")))
            if membership.is_active
            else badge("quiet", "block", str(_("Ended")))
        )


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
            actor=team.actor(_person(request)),
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
