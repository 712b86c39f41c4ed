"""The tree of branches, and who sees which of them: one policy for every list, because all ask the same selector."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import ClassVar

import pytest
from django.db import IntegrityError, connection, transaction

from apps.access.contracts import Caller
from apps.access.models import ApiKey, Branch, Membership
from apps.access.selectors import branches as stored
from apps.access.selectors import memberships as team
from apps.access.selectors import scope
from apps.access.services import branches, memberships
from apps.accounts.models import User
from apps.audit.models import AuditRecord
from apps.kit import ids, schema
from apps.kit.actors import SYSTEM
from apps.parties.selectors import parties
from apps.payments.selectors import intents
from apps.tenancy.contracts import BranchPolicy
from apps.tenancy.models import Organisation
from tests.factories import access as make
from tests.factories import approvals, payments
from tests.factories import parties as party
from tests.factories.access import NOW

POLICIES = list(BranchPolicy)


@pytest.fixture
def three(acme):
    """Return head office, the coast below it and Mombasa below the coast."""
    office = make.head_office()
    coast = branches.create(code="COAST", name="Coast", actor=SYSTEM, now=NOW)
    mombasa = branches.create(code="MSA", name="Mombasa", parent_id=coast.id, actor=SYSTEM, now=NOW)
    return office, coast, mombasa


def choose(policy):
    branches.choose_policy(policy=policy, reason="We agreed on it", actor=SYSTEM, now=NOW)


def move(branch, parent, *, actor=SYSTEM):
    return branches.change(
        branch_id=branch.id, name=branch.name, time_zone="", parent_id=parent.id, actor=actor, now=NOW
    )


def fresh(user):
    """Return the person as a later request meets him."""
    return User.objects.get(id=user.id)


def again(caller):
    """Return the key as a later request meets it."""
    return Caller(ApiKey.objects.select_related("application").get(id=caller.key.id), caller.actor)


def test_hangs_below_head_office_unless_told(three):
    office, coast, mombasa = three

    assert (office.parent_id, coast.parent_id, mombasa.parent_id) == (None, office.id, coast.id)
    places = [(place.branch.code, place.level, place.path) for place in stored.tree(make.member().user)]
    assert places == [
        ("HQ", 0, "Head office"),
        ("COAST", 1, "Head office / Coast"),
        ("MSA", 2, "Head office / Coast / Mombasa"),
    ]


def test_a_tree_shows_what_its_reader_sees(three):
    bound = make.member("auditor", "asha@example.test", (three[2],)).user

    assert [(place.branch.code, place.level) for place in stored.tree(bound)] == [("MSA", 0)]


def test_moves_a_branch_and_says_so(three):
    office, _, mombasa = three

    move(mombasa, office)

    assert Branch.objects.get(id=mombasa.id).parent_id == office.id
    assert AuditRecord.objects.get(action="branch.changed").changes == {"parent": ["COAST", "HQ"]}


def test_refuses_a_circle_and_a_tree_too_deep(three):
    _, coast, mombasa = three
    above = mombasa
    for number in range(3):
        above = branches.create(code=f"B{number}", name="Deep", parent_id=above.id, actor=SYSTEM, now=NOW)

    for wrong in (
        lambda: move(coast, coast),
        lambda: move(coast, mombasa),
        lambda: branches.create(code="X", name="X", parent_id=above.id, actor=SYSTEM, now=NOW),
        lambda: branches.create(code="X", name="X", parent_id=Branch().id, actor=SYSTEM, now=NOW),
    ):
        with pytest.raises(branches.BranchInvalid) as refused:
            wrong()
        assert refused.value.errors[0].pointer == "/parent"
    assert Branch.objects.get(id=coast.id).parent.is_head_office
    assert Branch.objects.filter(code="X").exists() is False


def test_the_database_refuses_them_whoever_asks(three):
    office, coast, mombasa = three

    for child, parent in ((coast, coast), (coast, mombasa), (office, mombasa)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Branch.objects.filter(id=child.id).update(parent_id=parent.id)
    deep = [Branch(code=f"D{number}", name="Deep", created_at=NOW) for number in range(6)]
    for above, below in pairwise(deep):
        below.parent_id = above.id
    deep[0].parent_id = office.id
    Branch.objects.bulk_create(deep[:5])
    with pytest.raises(IntegrityError, match="too deep"), transaction.atomic():
        deep[5].save(force_insert=True)


def test_two_moves_at_once_make_no_circle(committed_acme):
    make.head_office()
    first, second = make.branch("A", "A"), make.branch("B", "B")

    def below(child, parent):
        schema.enter(committed_acme)
        try:
            move(child, parent)
        except (IntegrityError, branches.BranchInvalid) as refused:
            return type(refused)
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(below, (first, second), (second, first)))

    assert answers.count(None) == 1


class TestPolicies:
    """Each policy for a person and for a key, bound to the coast."""

    SEEN: ClassVar[dict[str, tuple[set[str], set[str]]]] = {
        BranchPolicy.STRICT: ({"COAST"}, {"COAST"}),
        BranchPolicy.PARENT_SEES_CHILDREN: ({"COAST", "MSA"}, {"COAST", "MSA"}),
        BranchPolicy.SHARED_PARTIES: ({"COAST"}, {"HQ", "COAST", "MSA"}),
    }

    def test_rows_of_which_branches_are_seen(self, three):
        _, coast, _ = three
        person = make.member("owner", "asha@example.test", (coast,)).user
        caller = make.caller(branch=coast)
        for branch in three:
            payments.intent(branch_id=branch.id, application_id=caller.application_id)
            party.party(branch_id=branch.id, application_id=caller.application_id)

        for policy in POLICIES:
            choose(policy)
            rows, people = self.SEEN[policy]
            for who in (fresh(person), again(caller)):
                assert {one.code for one in stored.visible_to(who)} == rows, policy
                assert {one.branch.code for one in intents.visible_to(who)} == rows, policy
                assert {one.branch.code for one in parties.visible_to(who)} == people, policy

    @pytest.mark.usefixtures("three")
    def test_who_works_for_all_or_for_none_is_not_touched(self):
        chief, stranger = make.member().user, make.user("outsider@example.test")

        for policy in POLICIES:
            choose(policy)
            assert scope.branch_ids(fresh(chief)) is scope.party_branch_ids(fresh(chief)) is None
            assert scope.branch_ids(fresh(stranger)) == scope.party_branch_ids(fresh(stranger)) == set()

    def test_a_new_row_is_of_the_branch_that_was_named_not_of_one_below(self, three):
        choose(BranchPolicy.PARENT_SEES_CHILDREN)
        person = make.member("owner", "asha@example.test", (three[1],)).user

        assert stored.chosen(make.caller(branch=three[1]), None) == three[1]
        assert stored.chosen(fresh(person), None) == three[1]
        assert stored.chosen(fresh(person), three[2].id) == three[2]
        with pytest.raises(stored.BranchForbidden):
            stored.chosen(fresh(person), three[0].id)

    def test_one_query_however_often_it_is_asked(self, three, django_assert_num_queries):
        person, caller = (
            make.member("owner", "asha@example.test", (three[1],)).user,
            make.caller(branch=three[1]),
        )

        for policy, of_key in zip(POLICIES, (0, 1, 0), strict=True):
            choose(policy)
            who, key = fresh(person), again(caller)
            scope.narrow(who, None)
            with django_assert_num_queries(1):
                for _ in range(3):
                    scope.branch_ids(who)
            with django_assert_num_queries(of_key):
                for _ in range(3):
                    scope.branch_ids(key)

    def test_a_choice_narrows_shared_parties_too(self, three):
        choose(BranchPolicy.SHARED_PARTIES)
        person = make.member("owner", "asha@example.test", (three[1], three[2])).user
        scope.narrow(person, three[2].id)

        assert scope.party_branch_ids(person) == {three[2].id}

    def test_a_shared_party_is_changed_by_its_own_branch_alone(self, three, client, in_organisation):
        choose(BranchPolicy.SHARED_PARTIES)
        issued = make.issued(branch=three[1])
        headers = make.bearer(issued.secret)
        other = party.party(branch_id=three[2].id, application_id=issued.key.application_id)
        path = f"/v1/acme/parties/{ids.encode('pty', other.id)}"
        body = {"version": other.version, "display_name": "Stolen"}

        assert client.get(path, headers=headers).status_code == 200
        for answer in (
            client.patch(path, body, content_type="application/json", headers=headers),
            client.post(f"{path}/archive", headers=headers),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "branch_forbidden")
        in_organisation("acme")
        other.refresh_from_db()
        assert (other.display_name == "Stolen", other.archived_at) == (False, None)

    def test_a_decision_follows_the_policy(self, three):
        request = approvals.waiting(branch_id=three[2].id)
        checker = approvals.person("checker", "approver", (three[1],))

        with pytest.raises(stored.BranchForbidden):
            approvals.approve(request, checker)
        choose(BranchPolicy.PARENT_SEES_CHILDREN)
        assert approvals.approve(request, checker).status == "APPROVED"


def test_only_who_works_for_all_branches_moves_one_or_chooses(three):
    office, coast, mombasa = three
    chief = make.member("owner", "asha@example.test", (coast,))
    bound = team.actor(chief.user)

    with pytest.raises(memberships.BeyondOwnBranches):
        branches.choose_policy(
            policy=BranchPolicy.PARENT_SEES_CHILDREN, reason="I wish to", actor=bound, now=NOW
        )
    with pytest.raises(memberships.BeyondOwnBranches):
        move(mombasa, office, actor=bound)

    assert Organisation.objects.get(slug="acme").branch_policy == BranchPolicy.STRICT
    assert Branch.objects.get(id=mombasa.id).parent_id == coast.id


def test_who_sees_what_is_below_gives_others_that_much(three):
    _, coast, mombasa = three
    chief = team.actor(make.member("owner", "asha@example.test", (coast,)).user)
    chosen = {"user_id": make.user("b@example.test").id, "role": "support", "actor": chief, "now": NOW}

    with pytest.raises(memberships.BeyondOwnBranches):
        memberships.create(branch_ids=[mombasa.id], **chosen)
    choose(BranchPolicy.PARENT_SEES_CHILDREN)
    memberships.create(branch_ids=[mombasa.id], **chosen)

    assert Membership.objects.filter(branches=mombasa).count() == 1


def test_the_choice_is_on_record(acme):
    for _ in range(2):
        choose(BranchPolicy.SHARED_PARTIES)

    record = AuditRecord.objects.get(action="organisation.branch_policy")
    assert record.changes == {"branch_policy": ["STRICT", "SHARED_PARTIES"]}
    assert Organisation.objects.get(id=acme.id).branch_policy == BranchPolicy.SHARED_PARTIES
