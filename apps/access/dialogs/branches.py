"""What people choose about branches: who sees which, and which application keeps one."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.forms import BranchPolicyForm, LinkBranchForm, UnlinkBranchForm
from apps.access.models import Application, Branch
from apps.access.selectors import applications
from apps.access.selectors import branches as stored
from apps.access.services import branch_external_ids, branches
from apps.kit.dialogs import Answer, Content, Dialog, Effect
from apps.tenancy.contracts import BRANCH_POLICIES, BranchPolicy
from apps.tenancy.selectors import organisations


class ChooseBranchPolicy(Dialog):
    """Say what somebody who works for some branches sees of the others."""

    name = "policy"
    label = gettext_lazy("Who sees which…")
    icon = "visibility"
    permission = "access.manage"
    steps_up = True
    on_list = True

    def form(self, request: HttpRequest, rows: Sequence[Branch], data: Any = None) -> forms.Form:  # noqa: ARG002 (about all)
        return BranchPolicyForm(data, initial={"policy": organisations.current().branch_policy})

    def content(self, request: HttpRequest, rows: Sequence[Branch]) -> Content:  # noqa: ARG002 (about all)
        present = BranchPolicy(organisations.current().branch_policy)
        return Content(
            title=_("Who sees which branch"),
            button=_("Choose"),
            effects=[Effect(_("Now"), str(BRANCH_POLICIES[present]))],
            next_step=_(
                "It holds for people and API keys from their next request on. Who works for all sees all."
            ),
        )

    def perform(self, rows: Sequence[Branch], answer: Answer) -> list[str]:  # noqa: ARG002 (about all)
        policy = BranchPolicy(answer.data["policy"])
        branches.choose_policy(
            policy=policy, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return [_("Who works for some branches sees: %(policy)s.") % {"policy": BRANCH_POLICIES[policy]}]


class LinkBranch(Dialog):
    """Let an application keep a branch that is there."""

    name = "link"
    label = gettext_lazy("Link to an application…")
    icon = "link"
    permission = "access.manage"
    steps_up = True

    def form(self, request: HttpRequest, rows: Sequence[Branch], data: Any = None) -> forms.Form:
        form = LinkBranchForm(data)
        others = applications.with_keys(request.user).exclude(id__in=_keepers(rows[0]))
        _offer(form, others)
        return form

    def content(self, request: HttpRequest, rows: Sequence[Branch]) -> Content:  # noqa: ARG002 (the rows say all)
        return Content(
            title=_("Link %(branch)s to an application") % {"branch": rows[0].name},
            button=_("Link"),
            effects=[Effect(_("Branch"), f"{rows[0].name}, {rows[0].code}")],
            next_step=_(
                "The application may rename and move this branch from now on, by its own id of it. Its code stays."
            ),
        )

    def act(self, row: Branch, answer: Answer) -> str:
        application = answer.data["application"]
        known = branch_external_ids.link(
            branch_id=row.id,
            application_id=application.id,
            external_id=answer.data["external_id"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("%(application)s keeps it as %(id)s.") % {"application": application, "id": known}


class UnlinkBranch(Dialog):
    """Let an application keep a branch no longer."""

    name = "unlink"
    label = gettext_lazy("Unlink…")
    icon = "link_off"
    permission = "access.manage"
    steps_up = True

    def is_offered(self, row: Branch) -> bool:
        return bool(getattr(row, "is_kept", False))

    def form(self, request: HttpRequest, rows: Sequence[Branch], data: Any = None) -> forms.Form:
        form = UnlinkBranchForm(data)
        _offer(form, applications.with_keys(request.user).filter(id__in=_keepers(rows[0])))
        return form

    def content(self, request: HttpRequest, rows: Sequence[Branch]) -> Content:  # noqa: ARG002 (the rows say all)
        return Content(
            title=_("Unlink %(branch)s from an application") % {"branch": rows[0].name},
            button=_("Unlink"),
            effects=[
                Effect(known.application.name, known.external_id) for known in stored.external_ids(rows[0])
            ],
            next_step=_("The branch stays as it is. The application changes it no more."),
        )

    def act(self, row: Branch, answer: Answer) -> str:
        application = answer.data["application"]
        branch_external_ids.unlink(
            branch_id=row.id, application_id=application.id, actor=answer.actor, now=answer.now
        )
        return _("%(application)s keeps it no longer.") % {"application": application}


def _keepers(branch: Branch) -> list[UUID]:
    return [known.application_id for known in stored.external_ids(branch)]


def _offer(form: forms.Form, choices: QuerySet[Application]) -> None:
    cast(forms.ModelChoiceField, form.fields["application"]).queryset = choices.order_by("name")
