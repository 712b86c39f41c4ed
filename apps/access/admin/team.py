"""The team in the organisation's site."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import Form, ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.access.admin.saving import ServiceAdmin, person
from apps.access.admin_sites.entry import link_of
from apps.access.dialogs.team import ChooseSmallTeam, Confirm, EndSessions, RenewLink, TurnAway
from apps.access.forms import MemberForm, NewMemberForm
from apps.access.models import Membership
from apps.access.selectors import memberships as team
from apps.access.services import admissions, memberships
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
    dialogs: ClassVar[Sequence[type]] = [ChooseSmallTeam, Confirm, RenewLink, TurnAway, EndSessions]
    steps_up = True

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say above the list that duties are not kept apart here, and how many people wait for a second one's word."""
        if request.method == "GET" and organisations.current().is_small_team:
            notice = gettext(
                "This is a small team: one person may hold duties that are kept apart elsewhere."
            )
            self.message_user(request, notice, messages.WARNING)
        waiting = team.waiting().count() if request.method == "GET" else 0
        if waiting:
            told = ngettext(
                "%(count)d person waits for confirmation.",
                "%(count)d people wait for confirmation.",
                waiting,
            )
            self.message_user(request, told % {"count": waiting}, messages.WARNING)
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
        admitted = admissions.admit(
            email=form.cleaned_data["email"], name=form.cleaned_data["name"], **chosen
        )
        row.pk, row.user = admitted.membership.pk, admitted.membership.user
        told = format_html(
            gettext(
                "Link for {}, shown this once: <code>{}</code>. Send it to him alone: with it he chooses his password, within 3 days."
            ),
            row.user.email,
            link_of(request, admitted.secret),
        )
        self.message_user(request, told, messages.WARNING)
        giver = admitted.membership.admitted_by
        if giver is not None:
            waits = (
                gettext("Nobody else manages the team: you confirm him yourself, 24 hours from now.")
                if team.stands_alone(giver, at=clock.now())
                else gettext("He may do nothing until somebody else who manages the team has confirmed him.")
            )
            self.message_user(request, waits, messages.WARNING)

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
        if membership.is_waiting:
            return badge("pending", "hourglass_top", str(_("Waiting for confirmation")))
        if membership.is_turned_away:
            return badge("quiet", "person_off", str(_("Turned away")))
        return (
            badge("done", "check_circle", str(_("Active")))
            if membership.is_active
            else badge("quiet", "block", str(_("Ended")))
        )
