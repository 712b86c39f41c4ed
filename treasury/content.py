"""What every organisation begins with, and what an upgrade adds to one that is older."""

import hashlib
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.access.contracts import PORTAL
from apps.access.services import applications, branches, memberships, roles
from apps.approvals.contracts import CountedBy, NewRule, NewStep
from apps.approvals.selectors import rules as stored_rules
from apps.approvals.services import rules
from apps.disbursements.contracts import CONNECTED_ACCOUNT_VERDICT, TRANSFER_VERDICT
from apps.kit.actors import Actor
from apps.ledger.contracts import FX_RATE, JOURNAL, PERIOD_REOPEN, REVERSAL
from apps.ledger.services import chart_template, charts
from apps.payments.contracts import REFUND
from apps.payments.contracts.verdicts import PAYMENT_VERDICT, REFUND_VERDICT

FIRST_RULES = (
    NewRule(
        kind=REFUND.name,
        currency="KES",
        minimum_minor=10_000_00,
        steps=(NewStep(roles=("owner", "approver")),),
        window_hours=24,
        window_by=CountedBy.COUNTERPARTY,
        remind_after_hours=24,
    ),
    NewRule(kind=REFUND_VERDICT.name, steps=(NewStep(roles=("owner", "approver", "controller")),)),
    NewRule(kind=PAYMENT_VERDICT.name, steps=(NewStep(roles=("owner", "approver", "controller")),)),
    NewRule(kind=TRANSFER_VERDICT.name, steps=(NewStep(roles=("owner", "approver", "controller")),)),
    NewRule(kind=CONNECTED_ACCOUNT_VERDICT.name, steps=(NewStep(roles=("owner", "approver", "controller")),)),
    NewRule(kind=FX_RATE.name, steps=(NewStep(roles=("owner", "approver", "controller")),)),
    NewRule(kind=JOURNAL.name, steps=(NewStep(roles=("owner", "approver", "controller")),)),
    NewRule(kind=REVERSAL.name, steps=(NewStep(roles=("owner", "approver", "controller")),)),
    NewRule(kind=PERIOD_REOPEN.name, steps=(NewStep(roles=("owner", "approver", "controller")),)),
)
"""What needs approval from the first day on; the organisation may put other rules in their place."""


@transaction.atomic
def begin(*, branch_code: str, branch_name: str, owner_id: UUID, actor: Actor, now: datetime) -> UUID:
    """
    Make roles, head office, the portal's application, the first owner's membership, the chart of accounts and the first
    approval rules of the organisation that was entered; return the head office. All or nothing.
    """
    roles.seed()
    branch = branches.create(code=branch_code, name=branch_name, is_head_office=True, actor=actor, now=now)
    memberships.create(user_id=owner_id, role="owner", actor=actor, now=now)
    applications.create(slug=PORTAL, name="Portal", actor=actor, now=now)
    charts.install(actor=actor, now=now)
    _first_rules(actor, now)
    return branch.id


@transaction.atomic
def renew(*, actor: Actor, now: datetime) -> None:
    """
    Give the organisation that was entered what this build adds: default roles and their new permissions, lines of the
    chart, first rules of approval kinds that it never had a rule for. Nothing that somebody changed is put back, and a
    second time changes nothing.
    """
    roles.renew(actor=actor, now=now)
    charts.install(actor=actor, now=now)
    _first_rules(actor, now)


def version() -> str:
    """Return a hash over all that ``begin`` makes and ``renew`` adds."""
    parts = (FIRST_RULES, sorted(roles.DEFAULTS.items()), list(chart_template.lines()))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _first_rules(actor: Actor, now: datetime) -> None:
    known = stored_rules.kinds_ever_ruled()
    for rule in FIRST_RULES:
        if rule.kind not in known:
            rules.create(rule=rule, actor=actor, now=now)
