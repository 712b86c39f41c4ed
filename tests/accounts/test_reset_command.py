"""Reset second factor, from the command line."""

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import PlatformRecord
from apps.accounts.selectors import second_factors
from tests.factories import access
from tests.factories.accounts import enrolled

REASON = "Called back on the number in the contract"


def test_removes_it_and_keeps_the_reason(db):
    user = access.user()
    enrolled(user)

    call_command("reset_second_factor", "AMINA@example.test", "--reason", REASON)

    assert second_factors.is_enrolled(user.pk) is False
    assert PlatformRecord.objects.get(action="second_factor.reset").reason == REASON


@pytest.mark.parametrize(
    ("email", "words"),
    [("nobody@example.test", "Nobody signs in"), ("amina@example.test", "has no second factor")],
)
def test_says_what_it_cannot_do(db, email, words):
    access.user()

    with pytest.raises(CommandError, match=words):
        call_command("reset_second_factor", email, "--reason", REASON)

    assert PlatformRecord.objects.exists() is False
