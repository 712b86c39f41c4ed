"""What people decide about applications: let one in, refuse it, end its link, invite one, take an invite back."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.contracts import GIVEN_BY, SCOPES
from apps.access.selectors import branches, memberships
from apps.access.services import application_links
from apps.kit.dialogs import Answer, Content, Dialog, Effect, Notice, ReasonForm
from apps.portal.selectors import application_links as shown
from apps.portal.selectors.application_links import InviteLine, LinkLine
from apps.tenancy.contracts import InviteStatus, LinkStatus
from apps.tenancy.selectors import organisations

ALL_BRANCHES = ""
DAYS = {1: gettext_lazy("1 day"), 7: gettext_lazy("7 days"), 30: gettext_lazy("30 days")}


def find_link(request: HttpRequest, link_id: UUID) -> LinkLine:
    return shown.link(link_id, request.user)


def find_invite(request: HttpRequest, invite_id: UUID) -> InviteLine:
    return shown.invite(invite_id, request.user)


def find_organisation(_request: HttpRequest) -> organisations.Organisation:
    return organisations.current()


def back(**_names: Any) -> str:
    return reverse("portal-applications")


class GrantForm(forms.Form):
    """What an application may do, and where: no more than the person may who gives it."""

    scopes = forms.MultipleChoiceField(label=gettext_lazy("It may"), widget=forms.CheckboxSelectMultiple)
    branch = forms.ChoiceField(label=gettext_lazy("Branch"), required=False)

    def fill(
        self,
        request: HttpRequest,
        wanted: Sequence[str],
        *,
        kept: Sequence[str] = (),
        branch_id: UUID | None = None,
    ) -> None:
        """Offer what the person may give, and what it has already; what the application wishes stands first and is chosen."""
        held = memberships.permissions_of(request.user) or frozenset()
        offered = [scope for scope in SCOPES if GIVEN_BY[scope] <= held or scope in kept]
        offered.sort(key=lambda scope: scope not in wanted)
        scopes, branch = self.fields["scopes"], self.fields["branch"]
        scopes.choices = [(scope, f"{scope}: {SCOPES[scope]}") for scope in offered]  # type: ignore[attr-defined]
        scopes.initial = [scope for scope in wanted if scope in offered]
        choice = branches.choice_of(request.user)
        places = [(str(place.id), place.name) for place in choice.branches]
        branch.choices = [*([(ALL_BRANCHES, _("All branches"))] if choice.is_whole else []), *places]  # type: ignore[attr-defined]
        branch.initial = str(branch_id) if branch_id else ALL_BRANCHES


class LinkDialog(Dialog):
    """What is decided about a link."""

    permission = "access.manage"


class AcceptLink(LinkDialog):
    """Let an application in that asks."""

    name = "accept"
    steps_up = True
    label = gettext_lazy("Let it in…")
    icon = "link"

    def is_offered(self, row: LinkLine) -> bool:
        return row.status == LinkStatus.PENDING

    def form(self, request: HttpRequest, rows: Sequence[LinkLine], data: Any = None) -> forms.Form:
        form = GrantForm(data)
        form.fill(request, rows[0].scopes)
        return form

    def content(self, request: HttpRequest, rows: Sequence[LinkLine]) -> Content:
        row = rows[0]
        return Content(
            title=_("Let %(application)s in") % {"application": row.name},
            button=_("Let it in"),
            about=row.message,
            notices=[
                Notice(
                    _("It says itself what it is called"),
                    _("Whoever registers chooses name and homepage. Make sure that you know who asks."),
                ),
                *self._beyond(request, row),
            ],
            effects=[
                Effect(_("Homepage"), row.homepage),
                Effect(_("Contact"), row.contact_email),
                Effect(_("It asks for"), ", ".join(row.scopes)),
            ],
            next_step=_(
                "It fetches its key by itself. No key of it does more than what you choose here, and your name stands for it. "
                "You can end it at any time."
            ),
            version=row.status,
        )

    def _beyond(self, request: HttpRequest, row: LinkLine) -> list[Notice]:
        held = memberships.permissions_of(request.user) or frozenset()
        beyond = [scope for scope in row.scopes if not GIVEN_BY.get(scope, frozenset({""})) <= held]
        if not beyond:
            return []
        return [
            Notice(
                _("It asks for more than you may give"),
                _("Your role does not allow: %(scopes)s.") % {"scopes": ", ".join(beyond)},
            )
        ]

    def act(self, row: LinkLine, answer: Answer) -> str:
        branch = answer.data["branch"]
        application_links.accept(
            link_id=row.pk,
            scopes=answer.data["scopes"],
            branch_id=UUID(branch) if branch else None,
            person=answer.request.user,
            actor=answer.actor,
            now=answer.now,
        )
        return _("%(application)s is let in.") % {"application": row.name}


class RefuseLink(LinkDialog):
    """Refuse an application that asks."""

    name = "refuse"
    label = gettext_lazy("Refuse…")
    icon = "block"
    is_danger = True
    form_class = ReasonForm

    def is_offered(self, row: LinkLine) -> bool:
        return row.status == LinkStatus.PENDING

    def content(self, request: HttpRequest, rows: Sequence[LinkLine]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Refuse %(application)s") % {"application": rows[0].name},
            button=_("Refuse it"),
            next_step=_(
                "It reads your reason, and so learns that you are here. Leave a stranger unanswered: his request ends by itself "
                "after 14 days. Who is refused cannot ask you again for 30 days."
            ),
            version=rows[0].status,
        )

    def act(self, row: LinkLine, answer: Answer) -> str:
        application_links.refuse(
            link_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return _("%(application)s is refused.") % {"application": row.name}


class RevokeLink(LinkDialog):
    """End the link of an application that works here."""

    name = "end"
    label = gettext_lazy("End the link…")
    icon = "link_off"
    is_danger = True
    form_class = ReasonForm

    def is_offered(self, row: LinkLine) -> bool:
        return row.status == LinkStatus.ACCEPTED

    def content(self, request: HttpRequest, rows: Sequence[LinkLine]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("End the link with %(application)s") % {"application": rows[0].name},
            button=_("End the link"),
            next_step=_(
                "Its keys open nothing from now on, and nothing more is sent to it. What it made stays. To work here again it "
                "has to ask again."
            ),
            typed_text=rows[0].name,
            version=rows[0].status,
        )

    def act(self, row: LinkLine, answer: Answer) -> str:
        application_links.revoke(
            link_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return _("The link with %(application)s has ended.") % {"application": row.name}


class InviteForm(GrantForm):
    """Whom to invite, for how long and for what."""

    note = forms.CharField(
        label=gettext_lazy("For whom"),
        max_length=120,
        help_text=gettext_lazy("Only you read this: it is in your list of invites."),
    )
    days = forms.TypedChoiceField(
        label=gettext_lazy("Good for"), choices=list(DAYS.items()), coerce=int, initial=7
    )

    field_order = ("note", "days", "branch", "scopes")


class MakeInvite(Dialog):
    """Make a code by which one application is let in."""

    name = "invite"
    steps_up = True
    label = gettext_lazy("Invite an application…")
    icon = "mail"
    permission = "access.manage"

    def form(self, request: HttpRequest, rows: Sequence[Any], data: Any = None) -> forms.Form:  # noqa: ARG002 (the organisation)
        form = InviteForm(data)
        form.fill(request, [])
        return form

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the organisation)
        return Content(
            title=_("Invite an application"),
            button=_("Make the invite"),
            next_step=_(
                "You see a code, this once. Hand it to the people of the application: whoever takes it first is let in at once, "
                "with what you choose here. It ends when it was taken, when it is too old, or when your role no longer allows it."
            ),
        )

    def act(self, row: Any, answer: Answer) -> str:  # noqa: ARG002 (the organisation)
        branch = answer.data["branch"]
        made = application_links.invite(
            note=answer.data["note"],
            scopes=answer.data["scopes"],
            branch_id=UUID(branch) if branch else None,
            lifetime=timedelta(days=answer.data["days"]),
            person=answer.request.user,
            actor=answer.actor,
            now=answer.now,
        )
        messages.warning(
            answer.request,
            format_html(_("The code, shown this once: <code>{}</code>. Copy it now."), made.code),
        )
        return _("Invite for %(whom)s: made.") % {"whom": made.invite.note}


class WithdrawInvite(Dialog):
    """Close an invite that nobody has taken."""

    name = "withdraw"
    label = gettext_lazy("Withdraw the invite…")
    icon = "undo"
    permission = "access.manage"
    is_danger = True

    def is_offered(self, row: InviteLine) -> bool:
        return row.status == InviteStatus.PENDING

    def content(self, request: HttpRequest, rows: Sequence[InviteLine]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Withdraw the invite for %(whom)s") % {"whom": rows[0].note},
            button=_("Withdraw it"),
            next_step=_("Its code opens nothing from now on. You can make another one."),
            version=rows[0].status,
        )

    def act(self, row: InviteLine, answer: Answer) -> str:
        application_links.withdraw_invite(invite_id=row.pk, actor=answer.actor, now=answer.now)
        return _("Invite for %(whom)s: withdrawn.") % {"whom": row.note}
