"""What the platform's operators do with people and organisations; each deed has its reason in the platform's trail."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.selectors import entry_addresses
from apps.accounts.models import User
from apps.accounts.selectors import lock_outs as locked
from apps.accounts.selectors import second_factors as known
from apps.accounts.services import entry_links, lock_outs, second_factors, users
from apps.kit import clock
from apps.kit.dialogs import Answer, Content, Dialog, ReasonForm
from apps.tenancy.models import Organisation
from apps.tenancy.services import organisations, take_overs

MANAGE = "platform.manage"


def tell_link(request: HttpRequest, email: str, link: str) -> None:
    """Show the address of an entry link, this once; nothing where there is none."""
    if link:
        text = _(
            "Link for {}, shown this once: <code>{}</code>. Send it to him alone: with it he chooses his password, within 3 days."
        )
        messages.warning(request, format_html(text, email, link))


class RenewEntryLink(Dialog):
    """Make another link for a person who has lost the platform's, or let its time pass."""

    name = "renew-link"
    label = gettext_lazy("Another link…")
    icon = "link"
    permission = MANAGE
    steps_up = True
    form_class = ReasonForm

    def is_offered(self, row: User) -> bool:
        return row.is_active and row.is_vouched_for and row.last_login is None

    def content(self, request: HttpRequest, rows: Sequence[User]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Another link for %(person)s") % {"person": rows[0].email},
            button=_("Make the link"),
            next_step=_(
                "The link before it, and a password chosen with it, are good for nothing then. Make sure who asks before."
            ),
            version=str(rows[0].entry_expires_at),
        )

    def act(self, row: User, answer: Answer) -> str:
        secret = entry_links.make(
            user_id=row.pk,
            actor=answer.actor,
            now=answer.now,
            is_vouched_for=True,
            reason=answer.data["reason"],
        )
        tell_link(answer.request, row.email, entry_addresses.at_platform(secret))
        return _("%(person)s has another link.") % {"person": row.email}


class TakeOver(Dialog):
    """Give an account that an organisation made to the person whose address it is."""

    name = "take-over"
    label = gettext_lazy("Take the account over…")
    icon = "manage_accounts"
    permission = MANAGE
    steps_up = True
    is_danger = True
    form_class = ReasonForm

    def is_offered(self, row: User) -> bool:
        return row.is_active and row.was_let_in

    def content(self, request: HttpRequest, rows: Sequence[User]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Take over the account of %(person)s") % {"person": rows[0].email},
            button=_("Take it over"),
            typed_text=rows[0].email,
            next_step=_(
                "Its link, password and second factor end, and all sessions. You get a new link: make sure that the address is his, "
                "and send it there. Say in the reason how you did. Nobody who works in a team is taken over."
            ),
            version=str(rows[0].entry_digest),
        )

    def act(self, row: User, answer: Answer) -> str:
        secret = take_overs.take_over(
            user_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        tell_link(answer.request, row.email, entry_addresses.at_platform(secret))
        return _("%(person)s is taken over.") % {"person": row.email}


class ResetSecondFactor(Dialog):
    """Remove a second factor that somebody has lost."""

    name = "reset-second-factor"
    label = gettext_lazy("Reset second factor…")
    icon = "phonelink_erase"
    permission = MANAGE
    steps_up = True
    is_danger = True
    form_class = ReasonForm

    def is_offered(self, row: User) -> bool:
        return known.is_enrolled(row.pk)

    def content(self, request: HttpRequest, rows: Sequence[User]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Reset the second factor of %(person)s") % {"person": rows[0].email},
            button=_("Reset the second factor"),
            next_step=_(
                "He signs in with his password alone until he sets up another one. Make sure who asks before: call back on a "
                "number that you knew. Say in the reason how you did."
            ),
        )

    def act(self, row: User, answer: Answer) -> str:
        second_factors.reset(user_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now)
        return _("%(person)s has no second factor now.") % {"person": row.email}


class EndSessions(Dialog):
    """Sign a person out everywhere; he may sign in again."""

    name = "end-sessions"
    label = gettext_lazy("End all sessions…")
    icon = "logout"
    permission = MANAGE
    steps_up = True
    is_danger = True
    form_class = ReasonForm

    def is_offered(self, row: User) -> bool:
        return row.is_active

    def content(self, request: HttpRequest, rows: Sequence[User]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("End all sessions of %(person)s") % {"person": rows[0].email},
            button=_("End all sessions"),
            next_step=_(
                "His next click leads to the sign-in, at every organisation and here. He may sign in again: deactivate him to keep him out."
            ),
        )

    def act(self, row: User, answer: Answer) -> str:
        users.sign_out(user_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now)
        return _("%(person)s is signed out everywhere.") % {"person": row.email}


class LiftLockOut(Dialog):
    """Let somebody sign in again before his lock-out ends by itself."""

    name = "lift-lock-out"
    label = gettext_lazy("Lift the lock-out…")
    icon = "lock_open"
    permission = MANAGE
    steps_up = True
    form_class = ReasonForm

    def is_offered(self, row: User) -> bool:
        return locked.is_locked(row.email, at=clock.now())

    def content(self, request: HttpRequest, rows: Sequence[User]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Lift the lock-out of %(person)s") % {"person": rows[0].email},
            button=_("Lift the lock-out"),
            next_step=_(
                "He may sign in at once. It ends by itself 15 minutes after the last wrong password."
            ),
        )

    def act(self, row: User, answer: Answer) -> str:
        lock_outs.lift(user_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now)
        return _("%(person)s may sign in again.") % {"person": row.email}


class DeactivatePerson(Dialog):
    """End a person's access everywhere."""

    name = "deactivate"
    label = gettext_lazy("Deactivate…")
    icon = "person_off"
    permission = MANAGE
    steps_up = True
    is_danger = True
    form_class = ReasonForm

    def is_offered(self, row: User) -> bool:
        return row.is_active

    def content(self, request: HttpRequest, rows: Sequence[User]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Deactivate %(person)s") % {"person": rows[0].email},
            button=_("Deactivate the person"),
            typed_text=rows[0].email,
            next_step=_(
                "His next request is refused, at every organisation. Nothing that he did is removed."
            ),
        )

    def act(self, row: User, answer: Answer) -> str:
        users.deactivate(user_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now)
        return _("%(person)s is deactivated.") % {"person": row.email}


class SecondFactorPolicy(Dialog):
    """Change whether an organisation asks everybody for a second factor."""

    permission = MANAGE
    steps_up = True
    form_class = ReasonForm
    is_required: bool

    def is_offered(self, row: Organisation) -> bool:
        return row.requires_second_factor is not self.is_required

    def act(self, row: Organisation, answer: Answer) -> str:
        organisations.set_second_factor_policy(
            organisation_id=row.pk,
            is_required=self.is_required,
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("%(organisation)s: changed.") % {"organisation": row.name}


class RequireSecondFactor(SecondFactorPolicy):
    """Ask everybody of an organisation for a second factor."""

    name = "require-second-factor"
    label = gettext_lazy("Require a second factor…")
    icon = "lock"
    is_required = True

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Require a second factor at %(organisation)s") % {"organisation": rows[0].name},
            button=_("Require it"),
            next_step=_("Whoever has none sets one up before his next page opens."),
        )


class WaiveSecondFactor(SecondFactorPolicy):
    """Let people of an organisation in without a second factor."""

    name = "waive-second-factor"
    label = gettext_lazy("No longer require a second factor…")
    icon = "lock_open"
    is_danger = True
    is_required = False

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("No longer require a second factor at %(organisation)s") % {"organisation": rows[0].name},
            button=_("Let them in without"),
            typed_text=rows[0].slug,
            next_step=_(
                "A password is then enough for whoever has none. Who has one is asked for it as before."
            ),
        )
