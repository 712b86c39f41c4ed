"""The team in the organisation's site."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import Form, ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.admin.saving import ServiceAdmin, person
from apps.access.dialogs.team import ChooseSmallTeam, EndSessions
from apps.access.forms import MemberForm, NewMemberForm
from apps.access.models import Membership
from apps.access.selectors import memberships as team
from apps.access.services import memberships
from apps.kit import clock
from apps.kit.admin import badge
from apps.tenancy.selectors import organisations


@admin.register(Membership)
class MembershipAdmin(ServiceAdmin):
    """The team: who is in it, with which role, for which branches."""

    list_display = ["person", "email", "role", "works_for", "state"]
    list_select_related: ClassVar[list[str]] = ["user", "role"]
    list_filter = ["is_active"]
    readonly_fields = ["person", "email"]
    dialogs: ClassVar[Sequence[type]] = [ChooseSmallTeam, EndSessions]
    steps_up = True

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say above the list that duties are not kept apart here."""
        if request.method == "GET" and organisations.current().is_small_team:
            notice = gettext(
                "This is a small team: one person may hold duties that are kept apart elsewhere."
            )
            self.message_user(request, notice, messages.WARNING)
        return super().changelist_view(request, extra_context)

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
            "actor": team.actor(person(request)),
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
