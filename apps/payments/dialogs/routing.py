"""What people do with the rules by which payments find their account."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.selectors import scope
from apps.jobs.services.jobs import Job
from apps.kit.dialogs import Answer, Content, Dialog, Effect, ReasonForm
from apps.payments.contracts import NewRoutingRule
from apps.payments.dialogs.routing_forms import RoutingRuleForm, asked_rule
from apps.payments.models import RoutingRule
from apps.payments.selectors import routing as stored
from apps.payments.services import routing_rules, routing_trials


class RoutingDialog(Dialog):
    """What whoever manages providers may ask of the rules: change them, or try the change first."""

    permission = "integrations.manage"
    steps_up = True
    job: Job | None = None

    def is_offered(self, row: RoutingRule) -> bool:
        return row.is_active

    def form(self, request: HttpRequest, rows: Sequence[RoutingRule], data: Any = None) -> forms.Form:
        return RoutingRuleForm(data, person=request.user, rule=stored.terms_of(rows[0]) if rows else None)

    def try_out(self, answer: Answer, *, rule: NewRoutingRule | None, instead_of: UUID | None) -> str:
        """Start a dry run, whose page opens next."""
        self.job = routing_trials.start(
            rule=rule,
            instead_of=instead_of,
            caller=answer.request.user,
            actor=answer.actor,
            now=answer.now,
        )
        return _("The dry run has started. Nothing is changed.")

    def landing(self, request: HttpRequest, rows: Sequence[RoutingRule]) -> str:  # noqa: ARG002 (the job's page)
        return reverse("portal-job", args=[self.job.id]) if self.job else ""


class AddRoutingRule(RoutingDialog):
    """Make a rule."""

    name = "add"
    label = gettext_lazy("Add rule…")
    icon = "add"
    on_list = True

    def content(self, request: HttpRequest, rows: Sequence[RoutingRule]) -> Content:  # noqa: ARG002 (there is none yet)
        return Content(title=_("Add a routing rule"), button=_("Add the rule"), next_step=_holds())

    def perform(self, rows: Sequence[RoutingRule], answer: Answer) -> list[str]:  # noqa: ARG002 (there is none yet)
        rule = asked_rule(answer.data)
        if answer.data["is_trial"]:
            return [self.try_out(answer, rule=rule, instead_of=None)]
        outcome = routing_rules.create(rule=rule, reason=answer.data["reason"], **_by(answer))
        return [_said(outcome, rule.name, _("%(rule)s: in use.") % {"rule": rule.name})]


class ChangeRoutingRule(RoutingDialog):
    """Put the next version of a rule in its place."""

    name = "replace"
    label = gettext_lazy("Change…")
    icon = "edit"
    on_rows = True

    def content(self, request: HttpRequest, rows: Sequence[RoutingRule]) -> Content:  # noqa: ARG002 (the row says all)
        [rule] = rows
        return Content(
            title=_("Change the routing rule %(name)s") % {"name": rule.name},
            button=_("Change the rule"),
            next_step=_holds(),
        )

    def act(self, row: RoutingRule, answer: Answer) -> str:
        rule = asked_rule(answer.data)
        if answer.data["is_trial"]:
            return self.try_out(answer, rule=rule, instead_of=row.id)
        outcome = routing_rules.replace(
            rule_id=row.id, rule=rule, reason=answer.data["reason"], **_by(answer)
        )
        return _said(outcome, rule.name, _("%(rule)s: changed.") % {"rule": rule.name})


class RetireRoutingRule(RoutingDialog):
    """Take a rule out of use."""

    name = "retire"
    label = gettext_lazy("Retire…")
    icon = "block"
    is_danger = True
    on_rows = True

    def form(self, request: HttpRequest, rows: Sequence[RoutingRule], data: Any = None) -> forms.Form:  # noqa: ARG002 (the same for all)
        return ReasonForm(data)

    def content(self, request: HttpRequest, rows: Sequence[RoutingRule]) -> Content:  # noqa: ARG002 (the row says all)
        [rule] = rows
        return Content(
            title=_("Retire the routing rule %(name)s") % {"name": rule.name},
            button=_("Retire the rule"),
            effects=[Effect(_("Accounts"), ", ".join(str(each.account) for each in rule.targets.all()))],
            next_step=_("From now on the next rule that fits decides, else the account of the branch."),
        )

    def act(self, row: RoutingRule, answer: Answer) -> str:
        outcome = routing_rules.retire(rule_id=row.id, reason=answer.data["reason"], **_by(answer))
        return _said(outcome, row.name, _("%(rule)s: retired.") % {"rule": row.name})


class TryRouting(RoutingDialog):
    """Route the payments of the last month again, by the rules in use."""

    name = "try"
    label = gettext_lazy("Dry run…")
    icon = "science"
    steps_up = False
    on_list = True

    def form(self, request: HttpRequest, rows: Sequence[RoutingRule], data: Any = None) -> forms.Form:  # noqa: ARG002 (nothing is asked)
        return forms.Form(data)

    def content(self, request: HttpRequest, rows: Sequence[RoutingRule]) -> Content:  # noqa: ARG002 (the whole list)
        return Content(
            title=_("Try the rules in use on the payments of the last 30 days"),
            button=_("Start the dry run"),
            next_step=_(
                "A job counts, sums up and lists what would have gone through another account. Nothing is changed. To try another rule first, add or change it and tick the box."
            ),
        )

    def perform(self, rows: Sequence[RoutingRule], answer: Answer) -> list[str]:  # noqa: ARG002 (the whole list)
        return [self.try_out(answer, rule=None, instead_of=None)]


def _by(answer: Answer) -> dict[str, Any]:
    return {
        "within": scope.own_branch_ids(answer.request.user),
        "actor": answer.actor,
        "now": answer.now,
    }


def _said(outcome: routing_rules.Outcome, name: str, done: str) -> str:
    if outcome.approval_id is None:
        return done
    return _("%(rule)s: waits for another person.") % {"rule": name}


def _holds() -> str:
    return _("It holds for requests that leave from now on; what is under way stays where it is.")
