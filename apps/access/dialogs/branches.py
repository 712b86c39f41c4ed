"""What people choose about branches."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.forms import BranchPolicyForm
from apps.access.models import Branch
from apps.access.services import branches
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
