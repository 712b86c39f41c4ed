"""What people decide about what a link grants: agree to a change that an application asks for, refuse it, make one unasked."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.services import grants
from apps.kit.dialogs import Answer, Content, Dialog, Effect, Notice, ReasonForm
from apps.portal.pages.application_dialogs import GrantForm, LinkDialog
from apps.portal.selectors import application_links as shown
from apps.portal.selectors.application_links import ChangeLine, LinkLine
from apps.tenancy.contracts import LinkStatus


def find_change(request: HttpRequest, change_id: UUID) -> ChangeLine:
    return shown.change(change_id, request.user)


class ChangeForm(ReasonForm, GrantForm):
    """What an application may do from now on, and why."""

    field_order = ("scopes", "branch", "reason")


class ChangeGrant(LinkDialog):
    """Change what an application may do that works here."""

    name = "grant"
    steps_up = True
    label = gettext_lazy("Change what it may…")
    icon = "tune"

    def is_offered(self, row: LinkLine) -> bool:
        return row.status == LinkStatus.ACCEPTED

    def form(self, request: HttpRequest, rows: Sequence[LinkLine], data: Any = None) -> forms.Form:
        form = ChangeForm(data)
        form.fill(request, rows[0].scopes, kept=rows[0].scopes, branch_id=rows[0].branch_id)
        return form

    def content(self, request: HttpRequest, rows: Sequence[LinkLine]) -> Content:  # noqa: ARG002 (the row says all)
        row = rows[0]
        return Content(
            title=_("Change what %(application)s may") % {"application": row.name},
            button=_("Change it"),
            effects=[
                Effect(_("It may now"), ", ".join(row.scopes)),
                Effect(_("Branch"), row.branch or _("All branches")),
            ],
            next_step=_(
                "It holds from the next request on. What you take away, its keys lose; a key of another branch is closed, and "
                "webhook endpoints that it no longer covers are switched off. What you add, it gets with a key that it fetches."
            ),
            version=row.status,
        )

    def act(self, row: LinkLine, answer: Answer) -> str:
        branch = answer.data["branch"]
        grants.change(
            link_id=row.pk,
            scopes=answer.data["scopes"],
            branch_id=UUID(branch) if branch else None,
            reason=answer.data["reason"],
            person=answer.request.user,
            actor=answer.actor,
            now=answer.now,
        )
        return _("What %(application)s may is changed.") % {"application": row.name}


class ChangeDialog(Dialog):
    """What is decided about a change that an application asks for."""

    permission = "access.manage"


class AgreeChange(ChangeDialog):
    """Grant an application what it asks for, or a part of it."""

    name = "agree"
    steps_up = True
    label = gettext_lazy("Agree…")
    icon = "check"

    def form(self, request: HttpRequest, rows: Sequence[ChangeLine], data: Any = None) -> forms.Form:
        form = GrantForm(data)
        row = rows[0]
        form.fill(request, row.scopes, kept=row.link.scopes, branch_id=row.branch_id)
        return form

    def content(self, request: HttpRequest, rows: Sequence[ChangeLine]) -> Content:  # noqa: ARG002 (the row says all)
        row = rows[0]
        return Content(
            title=_("Change what %(application)s may") % {"application": row.link.name},
            button=_("Agree"),
            about=row.message,
            notices=[Notice(_("It asks for more: %(scopes)s") % {"scopes": ", ".join(row.added)})]
            if row.added
            else [],
            effects=[
                Effect(_("It may now"), ", ".join(row.link.scopes)),
                Effect(_("It asks for"), ", ".join(row.scopes)),
                Effect(_("Branch now"), row.link.branch or _("All branches")),
                Effect(_("Branch asked for"), row.branch or _("All branches")),
            ],
            next_step=_(
                "Your name stands for what its keys do. What you choose here holds, whether it asked for it or not."
            ),
        )

    def act(self, row: ChangeLine, answer: Answer) -> str:
        branch = answer.data["branch"]
        grants.agree(
            change_id=row.pk,
            scopes=answer.data["scopes"],
            branch_id=UUID(branch) if branch else None,
            person=answer.request.user,
            actor=answer.actor,
            now=answer.now,
        )
        return _("What %(application)s may is changed.") % {"application": row.link.name}


class RefuseChange(ChangeDialog):
    """Leave what an application may as it is."""

    name = "refuse"
    label = gettext_lazy("Refuse…")
    icon = "block"
    is_danger = True
    form_class = ReasonForm

    def content(self, request: HttpRequest, rows: Sequence[ChangeLine]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Refuse %(application)s the change") % {"application": rows[0].link.name},
            button=_("Refuse it"),
            next_step=_(
                "It works on as before and reads your reason. It cannot ask for another change for 7 days."
            ),
        )

    def act(self, row: ChangeLine, answer: Answer) -> str:
        grants.refuse(change_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now)
        return _("%(application)s works on as before.") % {"application": row.link.name}
