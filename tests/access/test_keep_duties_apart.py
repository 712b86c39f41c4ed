"""Keep duties apart: no role holds what two people should, and nobody gives what he does not hold."""

import pytest

from apps.access import contracts
from apps.access.models import Membership, Role
from apps.access.selectors import memberships as team
from apps.access.services import duties, memberships, roles
from apps.accounts.models import PlatformRecord
from apps.audit.models import AuditRecord
from apps.kit import errors
from apps.kit.actors import SYSTEM
from apps.tenancy.models import Organisation
from tests.approvals.test_two_connections import at_once
from tests.factories import access as make
from tests.factories.access import NOW


@pytest.fixture
def strict(acme):
    """Return the organisation as one that keeps duties apart, with the default roles as they are."""
    duties.choose_small_team(is_small_team=False, reason="We have grown", actor=SYSTEM, now=NOW)
    roles.seed()
    return acme


def person(role="owner", email="amina@example.test"):
    return team.actor(memberships.create(user_id=make.user(email).id, role=role, actor=SYSTEM, now=NOW).user)


def wrote_nothing(since):
    return AuditRecord.objects.count() == since


def test_the_default_roles_keep_to_the_table():
    for code, (_, held) in roles.DEFAULTS.items():
        assert contracts.conflicts(held) == [], code
    owner = set(roles.DEFAULTS["owner"][1])
    assert not owner & (contracts.MAKES.permissions | contracts.DECIDES.permissions)


def test_every_duty_is_made_of_permissions_that_exist():
    for first, second in contracts.CONFLICTS:
        assert (first.permissions | second.permissions) <= set(contracts.PERMISSIONS)
        assert not first.permissions & second.permissions


@pytest.mark.parametrize(
    "held",
    [
        {"payments.refund", "approvals.decide"},
        {"ledger.exchange", "approvals.decide"},
        {"access.manage", "approvals.decide"},
        {"keys.money", "payments.create"},
        {"approvals.manage", "payments.refund"},
        {"ledger.close", "audit.view"},
        {"ledger.adjust", "audit.view"},
        {"approvals.decide", "audit.view"},
    ],
)
def test_refuses_what_two_people_should_hold(strict, held):
    before = AuditRecord.objects.count()

    with pytest.raises(duties.DutiesConflict) as changed:
        roles.change(code="support", permissions=held, actor=SYSTEM, now=NOW)
    with pytest.raises(duties.DutiesConflict):
        roles.create(name="Both", permissions=held, actor=SYSTEM, now=NOW)

    assert all(name in changed.value.detail for name in held)
    assert changed.value.errors[0].pointer == "/permissions"
    assert Role.objects.filter(name="Both").exists() is False
    assert wrote_nothing(before)


def test_a_member_gets_no_role_that_became_too_much(strict):
    Role.objects.filter(code="approver").update(permissions=["approvals.decide", "payments.refund"])
    brian = make.user("brian@example.test")
    member = memberships.create(user_id=brian.id, role="support", actor=SYSTEM, now=NOW)

    with pytest.raises(duties.DutiesConflict):
        memberships.change(
            membership_id=member.id, role="approver", is_active=True, branch_ids=(), actor=SYSTEM, now=NOW
        )
    with pytest.raises(duties.DutiesConflict):
        memberships.create(user_id=make.user("c@example.test").id, role="approver", actor=SYSTEM, now=NOW)

    assert Membership.objects.get().role.code == "support"


def test_a_small_team_may_and_both_trails_tell(strict):
    duties.choose_small_team(is_small_team=True, reason="We are two", actor=SYSTEM, now=NOW)
    roles.change(code="support", permissions=["payments.refund", "approvals.decide"], actor=SYSTEM, now=NOW)

    assert Organisation.objects.get(id=strict.id).is_small_team is True
    record = AuditRecord.objects.filter(action="organisation.small_team").last()
    assert (record.changes, record.reason) == ({"is_small_team": [False, True]}, "We are two")
    assert PlatformRecord.objects.filter(action="organisation.is_small_team").count() == 2


def test_a_team_grows_up_only_when_nobody_holds_both(acme):
    member = make.member()

    with pytest.raises(duties.DutiesConflict, match=r"Amina \(Owner\)"):
        duties.choose_small_team(is_small_team=False, reason="We have grown", actor=SYSTEM, now=NOW)
    assert Organisation.objects.get(id=acme.id).is_small_team is True

    Role.objects.filter(id=member.role_id).update(permissions=sorted(roles.DEFAULTS["owner"][1]))
    duties.choose_small_team(is_small_team=False, reason="We have grown", actor=SYSTEM, now=NOW)
    assert Organisation.objects.get(id=acme.id).is_small_team is False


def test_makes_a_role_of_what_the_editor_holds(strict):
    owner = person()

    made = roles.create(name=" Front desk ", permissions=["payments.view"], actor=owner, now=NOW)

    assert (made.code, made.name, made.permissions) == ("front_desk", "Front desk", ["payments.view"])
    record = AuditRecord.objects.get(action="role.created")
    assert record.changes == {"name": [None, "Front desk"], "permissions": [[], ["payments.view"]]}


def test_gives_no_permission_that_the_editor_lacks_but_what_the_copied_role_has(strict):
    owner = person()

    with pytest.raises(roles.PermissionNotHeld, match=r"payments\.refund"):
        roles.create(name="Refunds", permissions=["payments.refund"], actor=owner, now=NOW)
    with pytest.raises(roles.PermissionNotHeld):
        roles.change(code="support", permissions=["payments.refund"], actor=owner, now=NOW)

    copied = {"copied_from": "treasury_officer", "actor": owner, "now": NOW}
    with pytest.raises(roles.PermissionNotHeld, match=r"ledger\.close"):
        roles.create(name="Refunds", permissions=["payments.refund", "ledger.close"], **copied)
    assert roles.create(name="Refunds", permissions=["payments.refund"], **copied).code == "refunds"


def test_two_roles_changed_at_once_leave_somebody_to_manage_the_team(committed_acme):
    for code in ("first", "second"):
        roles.create(name=code, permissions=["access.view", "access.manage"], actor=SYSTEM, now=NOW)
        make.member(code, f"{code}@example.test")

    said = at_once(
        *(
            lambda code=code: roles.change(code=code, permissions=["access.view"], actor=SYSTEM, now=NOW)
            for code in ("first", "second")
        )
    )

    assert sum(isinstance(one, memberships.LastOwner) for one in said) == 1
    assert (
        Role.objects.filter(code__in=("first", "second"), permissions__contains=["access.manage"]).count()
        == 1
    )


@pytest.mark.parametrize("name", ["", "!!", "1st", "Owner", "OWNER ", "x" * 121])
def test_refuses_a_name_that_cannot_be(strict, name):
    with pytest.raises((roles.RoleInvalid, roles.RoleExists)) as refused:
        roles.create(name=name, permissions=["payments.view"], actor=SYSTEM, now=NOW)

    assert refused.value.errors[0].pointer == "/name"
    assert Role.objects.count() == len(roles.DEFAULTS)


def test_renames_a_role_and_keeps_its_code(strict):
    changed = roles.change(
        code="support", name="Help desk", permissions=["payments.view"], actor=SYSTEM, now=NOW
    )

    assert (changed.code, changed.name) == ("support", "Help desk")
    assert AuditRecord.objects.get(action="role.changed").changes["name"] == ["Support", "Help desk"]


def test_the_last_who_manages_the_team_keeps_it(strict):
    owner = person()
    kept = [name for name in roles.DEFAULTS["owner"][1] if name != "access.manage"]

    with pytest.raises(memberships.LastOwner):
        roles.change(code="owner", permissions=kept, actor=owner, now=NOW)

    lead = roles.create(name="Team lead", permissions=["access.view", "access.manage"], actor=owner, now=NOW)
    person(lead.code, "lead@example.test")
    roles.change(code="owner", permissions=kept, actor=owner, now=NOW)
    assert "access.manage" not in Role.objects.get(code="owner").permissions


def test_nobody_gives_himself_more_nor_makes_somebody_who_runs_what_he_does_not(strict):
    person()
    lead = roles.create(name="Team lead", permissions=["access.view", "access.manage"], actor=SYSTEM, now=NOW)
    chief = person(lead.code, "lead@example.test")
    own = Membership.objects.get(user__email="lead@example.test")
    chosen = {"is_active": True, "branch_ids": (), "actor": chief, "now": NOW}

    for role in ("owner", "treasury_officer", "auditor"):
        with pytest.raises(memberships.BeyondOwnRole):
            memberships.change(membership_id=own.id, role=role, **chosen)
    with pytest.raises(memberships.BeyondOwnRole):
        memberships.create(user_id=make.user("x@example.test").id, role="owner", actor=chief, now=NOW)
    officer = memberships.create(
        user_id=make.user("x@example.test").id, role="treasury_officer", actor=chief, now=NOW
    )

    own.refresh_from_db()
    assert (own.role_id, officer.role.code) == (lead.id, "treasury_officer")


def test_retires_a_role_that_nobody_has(strict):
    member = Membership.objects.get(user_id=person("support").person)
    waiting = Membership.objects.create(
        user_id=make.user("w@example.test").id,
        role=Role.objects.get(code="developer"),
        is_active=False,
        created_at=NOW,
    )

    with pytest.raises(roles.RoleInUse):
        roles.retire(code=waiting.role.code, actor=SYSTEM, now=NOW)
    with pytest.raises(roles.RoleInUse):
        roles.retire(code="support", actor=SYSTEM, now=NOW)
    memberships.change(
        membership_id=member.id, role="auditor", is_active=True, branch_ids=(), actor=SYSTEM, now=NOW
    )
    for _ in range(2):
        roles.retire(code="support", actor=SYSTEM, now=NOW)

    assert AuditRecord.objects.filter(action="role.retired").count() == 1
    with pytest.raises(memberships.RoleUnknown):
        person("support", "d@example.test")
    with pytest.raises(roles.RoleRetired):
        roles.change(code="support", permissions=[], actor=SYSTEM, now=NOW)
    with pytest.raises(errors.NotFound):
        roles.change(code="king", permissions=[], actor=SYSTEM, now=NOW)


def test_an_upgrade_gives_no_role_what_it_may_not_hold_beside_the_rest(strict):
    Role.objects.filter(code="support").update(permissions=["approvals.decide"], defaults=[])
    Role.objects.filter(code="treasury_officer").update(
        permissions=["approvals.decide"], defaults=["payments.view"]
    )

    roles.renew(actor=SYSTEM, now=NOW)

    assert Role.objects.get(code="treasury_officer").permissions == ["approvals.decide"]
    assert "payments.view" in Role.objects.get(code="support").permissions
