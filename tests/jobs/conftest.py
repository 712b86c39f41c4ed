"""Who exports."""

import pytest

from apps.accounts.models import User
from tests.factories import access


@pytest.fixture
def amina(committed_acme) -> User:
    """Return the owner of acme, in a test that commits."""
    access.head_office()
    access.portal()
    return access.member().user
