"""What the tests of settings start."""

from collections.abc import Callable, Iterator

import pytest

from tests.deploy import production


@pytest.fixture(scope="session")
def start() -> Iterator[Callable[..., str]]:
    with production.starting() as started:
        yield started
