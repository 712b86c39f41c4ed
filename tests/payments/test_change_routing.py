"""Change routing: rules are made, replaced and retired with a record of each, by two people where a rule asks for it."""

from dataclasses import replace
from datetime import time

import psycopg
import pytest

from apps.access.selectors.branches import BranchForbidden
from apps.approvals.contracts import Decided
from apps.approvals.models import ApprovalRequest
from apps.approvals.services.requests import RequestPending
from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.kit import errors, ids
from apps.kit.actors import SYSTEM
from apps.payments.contracts import Method, NewRoutingTarget, RoutingStrategy
from apps.payments.dialogs.routing_forms import RoutingRuleForm, asked_rule
from apps.payments.models import RoutingRule
from apps.payments.selectors import routing as stored
from apps.payments.services import routing_checks, routing_rules
from tests.conftest import owner
from tests.factories import access, approvals, payments
from tests.factories.routing import rule, wanted
from tests.payments.test_two_connections import at_once

NOW = payments.NOW


@pytest.fixture
def here(acme):
    """Return an account of head office in an organisation whose portal asks."""
    access.portal()
    return payments.account()


def decide(approval_id):
    event = OutboxEvent.objects.get(type="approval_decided", aggregate_id=approval_id)
    return routing_rules.decide(decided=Decided.read(event.data), now=approvals.LATER)


def test_a_rule_is_made_replaced_and_retired_and_what_it_was_stays(here):
    first, second = here, payments.account()
    terms = wanted(
        (first, 7),
        (second, 3),
        strategy=RoutingStrategy.SPLIT,
        branch_id=first.branch_id,
        application_id=access.application().id,
        method=Method.MPESA,
        currency="KES",
        minimum_minor=100_00,
        maximum_minor=9_000_00,
        weekdays="12345",
        from_time=time(22),
        to_time=time(6),
    )
    made = routing_rules.create(rule=terms, actor=SYSTEM, now=NOW, reason="Night").rule
    other = replace(terms, name="Nights")
    replaced = routing_rules.replace(rule_id=made.id, rule=other, actor=SYSTEM, now=NOW).rule
    for _ in range(2):
        routing_rules.retire(rule_id=replaced.id, actor=SYSTEM, now=NOW, reason="Over")

    assert stored.terms_of(stored.get(made.id)) == terms
    assert (replaced.version, replaced.replaces_id) == (2, made.id)
    assert stored.in_use(None) == []
    told = AuditRecord.objects.filter(object_type="routing_rule").order_by("id")
    assert [(row.action.rpartition(".")[2], row.object_id, row.reason) for row in told] == [
        ("created", ids.encode("rtr", made.id), "Night"),
        ("replaced", ids.encode("rtr", replaced.id), ""),
        ("retired", ids.encode("rtr", replaced.id), "Over"),
    ]
    before, after = told[1].changes["rule"]
    assert (before["name"], after["name"]) == ("Large sums", "Nights")
    with pytest.raises(routing_rules.RoutingRuleRetired):
        routing_rules.replace(rule_id=replaced.id, rule=other, actor=SYSTEM, now=NOW)
    with pytest.raises(errors.NotFound):
        routing_rules.retire(rule_id=ids.new(), actor=SYSTEM, now=NOW)


def test_every_wrong_field_is_named_and_nothing_is_written(acme):
    account, branch = payments.account(), access.branch()
    elsewhere = payments.account(branch_id=branch.id)
    rule(account, position=10)
    wrong = wanted(
        (account, 0),
        (account, 5),
        elsewhere,
        name=" ",
        currency="KES",
        minimum_minor=200,
        maximum_minor=200,
        weekdays="21",
        from_time=time(6),
        to_time=time(6),
        application_id=ids.new(),
        strategy=RoutingStrategy.SPLIT,
    )

    with pytest.raises(routing_checks.RoutingRuleInvalid) as refusal:
        routing_rules.create(rule=wrong, actor=SYSTEM, now=NOW)

    assert [error.pointer for error in refusal.value.errors] == [
        "/name",
        "/position",
        "/maximum",
        "/weekdays",
        "/to_time",
        "/application_id",
        "/targets",
        "/targets/0/weight",
        "/targets/2/weight",
        "/targets/2/account_id",
    ]
    assert RoutingRule.objects.count() == 1


def test_a_rule_names_as_many_accounts_as_its_dialog_shows_and_loses_none_there(acme):
    named = [payments.account() for _ in range(routing_checks.TARGETS_MAX + 1)]
    terms = wanted(*named[1:])
    person = access.member("owner").user

    shown = RoutingRuleForm(None, person=person, rule=terms)
    sent = RoutingRuleForm(shown.initial, person=person)

    assert sent.is_valid(), sent.errors
    assert asked_rule(sent.cleaned_data) == terms
    with pytest.raises(routing_checks.RoutingRuleInvalid) as refusal:
        rule(*named)
    assert [error.pointer for error in refusal.value.errors] == ["/targets"]


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"minimum_minor": 1}, "/currency"),
        ({"currency": "USD"}, "/targets/0/account_id"),
        ({"position": 0}, "/position"),
        ({"branch_id": ids.new()}, "/branch_id"),
        ({"targets": ()}, "/targets"),
        ({"targets": (NewRoutingTarget(ids.new()),)}, "/targets/0/account_id"),
        ({"minimum_minor": -1, "currency": "KES"}, "/minimum"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(acme, terms, field):
    with pytest.raises(routing_checks.RoutingRuleInvalid) as refusal:
        rule(payments.account(), **terms)

    assert [error.pointer for error in refusal.value.errors] == [field]


def test_who_works_for_some_branches_changes_their_rules_alone(acme):
    account, branch = payments.account(), access.branch()
    everywhere = rule(account)
    within = {branch.id}

    routing_rules.create(rule=wanted(account, branch_id=branch.id), within=within, actor=SYSTEM, now=NOW)

    for call in (
        lambda: routing_rules.create(rule=wanted(account), within=within, actor=SYSTEM, now=NOW),
        lambda: routing_rules.retire(rule_id=everywhere.id, within=within, actor=SYSTEM, now=NOW),
        lambda: routing_rules.replace(
            rule_id=everywhere.id,
            rule=wanted(account, branch_id=branch.id),
            within=within,
            actor=SYSTEM,
            now=NOW,
        ),
    ):
        with pytest.raises(BranchForbidden):
            call()
    assert len(stored.in_use(None)) == 2


def test_other_people_decide_first_where_an_approval_rule_says_so(here):
    account, made = here, rule(here)
    approvals.rule(kind="routing_rule", currency="", minimum_minor=None)
    asked = {"rule_id": made.id, "rule": wanted(account, name="Nights", from_time=time(22), to_time=time(6))}

    outcome = routing_rules.replace(**asked, actor=approvals.maker(), now=NOW)

    assert (outcome.rule, [terms.name for _, terms in stored.in_use(None)]) == (None, ["Large sums"])
    with pytest.raises(RequestPending):
        routing_rules.retire(rule_id=made.id, actor=approvals.maker(), now=NOW)
    approvals.approve(ApprovalRequest.objects.get(id=outcome.approval_id), approvals.person())
    held = decide(outcome.approval_id)
    assert decide(outcome.approval_id) is None
    [(rule_id, terms)] = stored.in_use(None)
    assert (rule_id, terms) == (held.id, asked["rule"])
    assert held.approved_by
    assert held.created_by == str(approvals.maker())


def test_a_change_that_is_refused_or_not_possible_any_more_changes_nothing(here):
    account = here
    approvals.rule(kind="routing_rule", currency="", minimum_minor=None)
    ask = {"rule": wanted(account), "actor": approvals.maker(), "now": NOW}
    refused, first, second = (routing_rules.create(**ask).approval_id for _ in range(3))
    approvals.refuse(ApprovalRequest.objects.get(id=refused), approvals.person())
    for approval_id in (first, second):
        approvals.approve(ApprovalRequest.objects.get(id=approval_id), approvals.person())

    assert decide(refused) is None
    assert decide(first) is not None
    assert decide(second) is None
    assert len(stored.in_use(None)) == 1


def test_the_database_lets_a_rule_go_out_of_use_and_nothing_else(committed_acme):
    account, another = payments.account(), payments.account()
    made, over = rule(account), rule(account, position=11)
    routing_rules.retire(rule_id=over.id, actor=SYSTEM, now=NOW)
    row = "UPDATE org_acme.payments_routingrule SET"
    forbidden = [
        (f"{row} name = 'Other' WHERE id = %s", [made.id]),
        (f"{row} weekdays = '1', is_active = false, retired_at = now() WHERE id = %s", [made.id]),
        (f"{row} is_active = true, retired_at = NULL WHERE id = %s", [over.id]),
        (f"{row} retired_at = now() WHERE id = %s", [over.id]),
        ("DELETE FROM org_acme.payments_routingrule WHERE id = %s", [made.id]),
        (
            "UPDATE org_acme.payments_routingtarget SET account_id = %s WHERE rule_id = %s",
            [another.id, made.id],
        ),
        ("DELETE FROM org_acme.payments_routingtarget WHERE rule_id = %s", [made.id]),
        (
            "INSERT INTO org_acme.payments_routingtarget (id, rule_id, account_id, place) VALUES (%s, %s, %s, 2)",
            [ids.new(), made.id, another.id],
        ),
    ]

    with owner() as database:
        for statement, parameters in forbidden:
            with pytest.raises(psycopg.errors.RestrictViolation, match="payments:"), database.transaction():
                database.execute(statement, parameters)
        database.execute(f"{row} is_active = false, retired_at = now() WHERE id = %s", [made.id])


def test_a_place_is_taken_once_from_two_connections(committed_acme):
    access.portal()
    account = payments.account()

    def make():
        try:
            return routing_rules.create(rule=wanted(account), actor=SYSTEM, now=NOW)
        except routing_checks.RoutingRuleInvalid as refusal:
            return refusal

    results = at_once(make, make)

    assert sorted(type(result).__name__ for result in results) == ["Outcome", "RoutingRuleInvalid"]
    assert RoutingRule.objects.filter(is_active=True).count() == 1
