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
from apps.access.selectors import memberships as team
from apps.access.selectors import portal_sessions as kept
from apps.access.services import admissions, duties, memberships, portal_sessions
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

    def content(self, request: HttpRequest, rows: Sequence[Membership]) -> Content:
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
                ),
                *_alone(request, member),
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


def _alone(request: HttpRequest, member: Membership) -> list[Notice]:
    """Return what is said to the only one who manages the team, of a person whom he let in himself."""
    reader, now = team.of(request.user), clock.now()
    if reader is None or reader.id != member.admitted_by_id or not team.stands_alone(reader, at=now):
        return []
    return [
        Notice(
            _("Nobody else manages the team"),
            _(
                "You confirm him alone, 24 hours after you made his link. The operator of this platform is told."
            ),
        )
    ]


class TurnAway(Dialog):
    """Refuse a person who waits for confirmation."""

    name = "turn-away"
    label = gettext_lazy("Turn away…")
    icon = "person_off"
    permission = "access.manage"
    is_danger = True
    form_class = ReasonForm

    def is_offered(self, row: Membership) -> bool:
        return row.is_waiting

    def content(self, request: HttpRequest, rows: Sequence[Membership]) -> Content:  # noqa: ARG002 (the row says all)
        member = rows[0]
        return Content(
            title=_("Turn %(person)s away") % {"person": member.user},
            button=_("Turn this person away"),
            effects=[
                Effect(_("E-mail"), member.user.email),
                Effect(_("Let in by"), str(member.admitted_by or "—")),
            ],
            next_step=_(
                "His link, his code and the password that he chose are good for nothing from then on. He can be let in anew, by his e-mail."
            ),
            version=str(member.admitted_at),
        )

    def act(self, row: Membership, answer: Answer) -> str:
        memberships.end(
            membership_id=row.id, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return _("%(person)s is turned away.") % {"person": row.user}


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
