"""Lock-out: wrong passwords close the door for one e-mail from one address, say nothing of who exists, and are on record."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.test import Client

from apps.accounts.models import PlatformRecord
from apps.accounts.selectors import lock_outs
from apps.audit.models import AuditRecord
from apps.kit import clock
from tests.dialogs import send
from tests.factories import access
from tests.factories.accounts import locked_out
from tests.platform.test_site import REASON

EMAIL, STRANGER = "amina@example.test", "nobody@example.test"
HOME, CAFE = "198.51.100.7", "203.0.113.9"
WRONG = "Wrong-password-of-somebody"
LOCKED = "Too many wrong attempts from here"
REFUSED = "E-mail or password is not right"


@pytest.fixture
def person(acme):
    return access.member("owner", EMAIL).user


@pytest.fixture
def door(acme, in_organisation):
    """Return a function that tries to sign in from an address."""

    def tried(email=EMAIL, password=WRONG, *, address=CAFE, slug="acme", browser=None):
        browser = browser or Client(headers={"host": f"{slug}.testserver"}, REMOTE_ADDR=address)
        answer = browser.post("/portal/login/", {"username": email, "password": password})
        in_organisation("acme")
        return answer

    return tried


@pytest.mark.parametrize("email", [EMAIL, EMAIL.upper(), STRANGER])
def test_the_fifth_wrong_password_closes_the_door_the_same_for_everybody(person, door, email):
    answers = [door(email) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert all(REFUSED in answer.content.decode() for answer in answers[:4])
    assert LOCKED in answers[4].content.decode()
    assert 'id="login-form"' in answers[4].content.decode()
    locked = door(email, access.PASSWORD)
    assert (locked.status_code, LOCKED in locked.content.decode()) == (429, True)


def test_only_that_e_mail_from_that_address_waits_and_not_for_ever(person, door, in_organisation):
    access.member("auditor", "baraka@example.test")
    in_organisation("zuri")
    access.member("owner", EMAIL)
    in_organisation("acme")
    for _ in range(5):
        door()

    assert door(EMAIL, access.PASSWORD, slug="zuri").status_code == 429  # people are shared, and so is this
    assert door("baraka@example.test", access.PASSWORD).status_code == 302
    assert door(EMAIL, access.PASSWORD, address=HOME).status_code == 302
    AccessAttempt.objects.update(attempt_time=clock.now() - timedelta(minutes=15, seconds=1))
    assert door(EMAIL, access.PASSWORD).status_code == 302


def test_an_address_of_a_network_of_its_own_is_the_whole_network(person, door):
    for number in range(5):
        door(address=f"2001:db8:0:1::{number + 1:x}")

    assert door(EMAIL, access.PASSWORD, address="2001:db8:0:1:ffff::9").status_code == 429
    assert door(EMAIL, access.PASSWORD, address="2001:db8:0:2::9").status_code == 302


def test_a_right_password_forgets_the_wrong_ones_and_passwords_are_kept_nowhere(person, door):
    for _ in range(4):
        door()
    assert WRONG not in str(list(AccessAttempt.objects.values_list()))
    assert door(EMAIL, access.PASSWORD).status_code == 302

    assert [door().status_code for _ in range(4)] == [200] * 4


def test_many_e_mails_from_one_address_are_refused_whoever_they_are(person, door, settings):
    settings.TREASURY = {
        **settings.TREASURY,
        "RATE_LIMITS": {**settings.TREASURY["RATE_LIMITS"], "sign_ins": 3},
    }
    tried = [door(f"nobody{number}@example.test").status_code for number in range(5)]

    assert tried == [200, 200, 200, 429, 429]
    assert AuditRecord.objects.filter(action__startswith="sign_in").count() == 3
    assert door(EMAIL, access.PASSWORD, address=HOME).status_code == 302


def test_what_happens_at_the_door_is_on_record_without_what_was_typed(person, door, in_organisation):
    browser = Client(headers={"host": "acme.testserver", "x-request-id": "req-at-the-door"}, REMOTE_ADDR=CAFE)
    door(STRANGER, browser=browser)
    door("my-Password-12", browser=browser)
    for _ in range(5):
        door(browser=browser)
    home = Client(headers={"host": "acme.testserver"}, REMOTE_ADDR=HOME)
    door(EMAIL, access.PASSWORD, browser=home)
    home.post("/portal/logout/")
    in_organisation("acme")

    found = AuditRecord.objects.filter(action__regex="^(sign_in|user)").order_by("occurred_at", "id")
    said = [(one.action, one.object_type, one.object_id, one.changes) for one in found]
    me = str(person.pk)
    assert said == [
        ("sign_in.refused", "stranger", "unknown", {"email": [None, "no•••@example.test"]}),
        ("sign_in.refused", "stranger", "unknown", {"email": [None, "•••"]}),
        *[("sign_in.refused", "user", me, {})] * 4,
        ("sign_in.locked", "user", me, {}),
        ("user.signed_in", "user", me, {"by": [None, "password"]}),
        ("user.signed_out", "user", me, {}),
    ]
    assert {(one.request_id, one.ip) for one in found[:7]} == {("req-at-the-door", CAFE)}


def test_the_platform_lifts_it_and_has_its_own_record(person, in_organisation):
    in_organisation("acme")
    locked_out(person, at=clock.now())
    access.user("ops@example.test", is_platform_staff=True)
    browser = Client(headers={"host": "localhost"}, REMOTE_ADDR=HOME)
    assert browser.post("/platform/login/", {"username": EMAIL, "password": WRONG}).status_code == 200
    browser.post("/platform/login/", {"username": "ops@example.test", "password": access.PASSWORD})

    send(browser, f"/platform/accounts/user/{person.pk}/do/lift-lock-out/", reason=REASON)

    assert lock_outs.is_locked(EMAIL, at=clock.now()) is False
    record = PlatformRecord.objects.get(action="lock_out.lifted")
    assert (record.object_id, record.reason) == (str(person.pk), REASON)
    assert PlatformRecord.objects.filter(action="sign_in.refused", object_type="stranger").count() == 1
    assert PlatformRecord.objects.filter(action="user.signed_in").count() == 1
