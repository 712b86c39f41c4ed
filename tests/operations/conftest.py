"""What the tests of the operator's commands share: events that can be published, and the owner's database role."""

from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from apps.events.contracts import REGISTRY
from tests import conftest
from tests.events import handlers
from tests.factories.events import INTERNAL_TYPE, PARTNER_TYPE


@pytest.fixture(autouse=True)
def catalogue(monkeypatch, settings) -> None:
    for event_type in (PARTNER_TYPE, INTERNAL_TYPE):
        monkeypatch.setitem(REGISTRY, event_type.name, event_type)
    settings.EVENT_WIRING = "tests.events.handlers.HANDLERS"
    handlers.forget()


@pytest.fixture
def owners_role(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Work as the role that owns the schemas, in a transaction that is taken back: new schemas too."""
    name = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        conftest.use(name, "owner")
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
        conftest.use(name, "app")
