"""What people do with approval requests and rules in the portal."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.access.selectors import scope
from apps.approvals.contracts import KINDS, RULE_CHANGE
from apps.approvals.forms import DelegationForm, NoteForm, RuleForm, asked_delegation, asked_rule
from apps.approvals.models import ApprovalDelegation, ApprovalRequest, ApprovalRule
from apps.approvals.selectors import authority
from apps.approvals.selectors import requests as stored
from apps.approvals.selectors import rule_changes as changes
from apps.approvals.services import delegations, requests, rule_changes
from apps.approvals.services.rule_changes import Outcome
from apps.kit import clock
from apps.kit.dialogs import Answer, Content, Dialog, Effect, Notice, ReasonForm
from apps.kit.money import Money
from apps.tenancy.selectors import organisations

TYPED_FROM = 500_000
"""From this amount on, in whole units of its currency, the approver types it by hand."""


class RequestDialog(Dialog):
    """What is done about a request that waits; whether this person may is the service's to say."""

    def is_offered(self, row: ApprovalRequest) -> bool:
        return row.is_pending

    def content(self, request: HttpRequest, rows: Sequence[ApprovalRequest]) -> Content:
        row = rows[0]
        return Content(
            title=self.title(row),
            button=self.button(row),
            money=row.money,
            about=_("%(summary)s. Asked by %(who)s, %(branch)s.")
            % {"summary": row.summary, "who": stored.requester_name(row), "branch": row.branch.name},
            notices=self.notices(row),
            effects=[*self.effects(row), *self.in_the_name_of(row, request)],
            next_step=self.next_step(row),
            typed_money=self.typed_money(row),
            version=f"{row.payload_hash} {row.payload_version} {row.current_step}",
        )

    def title(self, row: ApprovalRequest) -> str:
        raise NotImplementedError

    def button(self, row: ApprovalRequest) -> str:
        raise NotImplementedError

    def next_step(self, row: ApprovalRequest) -> str:
        raise NotImplementedError

    def notices(self, row: ApprovalRequest) -> list[Notice]:
        if row.payload_version == 1:
            return []
        text = _("Decisions on earlier versions are void. Read what changed before you decide.")
        return [Notice(_("Edited, version %(number)d") % {"number": row.payload_version}, text)]

    def effects(self, row: ApprovalRequest) -> list[Effect]:
        approved, step = stored.approved_by_step(row), stored.present_step(row)
        return [
            Effect(_("About"), row.subject_reference),
            Effect(_("Step"), _("%(step)d of %(all)d") % {"step": row.current_step, "all": row.step_count}),
            Effect(
                _("Approved at this step"),
                _("%(count)d of %(needed)d")
                % {"count": approved.get(step.sequence, 0), "needed": step.needed},
                is_live=True,
            ),
        ]

    def in_the_name_of(self, row: ApprovalRequest, request: HttpRequest) -> list[Effect]:
        """Say for whom it is decided, where that is not the person himself."""
        name = authority.decided_for(row, str(request.user.pk), now=clock.now())
        return [Effect(_("You decide for"), name)] if name else []

    def typed_money(self, row: ApprovalRequest) -> Money | None:  # noqa: ARG002 (for overriding)
        return None


class Approve(RequestDialog):
    """Agree to what is shown."""

    name = "approve"
    label = gettext_lazy("Approve…")
    icon = "check_circle"
    permission = "approvals.decide"
    steps_up = True
    beside = ("refuse",)
    form_class = NoteForm

    def title(self, row: ApprovalRequest) -> str:
        return _("Approve %(kind)s %(reference)s") % {
            "kind": kind_title(row.kind).lower(),
            "reference": row.subject_reference,
        }

    def button(self, row: ApprovalRequest) -> str:
        return _("Approve %(amount)s") % {"amount": row.money} if row.money else _("Approve")

    def next_step(self, row: ApprovalRequest) -> str:
        missing = stored.present_step(row).needed - stored.approved_by_step(row).get(row.current_step, 0)
        if missing > 1 or not row.is_at_last_step:
            return _("Other people decide after you. Your approval cannot be taken back.")
        return _("You are the last one: it is carried out at once and cannot be recalled.")

    def typed_money(self, row: ApprovalRequest) -> Money | None:
        return row.money if is_large(row.money) else None

    def act(self, row: ApprovalRequest, answer: Answer) -> str:
        done = requests.approve(
            request_id=row.id,
            payload_hash=row.payload_hash,
            note=answer.data["note"],
            actor=answer.actor,
            now=answer.now,
        )
        if done.is_pending:
            return _("%(what)s: approved by you, other people decide next.") % {"what": row.summary}
        return _("%(what)s: approved.") % {"what": row.summary}


class ApproveMany(Dialog):
    """Agree to several requests that were chosen; each is judged by itself, and a large sum is decided on its own."""

    name = "approve-many"
    label = gettext_lazy("Approve selected…")
    icon = "done_all"
    permission = "approvals.decide"
    steps_up = True
    on_page = False
    on_selection = True
    form_class = NoteForm

    def is_offered(self, row: ApprovalRequest) -> bool:
        return row.is_pending and not is_large(row.money)

    def content(self, request: HttpRequest, rows: Sequence[ApprovalRequest]) -> Content:  # noqa: ARG002 (the rows say all)
        count = {"count": len(rows)}
        edited = [row.subject_reference for row in rows if row.payload_version > 1]
        return Content(
            title=ngettext("Approve %(count)d request", "Approve %(count)d requests", len(rows)) % count,
            button=ngettext("Approve %(count)d", "Approve all %(count)d", len(rows)) % count,
            notices=[Notice(_("Edited since they were asked"), ", ".join(edited))] if edited else [],
            effects=[Effect(row.summary, row.money or "—") for row in rows],
            next_step=_(
                "Each is decided by itself: one that is not yours to decide is left, and you are told why. What has its last approval is carried out at once and cannot be recalled."
            ),
            version=" ".join(f"{row.payload_hash} {row.payload_version} {row.current_step}" for row in rows),
        )

    def act(self, row: ApprovalRequest, answer: Answer) -> str:
        return Approve().act(row, answer)


class Refuse(RequestDialog):
    """Say no, and why: the first refusal ends a request."""

    name = "refuse"
    label = gettext_lazy("Refuse…")
    icon = "cancel"
    permission = "approvals.decide"
    steps_up = True
    is_danger = True
    form_class = ReasonForm

    def title(self, row: ApprovalRequest) -> str:
        return _("Refuse %(kind)s %(reference)s") % {
            "kind": kind_title(row.kind).lower(),
            "reference": row.subject_reference,
        }

    def button(self, row: ApprovalRequest) -> str:  # noqa: ARG002 (the same for every row)
        return _("Refuse")

    def next_step(self, row: ApprovalRequest) -> str:
        return _("It ends here and is not carried out. %(who)s reads your reason.") % {
            "who": stored.requester_name(row)
        }

    def act(self, row: ApprovalRequest, answer: Answer) -> str:
        requests.refuse(
            request_id=row.id,
            payload_hash=row.payload_hash,
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("%(what)s: refused.") % {"what": row.summary}


class Withdraw(RequestDialog):
    """Take back what one has asked for."""

    name = "withdraw"
    label = gettext_lazy("Withdraw…")
    icon = "undo"
    permission = "approvals.view"
    is_danger = True
    form_class = ReasonForm

    def title(self, row: ApprovalRequest) -> str:
        return _("Withdraw %(kind)s %(reference)s") % {
            "kind": kind_title(row.kind).lower(),
            "reference": row.subject_reference,
        }

    def button(self, row: ApprovalRequest) -> str:  # noqa: ARG002 (the same for every row)
        return _("Withdraw the request")

    def next_step(self, row: ApprovalRequest) -> str:  # noqa: ARG002 (the same for every row)
        return _("It ends here and is not carried out. You can ask anew.")

    def act(self, row: ApprovalRequest, answer: Answer) -> str:
        requests.withdraw(request_id=row.id, reason=answer.data["reason"], actor=answer.actor, now=answer.now)
        return _("%(what)s: withdrawn.") % {"what": row.summary}


class AmendRule(RequestDialog):
    """Put another rule before the deciders of a change that waits."""

    name = "amend-rule"
    label = gettext_lazy("Edit…")
    icon = "edit"
    permission = "approvals.manage"
    steps_up = True

    def is_offered(self, row: ApprovalRequest) -> bool:
        return row.is_pending and row.kind == RULE_CHANGE.name and changes.asked_rule(row) is not None

    def form(self, request: HttpRequest, rows: Sequence[ApprovalRequest], data: Any = None) -> forms.Form:
        return RuleForm(data, person=request.user, rule=changes.asked_rule(rows[0]))

    def title(self, row: ApprovalRequest) -> str:
        return _("Edit the change of rules %(reference)s") % {"reference": row.subject_reference}

    def button(self, row: ApprovalRequest) -> str:  # noqa: ARG002 (the same for every row)
        return _("Ask for this instead")

    def next_step(self, row: ApprovalRequest) -> str:  # noqa: ARG002 (the same for every row)
        return _("Decisions so far are void, and somebody else decides about the new version.")

    def act(self, row: ApprovalRequest, answer: Answer) -> str:
        rule_changes.amend(
            request_id=row.id,
            rule=asked_rule(answer.data),
            within=within(answer.request),
            actor=answer.actor,
            now=answer.now,
        )
        return _("%(what)s: edited, another person decides.") % {"what": row.summary}


class RuleDialog(Dialog):
    """What whoever manages rules may ask for, and in a small team do alone."""

    permission = "approvals.manage"
    steps_up = True

    def notices(self, request: HttpRequest) -> list[Notice]:
        """Say who agrees: that differs from one organisation to another."""
        if organisations.current().is_small_team and not authority.is_anybody_else(str(request.user.pk)):
            text = _("It holds at once, and the audit log says that nobody else agreed.")
            return [Notice(_("Your organisation is a small team"), text)]
        return [
            Notice(
                _("Another person agrees first"),
                _("By the rules that hold now. Until then nothing changes."),
                tone="pending",
                icon="group",
            )
        ]

    def said(self, outcome: Outcome, done: str) -> str:
        """Return what became of it, ``done`` where it holds already."""
        return (
            done
            if outcome.request is None
            else _("%(what)s: waits for another person.") % {"what": outcome.request.summary}
        )

    def is_offered(self, row: ApprovalRule) -> bool:
        return row.is_active

    def form(self, request: HttpRequest, rows: Sequence[ApprovalRule], data: Any = None) -> forms.Form:
        return RuleForm(data, person=request.user, rule=rows[0] if rows else None)


class AddRule(RuleDialog):
    """Make a rule."""

    name = "add"
    label = gettext_lazy("Add rule…")
    icon = "add"
    on_list = True

    def content(self, request: HttpRequest, rows: Sequence[ApprovalRule]) -> Content:  # noqa: ARG002 (there is none yet)
        return Content(
            title=_("Add an approval rule"),
            button=_("Add the rule"),
            notices=self.notices(request),
            next_step=_holds(),
        )

    def perform(self, rows: Sequence[ApprovalRule], answer: Answer) -> list[str]:  # noqa: ARG002 (there is none yet)
        wanted = asked_rule(answer.data)
        outcome = rule_changes.create(
            rule=wanted,
            within=within(answer.request),
            actor=answer.actor,
            now=answer.now,
        )
        return [self.said(outcome, _("%(rule)s: added.") % {"rule": kind_title(wanted.kind)})]


class ReplaceRule(RuleDialog):
    """Put another rule in the place of one."""

    name = "replace"
    label = gettext_lazy("Change…")
    icon = "edit"
    on_rows = True

    def content(self, request: HttpRequest, rows: Sequence[ApprovalRule]) -> Content:
        return Content(
            title=_("Change the approval rule for %(kind)s") % {"kind": kind_title(rows[0].kind).lower()},
            button=_("Change the rule"),
            notices=self.notices(request),
            next_step=_holds(),
        )

    def act(self, row: ApprovalRule, answer: Answer) -> str:
        wanted = asked_rule(answer.data)
        outcome = rule_changes.replace(
            rule_id=row.id,
            rule=wanted,
            within=within(answer.request),
            actor=answer.actor,
            now=answer.now,
        )
        return self.said(outcome, _("%(rule)s: changed.") % {"rule": kind_title(wanted.kind)})


class DeactivateRule(RuleDialog):
    """Take a rule out of use."""

    name = "deactivate"
    label = gettext_lazy("Deactivate…")
    icon = "block"
    is_danger = True
    on_rows = True

    def form(self, request: HttpRequest, rows: Sequence[ApprovalRule], data: Any = None) -> forms.Form:  # noqa: ARG002 (nothing is asked)
        return forms.Form(data)

    def content(self, request: HttpRequest, rows: Sequence[ApprovalRule]) -> Content:
        return Content(
            title=_("Deactivate the approval rule for %(kind)s") % {"kind": kind_title(rows[0].kind).lower()},
            button=_("Deactivate the rule"),
            notices=self.notices(request),
            next_step=_(
                "What falls under no other rule needs no approval from now on. What waits already goes on waiting."
            ),
        )

    def act(self, row: ApprovalRule, answer: Answer) -> str:
        outcome = rule_changes.deactivate(
            rule_id=row.id,
            within=within(answer.request),
            actor=answer.actor,
            now=answer.now,
        )
        return self.said(outcome, _("%(rule)s: out of use.") % {"rule": kind_title(row.kind)})


class AddDelegation(Dialog):
    """Let a colleague decide in one's own name for some days."""

    name = "delegate"
    label = gettext_lazy("Delegate…")
    icon = "supervisor_account"
    permission = "approvals.decide"
    steps_up = True
    on_list = True

    def form(self, request: HttpRequest, rows: Sequence[ApprovalDelegation], data: Any = None) -> forms.Form:  # noqa: ARG002 (there is none yet)
        return DelegationForm(data, person=request.user)

    def content(self, request: HttpRequest, rows: Sequence[ApprovalDelegation]) -> Content:  # noqa: ARG002 (there is none yet)
        return Content(
            title=_("Let a colleague decide for you"),
            button=_("Delegate"),
            next_step=_(
                "Your colleague decides what you may decide, in your name, and both of you are on record. What you asked for or decided stays out of reach. You can take it back at any time."
            ),
        )

    def perform(self, rows: Sequence[ApprovalDelegation], answer: Answer) -> list[str]:  # noqa: ARG002 (there is none yet)
        made = delegations.create(
            delegation=asked_delegation(answer.data, now=answer.now), actor=answer.actor, now=answer.now
        )
        return [_("%(who)s decides for you.") % {"who": made.delegate.user.name}]


class RevokeDelegation(Dialog):
    """Take back what was delegated."""

    name = "revoke"
    label = gettext_lazy("Take back…")
    icon = "block"
    permission = "approvals.view"
    is_danger = True
    on_rows = True

    def is_offered(self, row: ApprovalDelegation) -> bool:
        return row.revoked_at is None

    def content(self, request: HttpRequest, rows: Sequence[ApprovalDelegation]) -> Content:  # noqa: ARG002 (the row says all)
        row = rows[0]
        people = {"who": row.delegate.user.name, "giver": row.delegator.user.name}
        return Content(
            title=_("Take back what %(giver)s delegated to %(who)s") % people,
            button=_("Take it back"),
            about=row.reason,
            next_step=_("From now on %(who)s decides nothing for %(giver)s. What was decided stays decided.")
            % people,
        )

    def act(self, row: ApprovalDelegation, answer: Answer) -> str:
        delegations.revoke(delegation_id=row.id, actor=answer.actor, now=answer.now)
        return _("%(who)s decides for you no more.") % {"who": row.delegate.user.name}


def is_large(money: Money | None) -> bool:
    """Say whether a sum is typed by hand before it is approved."""
    return money is not None and money.decimal >= TYPED_FROM


def kind_title(name: str) -> str:
    """Return what people call a kind; a kind that no app declares any more keeps its name."""
    return str(KINDS[name].title) if name in KINDS else name


def within(request: HttpRequest) -> set[UUID] | None:
    """Return the branches that the person works for whichever he looks at, None for all."""
    return scope.own_branch_ids(request.user)


def _holds() -> str:
    return _("It holds for what is asked from now on. What waits already keeps its steps.")
