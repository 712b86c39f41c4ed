"""Help people: what an operator does to a person as such, at every organisation."""

import pytest

from apps.accounts.models import PlatformRecord
from apps.accounts.selectors import second_factors
from tests.factories import access
from tests.factories.accounts import enrolled
from tests.operations.operate import OPERATOR, REASON, change


def test_a_lost_second_factor_is_removed_and_the_reason_kept(db):
    user = access.user()
    enrolled(user)

    assert change("user", "reset-second-factor", "AMINA@example.test").code == 0

    assert second_factors.is_enrolled(user.pk) is False
    record = PlatformRecord.objects.get(action="second_factor.reset")
    assert (record.actor_kind, record.actor_id, record.reason) == ("OPERATOR", OPERATOR, REASON)


@pytest.mark.parametrize(
    ("email", "words"),
    [("nobody@example.test", "Nobody signs in"), ("amina@example.test", "has no second factor")],
)
def test_says_what_it_cannot_do(db, email, words):
    access.user()

    done = change("user", "reset-second-factor", email)

    assert (done.code, done.out, words in done.err) == (2, "", True)
    assert f"EMAIL {email}" in done.err
    assert PlatformRecord.objects.exists() is False


def test_a_person_signs_in_nowhere_any_more(db):
    user = access.user()

    assert change("user", "deactivate", "amina@example.test").code == 0

    user.refresh_from_db()
    assert user.is_active is False
    assert PlatformRecord.objects.get(action="user.deactivated").reason == REASON
