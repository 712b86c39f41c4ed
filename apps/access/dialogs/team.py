"""What people do with members, and with what holds for the whole team."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.access.admin_sites.entry import link_of
from apps.access.contracts import CONFLICTS
from apps.access.forms import ConfirmForm
from apps.access.models import Membership
from apps.access.selectors import portal_sessions as kept
from apps.access.services import admissions, duties, portal_sessions
from apps.kit import clock
from apps.kit.dialogs import Answer, Content, Dialog, Effect, Notice, ReasonForm
from apps.tenancy.selectors import organisations


class Confirm(Dialog):
    """Let a person in on the word of a second one."""

    name = "confirm"
    label = gettext_lazy("Confirm…")
    icon = "how_to_reg"
    permission = "access.manage"
    steps_up = True
    on_rows = True
    form_class = ConfirmForm

    def is_offered(self, row: Membership) -> bool:
        return row.is_waiting

    def content(self, request: HttpRequest, rows: Sequence[Membership]) -> Content:  # noqa: ARG002 (the row says all)
        member = rows[0]
        places = ", ".join(sorted(branch.code for branch in member.branches.all())) or _("All")
        return Content(
            title=_("Confirm %(person)s") % {"person": member.user},
            button=_("Confirm this person"),
            notices=[
                Notice(
                    _("Ask him yourself, in person or by a number that you know"),
                    _(
                        "He reads you the code that he was shown when he chose his password. Take it from nobody else, least of all from who let him in."
                    ),
                    tone="pending",
                )
            ],
            effects=[
                Effect(_("E-mail"), member.user.email),
                Effect(_("Role"), member.role.name),
                Effect(_("Branches"), places),
                Effect(_("Let in by"), str(member.admitted_by or "—")),
            ],
            next_step=_("He may sign in at once and do what his role allows."),
            version=f"{member.confirmed_at}|{member.role.code}|{places}",
        )

    def act(self, row: Membership, answer: Answer) -> str:
        admissions.confirm(membership_id=row.id, code=answer.data["code"], actor=answer.actor, now=answer.now)
        return _("%(person)s is confirmed.") % {"person": row.user}


class RenewLink(Dialog):
    """Make another link for a person who has lost his, or let its time pass."""

    name = "renew-link"
    label = gettext_lazy("Another link…")
    icon = "link"
    permission = "access.manage"
    steps_up = True

    def is_offered(self, row: Membership) -> bool:
        return (row.is_active or row.is_waiting) and row.user.last_login is None

    def content(self, request: HttpRequest, rows: Sequence[Membership]) -> Content:  # noqa: ARG002 (the row says all)
        member = rows[0]
        return Content(
            title=_("Another link for %(person)s") % {"person": member.user},
            button=_("Make the link"),
            effects=[Effect(_("E-mail"), member.user.email)],
            next_step=_(
                "The link before it, and a password chosen with it, are good for nothing then. You are who let him in from now on: somebody else confirms him, also where somebody has."
            ),
            version=str(member.user.entry_digest),
        )

    def act(self, row: Membership, answer: Answer) -> str:
        renewed = admissions.renew_link(membership_id=row.id, actor=answer.actor, now=answer.now)
        return format_html(
            _("The link, shown this once: <code>{}</code>. Send it to him alone."),
            link_of(answer.request, renewed.secret),
        )


class EndSessions(Dialog):
    """Sign a member out everywhere in this organisation; he may sign in again."""

    name = "end-sessions"
    label = gettext_lazy("End all sessions…")
    icon = "logout"
    permission = "access.manage"
    is_danger = True

    def is_offered(self, row: Membership) -> bool:
        return row.is_active

    def content(self, request: HttpRequest, rows: Sequence[Membership]) -> Content:  # noqa: ARG002 (the row says all)
        member = rows[0]
        return Content(
            title=_("End all sessions of %(person)s") % {"person": member.user},
            button=_("End all sessions"),
            effects=[
                Effect(_("Signed in now"), str(len(kept.live(member, at=clock.now()))), is_live=True),
            ],
            next_step=_(
                "His next click leads to the sign-in. He may sign in again: end the membership to keep him out."
            ),
        )

    def act(self, row: Membership, answer: Answer) -> str:
        present = str(answer.request.session.session_key)  # his own session is his way to see what was done
        ended = portal_sessions.end_others(
            user_id=row.user_id, spare=present, actor=answer.actor, now=answer.now
        )
        return ngettext("%(count)d session is ended.", "%(count)d sessions are ended.", ended) % {
            "count": ended
        }


class ChooseSmallTeam(Dialog):
    """Let one person hold duties that are kept apart elsewhere, or no longer."""

    name = "small-team"
    label = gettext_lazy("Separation of duties…")
    icon = "diversity_3"
    permission = "access.manage"
    steps_up = True
    on_list = True
    form_class = ReasonForm

    def content(self, request: HttpRequest, rows: Sequence[Membership]) -> Content:  # noqa: ARG002 (about the team)
        is_small = organisations.current().is_small_team
        pairs = [Effect(str(first.title), str(second.title)) for first, second in CONFLICTS]
        return Content(
            title=_("Keep duties apart again") if is_small else _("Be a small team"),
            button=_("Keep duties apart") if is_small else _("Let one person hold both"),
            notices=[]
            if is_small
            else [Notice(_("One person alone could then take part in both."), tone="held")],
            effects=pairs,
            next_step=_("Nobody may hold both of a line from then on.")
            if is_small
            else _(
                "The operator of this platform is told. What somebody asked for himself he never decides."
            ),
            version=str(is_small),
        )

    def perform(self, rows: Sequence[Membership], answer: Answer) -> list[str]:  # noqa: ARG002 (about the team)
        is_small = not organisations.current().is_small_team
        duties.choose_small_team(
            is_small_team=is_small, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return [_("This is a small team now.") if is_small else _("Duties are kept apart now.")]
