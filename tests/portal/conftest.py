"""People at the portal's door."""

from collections.abc import Callable
from copy import deepcopy

import pytest
from django.test import Client

from tests.factories import access
from tests.portal.story import Story, tell

HOST = "acme.testserver"
type Visit = Callable[..., Client]


@pytest.fixture(scope="module")
def told(lay) -> Story:
    return lay(tell)


@pytest.fixture
def story(told, acme) -> Story:
    """Give what was told once for all tests of the file."""
    return deepcopy(told)


@pytest.fixture
def enter(acme) -> Visit:
    """Return a function that signs a new member in and gives his browser."""

    def signed_in(role: str = "owner", *, email: str = "amina@example.test", branches: tuple = ()) -> Client:
        access.member(role, email, branches)
        client = Client(headers={"host": HOST})
        assert client.login(username=email, password=access.PASSWORD)
        return client

    return signed_in
