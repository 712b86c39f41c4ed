"""See jobs: a person sees his own, others' with the permission, and only what his role and branches may read."""

import pytest

from apps.jobs.selectors import jobs
from apps.kit import errors
from tests.factories import access
from tests.factories import jobs as make


def test_his_own_only_without_the_permission(acme):
    amina, baraka = access.member("accountant"), access.member("accountant", "baraka@example.test")
    own = make.waiting(starter_id=amina.id)
    other = make.waiting(starter_id=baraka.id)

    assert list(jobs.visible_to(amina.user)) == [own]
    with pytest.raises(errors.NotFound):
        jobs.get(amina.user, other.id)


def test_all_with_the_permission_and_may_stop_them(acme):
    amina, otieno = access.member("accountant"), access.member("controller", "otieno@example.test")
    job = make.waiting(starter_id=amina.id)

    assert jobs.get(otieno.user, job.id) == job
    assert jobs.may_stop(otieno.user, job)
    assert jobs.may_stop(amina.user, job)
    assert not jobs.may_stop(access.member("auditor", "auditor@example.test").user, job)


def test_nothing_that_his_role_may_not_read(acme):
    amina = access.member("support")
    make.waiting(starter_id=amina.id, permission="ledger.view")

    assert list(jobs.visible_to(amina.user)) == []


def test_nothing_beyond_his_branches(acme):
    cbd, west = access.branch(), access.branch("NBO-WST", "Westlands")
    amina = access.member("controller", branches=(cbd,))
    own = make.waiting(branch_ids=frozenset({cbd.id}), starter_id=amina.id)
    make.waiting(branch_ids=frozenset({cbd.id, west.id}), starter_id=amina.id)
    make.waiting(branch_ids=None, starter_id=amina.id)

    assert list(jobs.visible_to(amina.user)) == [own]


def test_a_stranger_sees_nothing(acme):
    make.waiting()

    assert list(jobs.visible_to(access.user("stranger@example.test"))) == []
