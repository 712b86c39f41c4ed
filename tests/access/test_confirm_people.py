"""A person who is let in is confirmed by a second one who knows him, or turned away for good."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from apps.access.models import Membership, Role
from apps.access.selectors import memberships as team
from apps.access.services import admissions, memberships, roles
from apps.accounts.models import PlatformRecord, User
from apps.accounts.services import entry_links
from apps.audit.models import AuditRecord
from apps.kit.actors import SYSTEM, person
from apps.tenancy.models import Organisation, UserOrganisation
from tests.access.admitting import NOW, PASSWORD, admit, chiefs, confirm, sign_in, turn_away, use
from tests.approvals.test_two_connections import at_once
from tests.factories import access as make


@pytest.mark.usefixtures("acme")
class TestConfirmation:
    def test_until_then_the_membership_gives_nothing(self):
        mary, noah = chiefs()
        admitted = admit(mary)
        code = use(admitted)

        assert (sign_in(), admitted.membership.is_active) == (None, False)
        assert UserOrganisation.objects.filter(user_id=admitted.membership.user_id).exists() is False
        with pytest.raises(memberships.MembershipWaiting):
            memberships.change(
                membership_id=admitted.membership.id, role="auditor", is_active=True, branch_ids=[], actor=noah, now=NOW
            )  # fmt: skip
        confirm(admitted, noah, code.lower().replace("-", " "))

        assert sign_in().has_perm("audit.view") is True
        record = AuditRecord.objects.get(action="membership.confirmed")
        assert (record.person, record.changes) == (noah.person, {"is_active": [False, True]})
        assert UserOrganisation.objects.filter(user_id=admitted.membership.user_id).exists() is True

    def test_each_refusal_leaves_the_person_waiting(self):
        mary, noah = chiefs()
        helper = person(User.objects.get(email="help@example.test").id)
        sock = admit(mary, "sock@example.test", role="owner")
        sock_code = entry_links.code_of(entry_links.use(secret=sock.secret, password=PASSWORD, now=NOW))
        admitted = admit(mary)

        with pytest.raises(entry_links.EntryCodeWrong):  # before she has chosen her password
            confirm(admitted, noah, entry_links.code_of(admitted.membership.user))
        code = use(admitted)
        for actor, told, refusal in (
            (mary, code, admissions.OwnAdmission),
            (person(admitted.membership.user_id), code, admissions.NoManager),
            (person(sock.membership.user_id), code, admissions.NoManager),
            (helper, code, admissions.NoManager),
            (SYSTEM, code, admissions.NoManager),
            (noah, sock_code, entry_links.EntryCodeWrong),
            (noah, "", entry_links.EntryCodeWrong),
        ):
            with pytest.raises(refusal):
                confirm(admitted, actor, told)

        assert Membership.objects.filter(confirmed_at__isnull=True).count() == 2
        assert AuditRecord.objects.filter(action="membership.confirmed").exists() is False

    def test_a_second_time_changes_nothing(self):
        mary, noah, olga = chiefs("mary", "noah", "olga")
        admitted = admit(mary)
        code = use(admitted)

        confirm(admitted, noah, code)
        again = confirm(admitted, olga, "")

        assert again.confirmed_by.user_id == Membership.objects.get(user__email="noah@example.test").user_id
        assert AuditRecord.objects.filter(action="membership.confirmed").count() == 1

    def test_nobody_gives_takes_or_vouches_for_what_is_beyond_him(self):
        mary, noah = chiefs()
        msa, nbo = make.branch("MSA", "Mombasa"), make.branch("NBO", "Nairobi")
        here = person(make.member("support", "here@example.test", (msa,)).user_id)
        Role.objects.filter(code="support").update(permissions=["access.manage"])
        Role.objects.filter(code="owner").update(permissions=["access.manage", "keys.money"])
        helper = person(User.objects.get(email="help@example.test").id)
        low = admit(helper, role="auditor", branch_ids=[nbo.id])
        high = admit(noah, "high@example.test", role="owner")
        low_code, high_code = (
            entry_links.code_of(entry_links.use(secret=one.secret, password=PASSWORD, now=NOW))
            for one in (low, high)
        )
        owner = Membership.objects.get(user_id=mary.person)

        def change(one, actor, role, is_active=False, branch_ids=()):
            return memberships.change(
                membership_id=one.id,
                role=role,
                is_active=is_active,
                branch_ids=branch_ids,
                actor=actor,
                now=NOW,
            )

        for refusal, deed in (
            (memberships.BeyondOwnRole, lambda: change(low.membership, helper, "owner", branch_ids=[nbo.id])),
            (memberships.BeyondOwnRole, lambda: confirm(high, helper, high_code)),
            (memberships.BeyondOwnBranches, lambda: confirm(low, here, low_code)),
            (
                memberships.BeyondOwnRole,
                lambda: admissions.renew_link(membership_id=high.membership.id, actor=helper, now=NOW),
            ),
            (
                memberships.BeyondOwnBranches,
                lambda: admissions.renew_link(membership_id=low.membership.id, actor=here, now=NOW),
            ),
            (memberships.BeyondOwnRole, lambda: change(owner, helper, "owner")),
            (memberships.BeyondOwnRole, lambda: change(owner, helper, "auditor", is_active=True)),
            (
                memberships.BeyondOwnBranches,
                lambda: memberships.end(
                    membership_id=Membership.objects.get(user_id=helper.person).id,
                    reason="",
                    actor=here,
                    now=NOW,
                ),
            ),
        ):
            with pytest.raises(refusal):
                deed()
        assert confirm(high, mary, high_code).is_active is True

    @pytest.mark.parametrize("how", ["ended", "demoted", "role"])
    def test_who_ends_the_other_manager_does_not_vouch_alone_the_next_day(self, how):
        mary, _ = chiefs()
        other = Membership.objects.get(user__email="noah@example.test")
        if how == "role":
            Role.objects.filter(code="support").update(permissions=["access.manage"])
            Membership.objects.filter(id=other.id).update(role=Role.objects.get(code="support"))
            roles.change(code="support", permissions=["access.view"], actor=mary, now=NOW)
        else:
            memberships.change(
                membership_id=other.id,
                role="owner" if how == "ended" else "auditor",
                is_active=how == "demoted",
                branch_ids=[],
                actor=mary,
                now=NOW,
            )

        puppet = admit(mary, now=NOW + timedelta(days=28))
        code = use(puppet, now=NOW + timedelta(days=28))

        with pytest.raises(admissions.OwnAdmission):
            confirm(puppet, mary, code, now=NOW + timedelta(days=29, hours=23))
        with pytest.raises(DatabaseError), transaction.atomic():
            Membership.objects.filter(id=puppet.membership.id).update(confirmed_at=NOW + timedelta(days=29))
        assert confirm(puppet, mary, code, now=NOW + timedelta(days=30)).is_active is True

    def test_a_small_team_asks_the_other_manager_too(self):
        mary, _ = chiefs()
        Organisation.objects.filter(slug="acme").update(is_small_team=True)

        assert admit(mary).membership.is_waiting
        with pytest.raises(DatabaseError), transaction.atomic():
            Membership.objects.filter(user__name="Jane").update(confirmed_at=NOW)

    def test_who_has_nobody_beside_him_vouches_alone_a_day_later_and_everybody_reads_it(self):
        mary = chiefs()[0]
        Membership.objects.filter(user__email="noah@example.test").update(is_active=False)
        day = timedelta(days=1)

        admitted = admit(mary)
        code = use(admitted)

        assert (admitted.membership.is_waiting, sign_in()) == (True, None)
        with pytest.raises(admissions.ConfirmedTooSoon):
            confirm(admitted, mary, code, now=NOW + day - timedelta(seconds=1))
        again = admissions.renew_link(membership_id=admitted.membership.id, actor=mary, now=NOW + day)
        new_code = use(again, NOW + day)
        with pytest.raises(admissions.ConfirmedTooSoon):
            confirm(again, mary, new_code, now=NOW + day)
        for change in (
            {"confirmed_at": NOW + day},
            {"admitted_at": NOW - day},
            {"admitted_at": NOW - day, "confirmed_at": NOW},
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                Membership.objects.filter(id=admitted.membership.id).update(**change)
        with pytest.raises(entry_links.EntryCodeWrong):
            confirm(again, mary, code, now=NOW + 2 * day)
        assert confirm(again, mary, new_code, now=NOW + 2 * day).confirmed_by is None
        assert sign_in().has_perm("audit.view") is True
        for action, count in (("membership.admitted_alone", 2), ("membership.confirmed_alone", 1)):
            assert set(AuditRecord.objects.filter(action=action).values_list("person", flat=True)) == {
                mary.person
            }
            told = PlatformRecord.objects.filter(action=action)
            assert [record.changes for record in told] == [{"organisation": [None, "acme"]}] * count

    def test_the_platform_vouches_for_whom_it_lets_in(self):
        chiefs()

        admitted = admit(SYSTEM)
        use(admitted)

        assert (admitted.membership.admitted_by, sign_in().has_perm("audit.view")) == (None, True)
        assert AuditRecord.objects.filter(action="membership.confirmed_alone").exists() is False

    def test_the_database_refuses_what_no_service_does(self):
        mary, noah = chiefs()
        waiting = admit(mary).membership
        done = admit(mary, "done@example.test")
        confirm(done, noah, use(done))
        mine, his = (Membership.objects.get(user_id=one.person) for one in (mary, noah))
        helper = Membership.objects.get(user__email="help@example.test")

        for row, change in (
            (waiting, {"is_active": True}),
            (waiting, {"confirmed_at": NOW}),
            (waiting, {"confirmed_at": NOW, "confirmed_by": mine}),
            (waiting, {"confirmed_at": NOW, "confirmed_by": waiting}),
            (waiting, {"confirmed_at": NOW, "confirmed_by": helper}),
            (waiting, {"confirmed_by": his}),
            (waiting, {"admitted_by": None}),
            (done.membership, {"confirmed_by": helper}),
            (done.membership, {"admitted_by": his}),
            (done.membership, {"confirmed_at": None}),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                Membership.objects.filter(id=row.id).update(**change)


@pytest.mark.usefixtures("acme")
class TestTurningAway:
    def test_voids_all_that_the_person_had_and_is_on_record(self):
        mary, noah = chiefs()
        admitted, unused = admit(mary), admit(mary, "late@example.test")
        code = use(admitted)

        for one in (admitted, unused):
            assert turn_away(one, mary).is_turned_away is True
        turn_away(admitted, noah)

        records = AuditRecord.objects.filter(action="membership.turned_away").order_by("id")
        assert [(one.person, one.reason) for one in records] == [(mary.person, "Nobody knows her")] * 2
        jane = User.objects.get(email="jane@example.test")
        assert (jane.has_usable_password(), sign_in()) == (False, None)
        for refusal, deed in (
            (entry_links.EntryLinkUnknown, lambda: use(unused)),
            (memberships.MembershipTurnedAway, lambda: confirm(admitted, noah, code)),
            (memberships.MembershipTurnedAway, lambda: confirm(admitted, noah, entry_links.code_of(jane))),
            (
                memberships.MembershipTurnedAway,
                lambda: admissions.renew_link(membership_id=admitted.membership.id, actor=noah, now=NOW),
            ),
            (
                memberships.MembershipTurnedAway,
                lambda: memberships.change(
                    membership_id=admitted.membership.id, role="auditor", is_active=True, branch_ids=[], actor=noah, now=NOW
                ),
            ),
        ):  # fmt: skip
            with pytest.raises(refusal):
                deed()
        assert list(team.waiting()) == []

    def test_is_for_who_may_take_from_that_person(self):
        mary, _ = chiefs()
        Role.objects.filter(code="support").update(permissions=["access.manage"])
        Role.objects.filter(code="owner").update(permissions=["access.manage", "keys.money"])
        helper = person(User.objects.get(email="help@example.test").id)
        high = admit(mary, "high@example.test", role="owner")

        with pytest.raises(memberships.BeyondOwnRole):
            turn_away(high, helper)

        assert Membership.objects.get(id=high.membership.id).is_waiting is True

    def test_the_person_may_be_let_in_anew_and_is_confirmed_anew(self):
        mary, noah = chiefs()
        first = admit(mary, role="owner")
        old = use(first)
        turn_away(first, noah)

        again = admit(noah, role="auditor")

        assert again.membership.id == first.membership.id
        assert (again.membership.is_waiting, again.membership.role.code) == (True, "auditor")
        code = use(again)
        for actor, told, refusal in (
            (noah, code, admissions.OwnAdmission),
            (mary, old, entry_links.EntryCodeWrong),
        ):
            with pytest.raises(refusal):
                confirm(again, actor, told)
        assert confirm(again, mary, code).is_active is True
        assert sign_in().has_perm("audit.view") is True
        record = AuditRecord.objects.filter(action="membership.created").latest("id")
        assert record.changes["turned_away"] == [True, False]

    def test_the_platform_lets_him_in_anew_too(self):
        mary, _ = chiefs()
        turn_away(admit(mary), mary)

        again = admit(SYSTEM)

        assert (again.membership.is_active, again.membership.admitted_by) == (True, None)

    def test_the_database_confirms_nobody_who_was_turned_away(self):
        mary, noah = chiefs()
        waiting = admit(mary)
        turn_away(waiting, noah)
        his = Membership.objects.get(user_id=noah.person)

        for change in (
            {"is_active": True},
            {"confirmed_at": NOW},
            {"confirmed_at": NOW, "confirmed_by": his},
            {"turned_away_at": None, "confirmed_at": NOW, "confirmed_by": his, "is_active": True},
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                Membership.objects.filter(id=waiting.membership.id).update(**change)


@pytest.mark.usefixtures("committed_acme")
def test_confirmed_and_turned_away_at_once_is_one_of_them():
    mary, noah = chiefs()
    admitted = admit(mary)
    code = use(admitted)

    said = at_once(lambda: confirm(admitted, noah, code), lambda: turn_away(admitted, mary))

    after = Membership.objects.get(id=admitted.membership.id)
    refused = [type(one) for one in said if isinstance(one, Exception)]
    assert after.is_active is False  # turned away, or ended after he was confirmed
    assert refused == ([memberships.MembershipTurnedAway] if after.is_turned_away else [])


@pytest.mark.usefixtures("committed_acme")
def test_two_at_once_confirm_once():
    mary, noah, olga = chiefs("mary", "noah", "olga")
    admitted = admit(mary)
    code = use(admitted)

    said = at_once(lambda: confirm(admitted, noah, code), lambda: confirm(admitted, olga, code))

    assert [one for one in said if isinstance(one, Exception)] == []
    assert AuditRecord.objects.filter(action="membership.confirmed").count() == 1
