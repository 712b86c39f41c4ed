"""Approvals for tests: people with roles, rules, and requests that wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.access.models import Membership
from apps.approvals.contracts import NewRequest, NewRule, NewStep
from apps.approvals.models import ApprovalRequest, ApprovalRule
from apps.approvals.services import requests, rule_changes, rules
from apps.events.models import OutboxEvent
from apps.kit import ids
from apps.kit.actors import SYSTEM, Actor, ActorKind
from apps.kit.money import Money
from apps.payments.contracts import REFUND
from apps.tenancy.services import policies
from tests.factories import access

NOW = datetime(2026, 11, 24, 7, 42, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
TOO_LATE = NOW + timedelta(hours=72)
KES_25000 = Money(25_000_00, "KES")
ONE_APPROVER = (NewStep(roles=("owner", "approver")),)


def person(name: str = "checker", role: str = "approver", branches: tuple[Any, ...] = ()) -> Actor:
    """Return the actor that stands for a member of the team in the portal."""
    email = f"{name}@example.test"
    found = Membership.objects.filter(user__email=email).first()
    member = found or access.member(role, email, branches)
    return actor(member.user_id)


def actor(user_id: object) -> Actor:
    return Actor(ActorKind.USER, str(user_id), person=str(user_id), application="portal")


def member_of(someone: Actor) -> Membership:
    return Membership.objects.get(user_id=someone.person)


def key_of(someone: Actor, number: int = 1) -> Actor:
    """Return the actor that stands for an API key that a person made."""
    return Actor(ActorKind.API_KEY, f"key-{number}", person=someone.person, application="shop")


def maker() -> Actor:
    return person("maker", "treasury_officer")


def rule(**facts: Any) -> ApprovalRule:
    """Return the rule that refunds of KES 10,000.00 or more need one approver, unless told otherwise."""
    access.seed_roles()
    return rules.create(rule=wanted_rule(**facts), actor=SYSTEM, now=NOW)


def wanted_rule(**facts: Any) -> NewRule:
    return NewRule(
        **{
            "kind": REFUND.name,
            "currency": "KES",
            "minimum_minor": 10_000_00,
            "steps": ONE_APPROVER,
            **facts,
        }
    )


def payload(money: Money | None = KES_25000, **facts: Any) -> dict[str, Any]:
    return {"amount": money.text if money else "", "payment": "pi_1", **facts}


def wanted(**facts: Any) -> NewRequest:
    """Return the request to refund KES 25,000.00 at head office."""
    money = facts.get("money", KES_25000)
    return NewRequest(
        **{
            "kind": REFUND,
            "subject_id": ids.new(),
            "subject_reference": "re_1",
            "payload": payload(money),
            "names": (),
            "branch_id": access.head_office().id,
            "application_id": access.application().id,
            "summary": "Refund to Njeri Kamau",
            "money": money,
            **facts,
        }
    )


def waiting(*, by: Actor | None = None, steps: tuple[NewStep, ...] = (), **facts: Any) -> ApprovalRequest:
    """Return a request that waits, asked by the maker; a rule is made when there is none."""
    if steps or not ApprovalRule.objects.exists():
        rule(steps=steps or ONE_APPROVER)
    made = requests.submit(request=wanted(**facts), actor=by or maker(), now=NOW)
    assert made is not None
    return made


def approve(request: ApprovalRequest, by: Actor, **facts: Any) -> ApprovalRequest:
    """Approve what the database holds now."""
    seen = ApprovalRequest.objects.get(id=request.id).payload_hash
    chosen = {"payload_hash": seen, "now": LATER, **facts}
    return requests.approve(request_id=request.id, actor=by, **chosen)


def refuse(request: ApprovalRequest, by: Actor, **facts: Any) -> ApprovalRequest:
    seen = ApprovalRequest.objects.get(id=request.id).payload_hash
    chosen = {"payload_hash": seen, "reason": "The payer got the goods", "now": LATER, **facts}
    return requests.refuse(request_id=request.id, actor=by, **chosen)


def amend(request: ApprovalRequest, by: Actor, **facts: Any) -> ApprovalRequest:
    money = facts.get("money", KES_25000)
    chosen = {
        "payload": payload(money, note="edited"),
        "names": (),
        "money": money,
        "summary": "Refund to Njeri Kamau",
        "now": LATER,
        **facts,
    }
    return requests.amend(request_id=request.id, actor=by, **chosen)


def told(request_id: UUID) -> list[str]:
    """Return the events of a request in the order of publication."""
    events = OutboxEvent.objects.filter(aggregate_id=request_id).order_by("aggregate_version")
    return list(events.values_list("type", flat=True))


def reload(request: ApprovalRequest) -> ApprovalRequest:
    return ApprovalRequest.objects.get(id=request.id)


@contextmanager
def no_small_team() -> Iterator[None]:
    """Keep duties apart in the organisation that was entered, and let it be a small team again afterwards."""
    facts = {"organisation_id": connection.tenant.id, "reason": "We have grown", "actor": SYSTEM, "now": NOW}
    policies.set_small_team(is_small_team=False, **facts)
    yield
    policies.set_small_team(is_small_team=True, **facts)


def rule_change(*, by: Actor | None = None, **facts: Any) -> ApprovalRequest:
    """Return a change that waits: an owner asks for a rule about refunds, or ``rule_id`` goes out of use."""
    access.seed_roles()
    access.head_office()
    asking = {
        "application_id": access.application().id,
        "actor": by or person("boss", "controller"),
        "now": NOW,
    }
    with no_small_team():
        if rule_id := facts.pop("rule_id", None):
            outcome = rule_changes.deactivate(rule_id=rule_id, **asking)
        else:
            outcome = rule_changes.create(rule=wanted_rule(**facts), **asking)
    assert outcome.request is not None
    return outcome.request
