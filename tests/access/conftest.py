"""Who onboards, and whom."""

import pytest

from tests.factories import access, onboarding


@pytest.fixture
def owner(acme):
    """Make amina the owner of acme, and stay there."""
    access.head_office()
    access.portal()
    return access.member()


@pytest.fixture
def books(owner):
    """Return an accepted application of the directory, with acme as the organisation that is entered."""
    return onboarding.registered()
