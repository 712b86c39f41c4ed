"""Sessions on the platform's site: its staff sees its own and ends them, and ends those of anybody, everywhere."""

import re

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import PlatformRecord, PlatformSession
from apps.accounts.services import users
from apps.kit import clock
from apps.kit.actors import person
from tests import dialogs
from tests.factories import access
from tests.factories.accounts import NOW

LIST, PAGE = "/platform/sessions/", "/platform/accounts/user/"
REASON = "He has lost his laptop"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1"


@pytest.fixture
def enter(db):
    """Return a function that signs one of the staff in by the page; the clock stands at NOW."""

    def signed_in(name="ops", agent=FIREFOX, address="198.51.100.7") -> Client:
        staff = access.user(f"{name}@example.test", is_platform_staff=True)
        browser = Client(headers={"host": "localhost", "user-agent": agent}, REMOTE_ADDR=address)
        browser.post("/platform/login/", {"username": staff.email, "password": access.PASSWORD})
        return browser

    with clock.fixed(NOW):
        yield signed_in


def opens(browser) -> bool:
    return browser.get(PAGE).status_code == 200


def test_lists_ones_own_and_ends_them_with_their_next_request(enter):
    mine, phone, till, other = enter(), enter(agent=IPHONE, address="203.0.113.9"), enter(), enter("second")
    shown = mine.get(LIST).content.decode()
    numbers = re.findall(r'name="session" value="([0-9a-f-]{36})"', shown)
    theirs = PlatformSession.objects.get(user__email="second@example.test")

    mine.post(f"{LIST}end/", {"session": str(theirs.id)})
    mine.post(f"{LIST}end/", {"session": numbers[0]})

    assert all(
        words in shown for words in ("Firefox on Linux", "Safari on iPhone", "203.0.113.9", "This one")
    )
    assert (len(numbers), shown.count('class="t-help">198')) == (2, 2)
    assert sorted([opens(phone), opens(till)]) == [False, True]
    mine.post(f"{LIST}end-others/")
    assert (opens(phone), opens(till), opens(mine), opens(other)) == (False, False, True, True)
    records = PlatformRecord.objects.filter(action="session.ended")
    assert {record.object_id for record in records} == {str(access.user("ops@example.test").pk)}
    assert records.count() == 2
    assert LIST in mine.get("/platform/").content.decode()


def test_ends_all_sessions_of_a_person_everywhere_with_a_reason(enter, in_organisation):
    operator, elsewhere = enter(), enter("second")
    in_organisation("acme")
    access.head_office()
    member = access.member()
    portal = Client(headers={"host": "acme.testserver"})
    portal.post("/portal/login/", {"username": member.user.email, "password": access.PASSWORD})
    assert portal.get("/portal/access/branch/").status_code == 200
    connection.set_schema_to_public()
    second = access.user("second@example.test")

    for one in (member.user, second):
        dialogs.send(operator, f"{PAGE}{one.pk}/do/end-sessions/", reason=REASON)

    assert portal.get("/portal/access/branch/").status_code == 302
    assert (opens(elsewhere), opens(operator)) == (False, True)
    record = PlatformRecord.objects.filter(action="user.sessions_ended").earliest("id")
    assert (record.object_id, record.reason) == (str(member.user_id), REASON)


def test_nobody_ends_his_own_by_that(enter):
    operator = enter()
    me = access.user("ops@example.test")

    with pytest.raises(users.OwnAccount):
        users.sign_out(user_id=me.pk, reason=REASON, actor=person(me.pk), now=NOW)

    assert opens(operator) is True
