"""Limit amounts: how much a role may ask for, or approve, at once, in each currency."""

import pytest

from apps.access.contracts import LimitKind
from apps.access.models import Membership, Role, RoleLimit
from apps.access.selectors import limits as stored
from apps.access.selectors import memberships as team
from apps.access.services import duties, limits, memberships, roles
from apps.approvals.models import ApprovalDecision
from apps.audit.models import AuditRecord
from apps.kit import errors
from apps.kit.actors import SYSTEM, Actor, ActorKind
from apps.kit.money import Money
from apps.ledger.contracts import FX_RATE, JOURNAL, REVERSAL
from tests.factories import access as make
from tests.factories import approvals
from tests.factories.access import NOW

KES, USD = "KES", "USD"


def put(code, *, create=(), approve=(), actor=SYSTEM):
    """Let these be the limits of a role, in minor units by currency."""
    wanted = {
        LimitKind.CREATE: tuple(Money(minor, currency) for currency, minor in create),
        LimitKind.APPROVE: tuple(Money(minor, currency) for currency, minor in approve),
    }
    return limits.put(code=code, wanted=wanted, actor=actor, now=NOW)


def officer():
    return approvals.person("maker", "treasury_officer")


def test_a_role_without_limits_has_none(acme):
    stored.require_may_ask(actor=officer(), money=Money(10**30, KES))
    stored.require_may_approve(member=Membership.objects.get(), money=Money(10**30, KES))


@pytest.mark.parametrize(
    ("money", "is_refused"),
    [
        (Money(50_000_00, KES), False),
        (Money(-50_000_00, KES), False),
        (Money(50_000_01, KES), True),
        (Money(-50_000_01, KES), True),
        (Money(1, USD), True),
        (Money(0, USD), False),
        (None, False),
    ],
)
def test_the_limit_may_be_reached_and_not_passed(acme, money, is_refused):
    person = officer()
    put("treasury_officer", create=[(KES, 50_000_00)])

    stored.require_may_approve(member=Membership.objects.get(), money=money)
    if not is_refused:
        stored.require_may_ask(actor=person, money=money)
        return
    with pytest.raises(stored.LimitExceeded) as refused:
        stored.require_may_ask(actor=person, money=money)
    assert "at most" in refused.value.detail
    assert str(money) in refused.value.detail


@pytest.mark.parametrize("is_active", [True, False])
def test_a_key_asks_for_as_much_as_who_made_it_also_when_he_has_left(acme, is_active):
    person = officer()
    put("treasury_officer", create=[(KES, 1)])
    key = Actor(ActorKind.API_KEY, "key", person=person.person, application="shop")
    Membership.objects.update(is_active=is_active)

    with pytest.raises(stored.LimitExceeded, match="who made this key"):
        stored.require_may_ask(actor=key, money=Money(2, KES))
    stored.require_may_ask(actor=key, money=Money(1, KES))
    stored.require_may_ask(actor=SYSTEM, money=Money(2, KES))
    stored.require_may_ask(actor=Actor(ActorKind.API_KEY, "key"), money=Money(2, KES))


def test_who_may_not_approve_so_much_may_refuse_it(acme):
    request = approvals.waiting()
    checker = approvals.person("checker", "approver")
    put("approver", approve=[(KES, 24_999_99)])

    with pytest.raises(stored.LimitExceeded, match=r"24,999\.99"):
        approvals.approve(request, checker)
    assert ApprovalDecision.objects.exists() is False

    approvals.refuse(request, checker)
    assert ApprovalDecision.objects.get().verdict == "REFUSED"


def test_a_limit_that_is_reached_approves(acme):
    request = approvals.waiting()
    checker = approvals.person("checker", "approver")
    put("approver", approve=[(KES, 25_000_00)])

    assert approvals.approve(request, checker).status == "APPROVED"


@pytest.mark.parametrize("kind", [JOURNAL, REVERSAL, FX_RATE])
def test_what_is_in_several_currencies_is_approved_by_who_has_no_limit(acme, kind):
    approvals.rule(kind=kind.name, currency="", minimum_minor=None, steps=approvals.ONE_APPROVER)
    request = approvals.waiting(kind=kind, money=None)
    checker = approvals.person("checker", "approver")
    put("approver", approve=[(KES, 10**15), (USD, 10**15)])

    if kind.has_sum:
        with pytest.raises(stored.LimitExceeded, match="several currencies"):
            approvals.approve(request, checker)
        put("approver")

    assert approvals.approve(request, checker).status == "APPROVED"


def test_puts_all_limits_at_once_and_records_them(acme):
    roles.seed()
    put("approver", approve=[(KES, 100_00), (USD, 5_00)])
    put("approver", approve=[(KES, 200_00)])
    put("approver", approve=[(KES, 200_00)])

    assert [str(row.maximum) for row in RoleLimit.objects.all()] == [str(Money(200_00, KES))]
    last = AuditRecord.objects.filter(action="role.limits_changed").order_by("id").last()
    assert last.changes == {
        "approve": [[str(Money(100_00, KES)), str(Money(5_00, USD))], [str(Money(200_00, KES))]]
    }
    assert AuditRecord.objects.filter(action="role.limits_changed").count() == 2


@pytest.mark.parametrize(
    ("create", "words"),
    [
        ([(KES, 1), (KES, 2)], "once"),
        ([(KES, -1)], "0 or more"),
        ([(KES, 10**38)], "0 or more"),
    ],
)
def test_refuses_limits_that_cannot_be(acme, create, words):
    roles.seed()
    with pytest.raises(errors.Invalid, match=words):
        put("approver", create=create)

    assert RoleLimit.objects.exists() is False


def test_nobody_sets_the_limits_of_his_own_role_unless_the_team_is_small(acme):
    chief = team.actor(make.member().user)
    put("owner", create=[(KES, 1)], actor=chief)

    Role.objects.filter(code="owner").update(permissions=sorted(roles.DEFAULTS["owner"][1]))
    duties.choose_small_team(is_small_team=False, reason="We have grown", actor=SYSTEM, now=NOW)
    with pytest.raises(memberships.BeyondOwnRole):
        put("owner", actor=chief)
    put("approver", approve=[(KES, 1)], actor=chief)

    assert RoleLimit.objects.count() == 2


def test_who_works_for_some_branches_sets_none(acme):
    bound = team.actor(make.member("owner", branches=(make.branch(),)).user)

    with pytest.raises(memberships.BeyondOwnBranches):
        put("approver", actor=bound)
    with pytest.raises(memberships.BeyondOwnBranches):
        roles.change(code="support", permissions=[], actor=bound, now=NOW)
    with pytest.raises(errors.NotFound):
        put("king")
