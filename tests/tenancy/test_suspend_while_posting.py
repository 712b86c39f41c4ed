"""Suspend while posting: money that is being booked is booked once, and the next request of a product is refused."""

import threading
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client

from apps.kit import faults, schema
from apps.kit.actors import SYSTEM
from apps.ledger.models import Transaction
from apps.payments.contracts import IntentStatus
from apps.payments.services import intents
from apps.tenancy.models import Organisation
from apps.tenancy.services import organisations
from tests.factories import access, payments
from tests.factories.access import bearer

REASON = "The contract is being looked at"


@pytest.fixture
def acme_of_today(committed_acme) -> Iterator[Organisation]:
    """Give acme, and open it again afterwards: its row is not emptied as its schema is."""
    yield committed_acme
    schema.leave()
    Organisation.objects.filter(id=committed_acme.id).update(status="READY")


def test_what_is_being_booked_is_booked_once_and_the_next_request_is_refused(acme_of_today):
    secret = access.issued().secret
    first, attempt = payments.waiting(), payments.waiting()
    intents.record(attempt_id=first.id, report=payments.collected(first), actor=SYSTEM, now=payments.NOW)
    report = payments.collected(attempt)
    seen: list[str] = []

    def suspend() -> None:
        """Suspend from a connection of its own, as an operator does."""
        try:
            schema.leave()
            organisations.suspend(
                organisation_id=acme_of_today.id, reason=REASON, actor=SYSTEM, now=payments.NOW
            )
            seen.append(Organisation.objects.get(id=acme_of_today.id).status)
        finally:
            connection.close()

    def meanwhile(point: str) -> None:
        if point == "payments.before_posting":
            other = threading.Thread(target=suspend)
            other.start()
            other.join()

    with faults.hooked(meanwhile):
        intents.record(attempt_id=attempt.id, report=report, actor=SYSTEM, now=payments.NOW)
    intents.record(attempt_id=attempt.id, report=report, actor=SYSTEM, now=payments.NOW)

    assert seen == ["SUSPENDED"]
    assert payments.reload(attempt.intent_id).status == IntentStatus.SUCCEEDED
    assert Transaction.objects.count() == 2
    refused = Client().get("/v1/acme/payments", headers=bearer(secret))
    assert (refused.status_code, refused.json()["code"]) == (403, "organisation_suspended")
