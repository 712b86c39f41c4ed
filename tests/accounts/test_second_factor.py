"""The second factor: set up by a code, proved once by each code, slow after wrong ones, reset with a reason."""

import base64
import threading
from datetime import timedelta
from time import monotonic, sleep

import pytest
from django.db import connection, transaction

from apps.accounts.models import Authenticator, PlatformRecord, RecoveryCode
from apps.accounts.selectors import second_factors as known
from apps.accounts.services import second_factors
from apps.kit.actors import SYSTEM
from tests.factories import access
from tests.factories.accounts import NOW, Phone, actor, enrolled, scanned

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def user(db):
    return access.user()


def verify(user, code, at=LATER):
    return second_factors.verify(user_id=user.pk, code=code, actor=actor(user), now=at)


def actions():
    return list(PlatformRecord.objects.order_by("id").values_list("action", flat=True))


def test_is_set_up_by_a_code_of_its_secret(user):
    phone = enrolled(user)

    assert known.is_enrolled(user.pk) is True
    assert len(phone.recovery_codes) == len(set(phone.recovery_codes)) == 10
    record = PlatformRecord.objects.get()
    assert (record.action, record.object_id, record.person) == (
        "second_factor.enrolled", str(user.pk), str(user.pk),
    )  # fmt: skip


def test_is_not_set_up_by_a_wrong_code(user):
    sealed = second_factors.propose(user_id=user.pk)
    phone = scanned(second_factors.proposal(user=user, sealed=sealed).key)

    with pytest.raises(second_factors.CodeRefused):
        second_factors.enrol(
            user_id=user.pk, sealed=sealed, code=phone.wrong_code(NOW), actor=actor(user), now=NOW
        )

    assert known.is_enrolled(user.pk) is False
    assert RecoveryCode.objects.exists() is False
    assert PlatformRecord.objects.exists() is False


@pytest.mark.parametrize("sealed", ["", "not base64!", base64.b64encode(b"x" * 60).decode()])
def test_takes_no_secret_that_it_did_not_propose(user, sealed):
    with pytest.raises(second_factors.CodeRefused):
        second_factors.enrol(user_id=user.pk, sealed=sealed, code="123456", actor=SYSTEM, now=NOW)


def test_takes_no_secret_that_was_proposed_to_another(user):
    other = access.user("baraka@example.test")
    sealed = second_factors.propose(user_id=other.pk)

    with pytest.raises(second_factors.CodeRefused):
        second_factors.proposal(user=user, sealed=sealed)


def test_is_set_up_once(user):
    first = enrolled(user)

    with pytest.raises(second_factors.AlreadyEnrolled):
        enrolled(user, at=LATER)

    assert Authenticator.objects.count() == 1
    assert verify(user, first.code(LATER)).user_id == user.pk


def test_keeps_neither_secret_nor_codes_in_the_clear(user):
    phone = enrolled(user)

    stored = bytes(Authenticator.objects.get().sealed_key)
    digests = set(RecoveryCode.objects.values_list("digest", flat=True))
    assert phone.key not in stored
    assert not {code.replace("-", "") for code in phone.recovery_codes} & digests
    assert {len(digest) for digest in digests} == {64}


@pytest.mark.parametrize("seconds", [-30, 0, 30])
def test_takes_a_code_one_step_off(user, seconds):
    phone = enrolled(user)

    assert verify(user, phone.code(LATER + timedelta(seconds=seconds))).user_id == user.pk


@pytest.mark.parametrize("seconds", [-60, 60])
def test_refuses_a_code_two_steps_off(user, seconds):
    phone = enrolled(user)

    with pytest.raises(second_factors.CodeRefused):
        verify(user, phone.code(LATER + timedelta(seconds=seconds)))


def test_refuses_a_code_that_was_used_and_older_ones(user):
    phone = enrolled(user)
    verify(user, phone.code(LATER))

    for code in (phone.code(LATER), phone.code(LATER - timedelta(seconds=30))):
        with pytest.raises(second_factors.CodeRefused):
            verify(user, code, LATER + timedelta(seconds=5))

    again = LATER + timedelta(seconds=20)
    assert verify(user, phone.code(again + timedelta(seconds=30)), again)


def test_the_code_that_set_it_up_does_not_sign_in(user):
    phone = enrolled(user)

    with pytest.raises(second_factors.CodeRefused):
        verify(user, phone.code(NOW), NOW)


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "abcdef", "\u0661\u0662\u0663\u0664\u0665\u0666", "' OR 1=1"]
)
def test_refuses_what_is_no_code(user, code):
    enrolled(user)

    with pytest.raises(second_factors.CodeRefused):
        verify(user, code)


def test_who_has_none_is_refused_alike(user):
    with pytest.raises(second_factors.CodeRefused) as refusal:
        verify(user, "123456")

    assert refusal.value.detail == second_factors._refused().detail


def test_rests_twice_as_long_after_each_wrong_code_even_for_a_right_one(user):
    phone, at = enrolled(user), LATER
    for rest in (1, 2, 4, 8):
        with pytest.raises(second_factors.CodeRefused):
            verify(user, phone.wrong_code(at), at)
        with pytest.raises(second_factors.CodeRefused):
            verify(user, phone.code(at), at + timedelta(seconds=rest, milliseconds=-1))
        at += timedelta(seconds=rest)

    assert Authenticator.objects.get().failures == 4
    assert actions().count("second_factor.refused") == 4
    verify(user, phone.code(at), at)
    assert Authenticator.objects.get().failures == 0
    assert Authenticator.objects.get().rests_until is None


def test_never_rests_longer_than_a_quarter_of_an_hour(user):
    phone = enrolled(user)
    Authenticator.objects.update(failures=4_000)

    with pytest.raises(second_factors.CodeRefused):
        verify(user, phone.wrong_code(LATER))

    assert Authenticator.objects.get().rests_until == LATER + timedelta(minutes=15)


def test_a_recovery_code_lets_in_once(user):
    phone = enrolled(user)
    typed = phone.recovery_codes[3].lower().replace("-", " ")

    verify(user, typed)
    with pytest.raises(second_factors.CodeRefused):
        verify(user, phone.recovery_codes[3])

    assert known.codes_left(user.pk) == 9
    assert "recovery_code.used" in actions()


def test_a_recovery_code_of_another_person_is_refused(user):
    enrolled(user)
    other = enrolled(access.user("baraka@example.test"))

    with pytest.raises(second_factors.CodeRefused):
        verify(user, other.recovery_codes[0])

    assert RecoveryCode.objects.exclude(used_at=None).exists() is False


def test_new_recovery_codes_void_the_old_ones(user):
    phone = enrolled(user)

    codes = second_factors.renew_recovery_codes(
        user_id=user.pk, code=phone.code(LATER), actor=actor(user), now=LATER
    )

    at = LATER + timedelta(minutes=1)
    with pytest.raises(second_factors.CodeRefused):
        verify(user, phone.recovery_codes[0], at)
    assert verify(user, codes[0], at + timedelta(seconds=2))
    assert known.codes_left(user.pk) == 9


def test_new_recovery_codes_need_a_right_code(user):
    phone = enrolled(user)

    with pytest.raises(second_factors.CodeRefused):
        second_factors.renew_recovery_codes(
            user_id=user.pk, code=phone.wrong_code(LATER), actor=actor(user), now=LATER
        )

    assert verify(user, phone.recovery_codes[0], LATER + timedelta(seconds=2))


def test_is_removed_by_its_owner_with_a_code(user):
    phone = enrolled(user)

    second_factors.remove(user_id=user.pk, code=phone.code(LATER), actor=actor(user), now=LATER)

    assert known.is_enrolled(user.pk) is False
    assert RecoveryCode.objects.exists() is False
    assert actions()[-1] == "second_factor.removed"


def test_is_not_removed_without_one(user):
    enrolled(user)

    with pytest.raises(second_factors.CodeRefused):
        second_factors.remove(user_id=user.pk, code="", actor=actor(user), now=LATER)

    assert known.is_enrolled(user.pk) is True


def test_is_reset_by_the_operator_with_a_reason(user):
    enrolled(user)

    second_factors.reset(user_id=user.pk, reason=" Called back, passport seen ", actor=SYSTEM, now=LATER)

    assert known.is_enrolled(user.pk) is False
    record = PlatformRecord.objects.get(action="second_factor.reset")
    assert (record.reason, record.actor_kind, record.schema) == (
        "Called back, passport seen", "SYSTEM", "public",
    )  # fmt: skip


def test_is_not_reset_without_a_reason_nor_where_there_is_none(user):
    with pytest.raises(second_factors.NotEnrolled):
        second_factors.reset(user_id=user.pk, reason="Lost phone", actor=SYSTEM, now=LATER)
    enrolled(user)
    with pytest.raises(second_factors.ReasonMissing):
        second_factors.reset(user_id=user.pk, reason=" ", actor=SYSTEM, now=LATER)

    assert known.is_enrolled(user.pk) is True


@pytest.mark.parametrize("kind", ["authenticator", "recovery"])
def test_of_two_who_type_one_code_at_once_one_comes_in(transactional_db, kind):
    user = access.user()
    phone: Phone = enrolled(user)
    code = phone.code(LATER) if kind == "authenticator" else phone.recovery_codes[0]
    start, taken = threading.Barrier(2), []

    def come():
        start.wait(timeout=10)
        try:
            verify(user, code)
        except second_factors.CodeRefused:
            taken.append(False)
        else:
            taken.append(True)
        finally:
            connection.close()

    threads = [threading.Thread(target=come) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert sorted(taken) == [False, True]


def test_nobody_resets_his_own(user):
    enrolled(user)

    with pytest.raises(second_factors.OwnSecondFactor):
        second_factors.reset(user_id=user.pk, reason="Lost phone", actor=actor(user), now=LATER)

    assert known.is_enrolled(user.pk) is True
    assert "second_factor.reset" not in actions()


def both_wait():
    """Return when two connections wait for a lock."""
    until = monotonic() + 20
    with connection.cursor() as cursor:
        waiting = 0
        while waiting < 2 and monotonic() < until:
            sleep(0.05)
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            waiting = cursor.fetchone()[0]
    assert waiting == 2


def test_of_two_renewals_at_once_ten_codes_are_left(transactional_db):
    user = access.user()
    phone, refused = enrolled(user), []

    def renew(code):
        try:
            second_factors.renew_recovery_codes(user_id=user.pk, code=code, actor=actor(user), now=LATER)
        except second_factors.CodeRefused:
            refused.append(code)
        finally:
            connection.close()

    threads = [threading.Thread(target=renew, args=[code]) for code in phone.recovery_codes[:2]]
    with transaction.atomic():
        list(RecoveryCode.objects.select_for_update().order_by("id")[2:])
        for thread in threads:
            thread.start()
        both_wait()
    for thread in threads:
        thread.join(timeout=30)

    assert len(refused) <= 1  # who comes to his code after the other's renewal finds it void
    assert known.codes_left(user.pk) == 10
