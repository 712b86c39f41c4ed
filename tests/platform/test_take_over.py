"""Take over: an account that an organisation made becomes its person's own, and nothing of what others held of it is left."""

import pytest
from django.contrib.auth import authenticate
from django.db import connection
from django.test import Client

from apps.access.models import Membership
from apps.access.services import admissions, memberships
from apps.accounts.models import PlatformRecord, User
from apps.accounts.selectors import second_factors as known
from apps.accounts.services import entry_links
from apps.kit import clock
from apps.kit.actors import SYSTEM, person
from apps.tenancy.contracts import NewOrganisation
from apps.tenancy.models import UserOrganisation
from apps.tenancy.services import take_overs
from tests import dialogs
from tests.approvals.test_two_connections import at_once
from tests.factories import access
from tests.factories.accounts import enrolled
from treasury import opening

REASON = "Called back on the number in the contract"
OWN = "a password of her own 7"


def squatted(*, by=SYSTEM):
    """Let acme make an account for jane@victim.test, whose link somebody there has used; return it, and the link."""
    access.seed_roles()
    admitted = admissions.admit(
        email="jane@victim.test", name="Jane", role="auditor", actor=by, now=clock.now()
    )
    entry_links.use(secret=admitted.secret, password=access.PASSWORD, now=clock.now())
    return admitted


def left(admitted):
    """Let her leave the team."""
    memberships.end(membership_id=admitted.membership.id, reason=REASON, actor=SYSTEM, now=clock.now())
    return User.objects.get(email="jane@victim.test")


def take_over(user):
    return take_overs.take_over(user_id=user.pk, reason=REASON, actor=SYSTEM, now=clock.now())


@pytest.mark.usefixtures("acme")
def test_ends_whatever_others_held_of_it_and_proves_whose_it_is():
    user = left(squatted())
    enrolled(user)
    before = user.get_session_auth_hash()

    secret = take_over(user)

    user.refresh_from_db()
    assert (user.has_usable_password(), known.is_enrolled(user.pk), user.was_let_in) == (False, False, False)
    assert user.get_session_auth_hash() != before
    record = PlatformRecord.objects.get(action="user.taken_over")
    assert (record.object_id, record.reason, secret in str(record.changes)) == (str(user.pk), REASON, False)
    entry_links.use(secret=secret, password=OWN, now=clock.now())
    connection.set_schema_to_public()
    opened = opening.ask(
        new=NewOrganisation("victim", "Victim Ltd"),
        owner_email=user.email,
        owner_name="Jane",
        actor=SYSTEM,
        now=clock.now(),
    )
    assert (opened.provisioning.owner_id, opened.link) == (user.pk, "")


@pytest.mark.usefixtures("acme")
def test_who_works_in_a_team_and_who_is_vouched_for_are_left_alone():
    admitted = squatted()
    user = User.objects.get(email="jane@victim.test")

    with pytest.raises(take_overs.AccountAtWork, match="Acme"):
        take_over(user)
    assert authenticate(None, username=user.email, password=access.PASSWORD) == user
    taken = left(admitted)
    take_over(taken)
    for other in (taken, access.user()):
        with pytest.raises(entry_links.AccountVouchedFor):
            take_over(other)
    assert PlatformRecord.objects.filter(action="user.taken_over").count() == 1


@pytest.mark.usefixtures("acme")
def test_no_organisation_makes_another_link_afterwards():
    access.seed_roles()
    boss, _ = access.member(), access.member("owner", "second@example.test")
    waiting = admissions.admit(
        email="jane@victim.test", name="Jane", role="auditor", actor=actor_of(boss), now=clock.now()
    )
    secret = take_over(User.objects.get(email="jane@victim.test"))

    with pytest.raises(entry_links.EntryNotNeeded):
        admissions.renew_link(membership_id=waiting.membership.id, actor=actor_of(boss), now=clock.now())
    memberships.end(membership_id=waiting.membership.id, reason=REASON, actor=actor_of(boss), now=clock.now())

    assert entry_links.find(secret=secret, now=clock.now()).email == "jane@victim.test"
    with pytest.raises(admissions.PersonKnown):
        admissions.admit(
            email="jane@victim.test", name="Jane", role="auditor", actor=actor_of(boss), now=clock.now()
        )
    entry_links.use(secret=secret, password=OWN, now=clock.now())
    again = memberships.link(email="jane@victim.test", role="auditor", actor=SYSTEM, now=clock.now())
    assert (again.id, again.is_active) == (waiting.membership.id, True)


@pytest.mark.usefixtures("acme")
def test_what_was_confirmed_before_lets_nobody_in_afterwards():
    access.seed_roles()
    boss, second = access.member(), access.member("owner", "second@example.test")
    admitted = squatted(by=actor_of(boss))
    user = User.objects.get(email="jane@victim.test")
    admissions.confirm(
        membership_id=admitted.membership.id,
        code=entry_links.code_of(user),
        actor=actor_of(second),
        now=clock.now(),
    )
    secret = take_over(left(admitted))
    entry_links.use(secret=secret, password=OWN, now=clock.now())

    with pytest.raises(entry_links.AccountTakenOver):
        memberships.change(
            membership_id=admitted.membership.id,
            role="auditor",
            is_active=True,
            branch_ids=(),
            actor=actor_of(boss),
            now=clock.now(),
        )

    assert not UserOrganisation.objects.filter(user_id=user.pk).exists()
    again = memberships.link(email=user.email, role="auditor", actor=SYSTEM, now=clock.now())
    assert (again.id, again.is_active, again.admitted_by) == (admitted.membership.id, True, None)


def test_is_done_by_the_staff_and_leads_to_a_page_of_the_platform(acme, in_organisation):
    user = left(squatted())
    connection.set_schema_to_public()
    staff = access.user("ops@example.test", is_platform_staff=True)
    operator, stranger = (Client(headers={"host": "localhost"}) for _ in range(2))
    assert operator.login(username=staff.email, password=access.PASSWORD)
    page = f"/platform/accounts/user/{user.pk}/"
    assert "nobody has proven" in operator.get(f"{page}change/").content.decode()

    refused = dialogs.send(operator, f"{page}do/take-over/", reason=REASON, typed_text="x")
    dialogs.send(operator, f"{page}do/take-over/", reason=REASON, typed_text=user.email)
    first = link_on(operator.get(f"{page}change/"))
    dialogs.send(operator, f"{page}do/renew-link/", reason=REASON)
    second = link_on(operator.get(f"{page}change/"))

    assert refused.status_code == 422
    assert PlatformRecord.objects.get(action="user.taken_over").person == str(staff.pk)
    assert stranger.get(first).status_code == 404
    assert stranger.get(second).status_code == 200
    secret = second.partition("link=")[2]
    done = stranger.post("/platform/enter/", {"link": secret, "password": OWN})
    assert "at the organisation that lets you in" in done.content.decode()
    assert stranger.get(second).status_code == 404
    user.refresh_from_db()
    assert user.check_password(OWN)
    in_organisation("acme")
    other = admissions.admit(email="new@victim.test", name="N", role="auditor", actor=SYSTEM, now=clock.now())
    assert stranger.get("/platform/enter/", {"link": other.secret}).status_code == 404


def link_on(answer) -> str:
    """Return the path of the link that a page shows, without its host."""
    shown = answer.content.decode().partition("<code>")[2].partition("</code>")[0]
    return f"/platform{shown.partition('/platform')[2]}"


@pytest.mark.usefixtures("committed_acme")
def test_confirmed_and_taken_over_at_once_is_one_of_them():
    access.seed_roles()
    boss, second = access.member(), access.member("owner", "second@example.test")
    waiting = squatted(by=actor_of(boss))
    user = User.objects.get(email="jane@victim.test")
    code = entry_links.code_of(user)

    at_once(
        lambda: take_over(user),
        lambda: admissions.confirm(
            membership_id=waiting.membership.id, code=code, actor=actor_of(second), now=clock.now()
        ),
    )

    user.refresh_from_db()
    is_in = Membership.objects.get(id=waiting.membership.id).is_active
    assert UserOrganisation.objects.filter(user_id=user.pk).exists() == is_in
    assert user.is_vouched_for != is_in


def actor_of(membership):
    return person(membership.user_id)
