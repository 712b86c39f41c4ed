"""The team: roles, memberships and the portal's sign-in."""

import pytest
from django.contrib.auth import authenticate

from apps.access import contracts
from apps.access.backend import MembershipBackend
from apps.access.models import Membership, Role
from apps.access.selectors import memberships as team
from apps.access.selectors.branches import BranchUnknown
from apps.access.services import admissions, memberships, roles
from apps.accounts.models import PlatformRecord
from apps.accounts.services import users
from apps.audit.models import AuditRecord
from apps.kit import ids
from apps.kit.actors import SYSTEM, person
from tests.factories import access as make

NOW = make.NOW
BACKEND = MembershipBackend()


def sign_in(email="amina@example.test", password=make.PASSWORD):
    return authenticate(None, username=email, password=password)


def test_default_roles_hold_known_permissions_and_survive_repetition(acme):
    roles.seed()
    roles.change(code="support", permissions=["payments.view"], actor=SYSTEM, now=NOW)
    roles.seed()

    assert set(Role.objects.values_list("code", flat=True)) == set(roles.DEFAULTS)
    for role in Role.objects.all():
        assert set(role.permissions) <= set(contracts.PERMISSIONS)
    assert Role.objects.get(code="support").permissions == ["payments.view"]


def test_only_the_owner_gives_keys_that_make_payments():
    makers = {
        code for code, (_, held) in roles.DEFAULTS.items() if {"keys.manage", "keys.money"} <= set(held)
    }

    assert makers == {"owner"}
    assert not [name for name in roles.DEFAULTS["auditor"][1] if not name.endswith((".view", ".export"))]


def test_refuses_a_permission_that_does_not_exist(acme):
    roles.seed()

    with pytest.raises(roles.PermissionUnknown):
        roles.change(code="support", permissions=["payments.steal"], actor=SYSTEM, now=NOW)


@pytest.mark.parametrize(
    ("django_name", "ours"),
    [
        ("ledger.view_account", "ledger.view"),
        ("events.view_webhookendpoint", "webhooks.view"),
        ("events.change_webhookendpoint", "webhooks.manage"),
        ("access.add_branch", "access.manage"),
        ("access.add_apikey", "keys.manage"),
        ("access.view_apikey", "access.view"),
        ("payments.create", "payments.create"),
        ("payments.cancel_paymentintent", "payments.cancel"),
        ("audit.delete_auditrecord", "audit.manage"),
    ],
)
def test_translates_djangos_permissions(django_name, ours):
    assert contracts.permission(django_name) == ours


def test_a_member_signs_in_with_the_permissions_of_his_role(acme):
    make.member("accountant")

    user = sign_in()

    assert user is not None
    assert user.has_perm("ledger.view_account") is True
    assert user.has_perm("access.add_branch") is False
    assert user.has_module_perms("ledger") is True
    assert user.has_module_perms("audit") is False


def test_nobody_else_signs_in(acme):
    make.member("accountant")
    make.user("outsider@example.test")
    make.user("staff@example.test", is_platform_staff=True)

    assert sign_in("outsider@example.test") is None
    assert sign_in("staff@example.test") is None
    assert sign_in("nobody@example.test") is None
    assert sign_in(password="wrong") is None
    assert sign_in(email="amina\0@example.test") is None


def test_an_unknown_user_costs_a_hash_too(acme, monkeypatch):
    hashed = []
    monkeypatch.setattr("apps.access.backend.make_password", hashed.append)

    sign_in("nobody@example.test", "guess")

    assert hashed == ["guess"]


def test_the_public_schema_is_for_platform_staff(db):
    make.user("staff@example.test", is_platform_staff=True)
    make.user("amina@example.test")

    assert sign_in("staff@example.test").has_perm("tenancy.view_organisation") is True
    assert sign_in("amina@example.test") is None


def test_membership_is_of_one_organisation(acme, in_organisation):
    user = make.member("owner").user
    assert user.has_perm("access.manage") is True

    in_organisation("zuri")

    assert BACKEND.get_user(user.pk) is None
    assert user.has_perm("access.manage") is False
    assert sign_in() is None


def test_an_ended_membership_ends_with_the_next_request(acme):
    make.member("owner", "chief@example.test")
    membership = make.member("accountant")
    assert BACKEND.get_user(membership.user_id) is not None

    memberships.change(
        membership_id=membership.id, role="accountant", is_active=False, branch_ids=[], actor=SYSTEM, now=NOW
    )

    assert BACKEND.get_user(membership.user_id) is None
    assert team.of(membership.user) is None


def test_a_deactivated_user_may_not_enter(acme):
    user = make.member("owner").user

    users.deactivate(user_id=user.id, reason="left", actor=SYSTEM, now=NOW)

    assert BACKEND.get_user(user.pk) is None
    assert sign_in() is None


def test_the_last_owner_stays(acme):
    membership = make.member("owner")

    for chosen in ({"role": "auditor", "is_active": True}, {"role": "owner", "is_active": False}):
        with pytest.raises(memberships.LastOwner):
            memberships.change(membership_id=membership.id, branch_ids=[], actor=SYSTEM, now=NOW, **chosen)

    membership.refresh_from_db()
    assert (membership.is_active, membership.role.code) == (True, "owner")


def test_records_what_changed(acme):
    make.member("owner", "chief@example.test")
    cbd = make.branch()
    membership = make.member("accountant")

    memberships.change(
        membership_id=membership.id,
        role="auditor",
        is_active=True,
        branch_ids=[cbd.id],
        actor=SYSTEM,
        now=NOW,
    )

    changes = AuditRecord.objects.get(action="membership.changed").changes
    assert changes == {"role": ["accountant", "auditor"], "branches": [[], ["NBO-CBD"]]}


def test_a_person_is_in_the_team_once(acme):
    membership = make.member("owner")

    with pytest.raises(memberships.MembershipExists):
        memberships.create(user_id=membership.user_id, role="auditor", actor=SYSTEM, now=NOW)
    with pytest.raises(memberships.RoleUnknown):
        memberships.create(user_id=make.user("b@example.test").id, role="king", actor=SYSTEM, now=NOW)

    assert Membership.objects.count() == 1


def test_an_unknown_branch_does_not_become_all_branches(acme):
    membership = make.member("owner")

    with pytest.raises(BranchUnknown):
        memberships.create(
            user_id=make.user("b@example.test").id,
            role="auditor",
            branch_ids=[ids.new()],
            actor=SYSTEM,
            now=NOW,
        )

    assert Membership.objects.get() == membership


@pytest.mark.parametrize("password", ["short", "the first password"])
def test_a_new_password_is_neither_weak_nor_the_present_one(acme, password):
    user = users.create(
        email="new@example.test",
        name="New",
        password="the first password",
        actor=SYSTEM,
        now=NOW,
    )

    with pytest.raises(users.PasswordWeak):
        users.set_password(user_id=user.id, password=password, actor=person(user.id), now=NOW)

    user.refresh_from_db()
    assert user.check_password("the first password")
    assert PlatformRecord.objects.filter(action="user.password_changed").exists() is False


def test_who_works_for_some_branches_gives_no_others_nor_all(acme):
    make.member("owner", "chief@example.test")
    cbd, west = make.branch(), make.branch("NBO-WEST", "Westlands")
    bound = make.member("owner", branches=(cbd,))
    giver = person(bound.user_id)
    chosen = {"email": "new@example.test", "name": "New", "role": "auditor", "now": NOW}

    for wanted in ([], [west.id], [cbd.id, west.id]):
        with pytest.raises(memberships.BeyondOwnBranches):
            memberships.change(
                membership_id=bound.id, role="owner", is_active=True, branch_ids=wanted, actor=giver, now=NOW
            )
        with pytest.raises(memberships.BeyondOwnBranches):
            admissions.admit(branch_ids=wanted, actor=giver, **chosen)

    assert list(bound.branches.all()) == [cbd]
    assert Membership.objects.count() == 2
    admitted = admissions.admit(branch_ids=[cbd.id], actor=giver, **chosen)
    assert list(admitted.membership.branches.all()) == [cbd]


def test_who_works_for_some_branches_changes_a_role_and_lets_nobody_in_again_beyond_them(acme):
    make.member("owner", "chief@example.test")
    bound = make.member("owner", branches=(make.branch(),))
    other = make.member("support", "other@example.test")
    giver = person(bound.user_id)

    def change(*, is_active):
        return memberships.change(
            membership_id=other.id, role="auditor", is_active=is_active, branch_ids=[], actor=giver, now=NOW
        )

    assert change(is_active=True).role.code == "auditor"
    assert change(is_active=False).is_active is False
    with pytest.raises(memberships.BeyondOwnBranches):
        change(is_active=True)
