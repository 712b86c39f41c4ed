"""The pages of roles, the team and branches: what people change there, and what they are told."""

import pytest
from django.test import Client

from apps.access.models import Branch, Role, RoleLimit
from apps.access.services import branches, duties, memberships, roles
from apps.kit.actors import SYSTEM
from apps.tenancy.models import Organisation
from tests import dialogs
from tests.factories import access as make
from tests.factories.access import NOW

ROLES = "/portal/access/role/"
HOST = "acme.testserver"


@pytest.fixture
def enter(acme, in_organisation):
    """Return a function that signs somebody in who proved himself a moment ago, and gives his browser."""

    def sign_in(role="owner", **chosen):
        in_organisation("acme")
        make.head_office()
        make.portal()
        user = make.member(role, **chosen).user
        browser = Client(headers={"host": HOST})
        browser.force_login(user)
        return browser

    return sign_in


def address(code, name):
    return f"{ROLES}{Role.objects.get(code=code).id}/do/{name}/"


def test_makes_copies_changes_limits_and_retires_a_role(enter, in_organisation):
    browser = enter()

    dialogs.send(browser, f"{ROLES}do/add-role/", name="Front desk", permissions=["payments.view"])
    in_organisation("acme")
    dialogs.send(browser, address("front_desk", "copy"), name="Night desk", permissions=["parties.view"])
    in_organisation("acme")
    dialogs.send(
        browser,
        address("night_desk", "edit"),
        name="Late desk",
        permissions=["parties.view", "payments.refund"],
    )
    in_organisation("acme")
    dialogs.send(
        browser,
        address("night_desk", "limits"),
        create="KES 50,000.00\nusd 10",
        approve="",
        reason="As agreed",
    )
    in_organisation("acme")
    dialogs.send(browser, address("front_desk", "retire"), reason="Nobody has it")

    in_organisation("acme")
    late = Role.objects.get(code="night_desk")
    assert (late.name, late.permissions) == ("Late desk", ["parties.view", "payments.refund"])
    limits = {(row.kind, str(row.maximum)) for row in RoleLimit.objects.all()}
    assert limits == {("CREATE", "KES 50,000.00"), ("CREATE", "USD 10.00")}
    assert Role.objects.get(code="front_desk").retired_at is not None
    shown = browser.get(f"{ROLES}{late.id}/change/").content.decode()
    assert "Refund payments (payments.refund)" in shown
    assert "KES 50,000.00" in browser.get(ROLES).content.decode()


def test_says_which_limit_cannot_be_and_keeps_the_old_ones(enter, in_organisation):
    browser = enter()

    for wrong in ("50 KES", "KES", "KES 1\nKES 2", "KES -1"):
        in_organisation("acme")
        answer = dialogs.send(
            browser, address("approver", "limits"), create=wrong, approve="", reason="As agreed"
        )
        assert answer.status_code == 422, wrong

    in_organisation("acme")
    assert RoleLimit.objects.exists() is False


def test_offers_only_what_the_person_may_give_and_refuses_the_rest(enter, in_organisation):
    browser = enter()
    in_organisation("acme")
    Role.objects.filter(code="owner").update(permissions=sorted(roles.DEFAULTS["owner"][1]))

    page = browser.get(f"{ROLES}do/add-role/").content.decode()
    assert 'value="access.manage"' in page
    assert 'value="payments.refund"' not in page
    answer = dialogs.send(browser, f"{ROLES}do/add-role/", name="Refunds", permissions=["payments.refund"])
    assert answer.status_code == 422

    in_organisation("acme")
    assert 'value="payments.refund"' in browser.get(address("treasury_officer", "copy")).content.decode()


def test_a_small_team_is_shown_and_grows_up(enter, in_organisation):
    browser = enter()
    team = "/portal/access/membership/"
    assert "This is a small team" in browser.get(team).content.decode()

    answer = dialogs.send(browser, f"{team}do/small-team/", reason="We have grown")
    assert "Amina (Owner)" in answer.content.decode()

    in_organisation("acme")
    Role.objects.filter(code="owner").update(permissions=sorted(roles.DEFAULTS["owner"][1]))
    dialogs.send(browser, f"{team}do/small-team/", reason="We have grown")
    assert Organisation.objects.get(slug="acme").is_small_team is False


def test_branches_show_what_is_above_them_and_who_sees_which_is_chosen(enter, in_organisation):
    browser = enter()
    in_organisation("acme")
    coast = branches.create(code="COAST", name="Coast", actor=SYSTEM, now=NOW)
    path = "/portal/access/branch/"

    browser.post(f"{path}add/", {"code": "MSA", "name": "Mombasa", "parent": str(coast.id), "time_zone": ""})
    dialogs.send(
        browser, f"{path}do/policy/", policy="PARENT_SEES_CHILDREN", reason="The region looks after them"
    )

    in_organisation("acme")
    assert Branch.objects.get(code="MSA").parent_id == coast.id
    assert Organisation.objects.get(slug="acme").branch_policy == "PARENT_SEES_CHILDREN"
    assert "Coast" in browser.get(path).content.decode()


def test_who_works_for_a_branch_renames_it_and_moves_nothing(enter, in_organisation):
    in_organisation("acme")
    make.head_office()
    branch = make.branch()
    browser = enter(branches=(branch,))

    browser.post(
        f"/portal/access/branch/{branch.id}/change/", {"name": "Centre", "time_zone": "", "parent": ""}
    )

    in_organisation("acme")
    branch.refresh_from_db()
    assert (branch.name, branch.parent.code) == ("Centre", "HQ")


@pytest.mark.parametrize("role", ["auditor", "developer"])
def test_who_only_looks_changes_nothing(enter, role, in_organisation):
    browser = enter(role)
    in_organisation("acme")
    before = Role.objects.get(code="support").permissions

    for path in (f"{ROLES}do/add-role/", address("support", "edit"), address("support", "limits")):
        assert browser.get(path).status_code == 403
        in_organisation("acme")
    assert Role.objects.get(code="support").permissions == before
    assert duties.DutiesConflict.status == memberships.LastOwner.status == 409
