"""Busy pages: what is said where another connection has what a page or a dialog needs."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.ledger.contracts import AccountRef, AccountRole, LateItems
from apps.ledger.models import Book
from tests.conftest import owner
from tests.dialogs import hidden, open_at
from tests.factories import access, ledger
from tests.portal.conftest import HOST

RATES = "/portal/ledger/rates/"


@pytest.fixture
def client(committed_acme) -> Client:
    access.head_office()
    access.member("owner", "amina@example.test", ())
    client = Client(headers={"host": HOST}, raise_request_exception=False)
    assert client.login(username="amina@example.test", password=access.PASSWORD)
    return client


@contextmanager
def somebody_has(table: str) -> Iterator[None]:
    """Hold a table, and wait a twentieth of a second for it instead of three."""
    with owner() as other, connection.cursor() as cursor:
        other.execute(f"LOCK TABLE org_acme.{table}")
        cursor.execute("SET lock_timeout = '50ms'")
        try:
            yield
        finally:
            cursor.execute("RESET lock_timeout")
            other.rollback()


def test_a_page_says_that_it_could_not_be_read_in_time(client):
    with somebody_has("ledger_fxrate"):
        answer = client.get(RATES)

    assert answer.status_code == 503
    assert "could not be done in time" in answer.content.decode()
    assert client.get(RATES).status_code == 200


def test_a_dialog_says_it_too_and_nothing_is_done(client, committed_acme):
    ledger.post(ledger.transfer(*accounts(), 1_00))
    url = reverse("portal-book-late-items")
    form = {**hidden(open_at(client, url)), "policy": "NEXT_OPEN", "reason": "Decided by the CFO"}

    with somebody_has("audit_auditrecord"):
        answer = client.post(url, form, headers={"hx-request": "true"})

    assert answer.status_code == 503
    assert "could not be done in time" in answer.content.decode()
    connection.set_tenant(committed_acme)
    assert Book.objects.get().late_items == LateItems.REJECT
    assert client.post(url, form, headers={"hx-request": "true"}).status_code == 204
    connection.set_tenant(committed_acme)
    assert Book.objects.get().late_items == LateItems.NEXT_OPEN


def accounts() -> list[AccountRef]:
    branch = ledger.branch()
    return [ledger.ref(role, branch.id) for role in (AccountRole.CASH, AccountRole.REVENUE)]
