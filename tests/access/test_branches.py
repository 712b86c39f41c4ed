"""Branches: opened once, one head office, and the one that a new row belongs to."""

import pytest

from apps.access.models import Branch
from apps.access.selectors import branches as chosen_from
from apps.access.selectors import scope
from apps.access.services import branches
from apps.audit.models import AuditRecord
from apps.kit import errors, ids
from apps.kit.actors import SYSTEM
from tests.factories import access as make

NOW = make.NOW


def test_opens_a_branch_with_an_audit_record(acme):
    branch = branches.create(
        code="NBO-1", name="Westlands", time_zone="Africa/Nairobi", actor=SYSTEM, now=NOW
    )

    assert Branch.objects.get() == branch
    assert AuditRecord.objects.get().action == "branch.created"


def test_refuses_a_second_head_office_and_a_second_code(acme):
    make.head_office()

    with pytest.raises(branches.BranchCodeTaken):
        branches.create(code="HQ2", name="Another", is_head_office=True, actor=SYSTEM, now=NOW)
    with pytest.raises(branches.BranchCodeTaken):
        branches.create(code="HQ", name="Another", actor=SYSTEM, now=NOW)

    assert Branch.objects.count() == 1


@pytest.mark.parametrize("code", ["", "nbo", "-A", "A" * 21, "Ä", "A_B", "A\n"])
def test_refuses_a_code_that_cannot_be(acme, code):
    with pytest.raises(branches.BranchInvalid):
        branches.create(code=code, name="X", actor=SYSTEM, now=NOW)

    assert Branch.objects.exists() is False


def test_refuses_an_unknown_time_zone(acme):
    with pytest.raises(branches.BranchInvalid):
        branches.create(code="A", name="X", time_zone="Mars/Olympus", actor=SYSTEM, now=NOW)


def test_renames_and_records_only_what_changed(acme):
    branch = make.branch()

    branches.change(
        branch_id=branch.id, name="Nairobi Centre", time_zone="", parent_id=None, actor=SYSTEM, now=NOW
    )

    assert AuditRecord.objects.get(action="branch.changed").changes == {
        "name": ["Nairobi CBD", "Nairobi Centre"]
    }


def test_a_new_row_belongs_to_head_office_unless_told(acme):
    office, cbd = make.head_office(), make.branch()
    caller = make.caller()

    assert chosen_from.chosen(caller, None) == office
    assert chosen_from.chosen(caller, cbd.id) == cbd


def test_a_bound_key_stays_in_its_branch(acme):
    office, cbd = make.head_office(), make.branch()
    caller = make.caller(branch=cbd)

    assert chosen_from.chosen(caller, None) == cbd
    with pytest.raises(chosen_from.BranchForbidden) as known:
        chosen_from.chosen(caller, office.id)
    with pytest.raises(chosen_from.BranchForbidden) as unknown:
        chosen_from.chosen(caller, ids.new())
    assert str(known.value) == str(unknown.value)


def test_an_unknown_branch_is_named(acme):
    with pytest.raises(chosen_from.BranchUnknown) as refusal:
        chosen_from.chosen(make.caller(), ids.new())

    assert refusal.value.errors[0].pointer == "/branch_id"


def test_a_person_of_several_branches_names_one(acme):
    make.head_office()
    cbd, mombasa = make.branch(), make.branch("MSA", "Mombasa")
    person = make.member("treasury_officer", branches=(cbd, mombasa)).user

    with pytest.raises(chosen_from.BranchForbidden):
        chosen_from.chosen(person, None)
    assert chosen_from.chosen(person, mombasa.id) == mombasa


def test_an_outsider_sees_no_branch(acme):
    make.head_office()

    assert list(chosen_from.visible_to(make.user("outsider@example.test"))) == []


def test_scope_of_keys_and_people(acme):
    make.portal()
    cbd = make.branch()
    bound, free = make.caller(branch=cbd), make.caller()
    everywhere = make.member("accountant").user
    somewhere = make.member("accountant", "baraka@example.test", branches=(cbd,)).user

    assert scope.branch_ids(bound) == {cbd.id}
    assert scope.branch_ids(free) is None
    assert scope.branch_ids(everywhere) is None
    assert scope.branch_ids(somewhere) == {cbd.id}
    assert scope.application_id(free) == make.application().id
    assert scope.application_id(everywhere) == make.portal().id
    assert scope.application_ids(free) == {make.application().id}
    assert scope.application_ids(everywhere) is None


def test_an_unknown_branch_is_not_found(acme):
    with pytest.raises(errors.NotFound):
        chosen_from.get(ids.new())
