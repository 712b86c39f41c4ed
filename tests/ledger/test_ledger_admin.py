"""The ledger in the organisation's admin: finance reads it, nobody writes it."""

import pytest
from django.contrib import admin
from django.test import RequestFactory

from apps.ledger.models import Account, Transaction
from tests.factories import access, ledger


@pytest.fixture
def request_of(acme):
    def make(role: str):
        request = RequestFactory().get("/")
        request.user = access.member(role, f"{role}@example.test").user
        return request

    return make


@pytest.mark.parametrize("model", [Account, Transaction])
def test_readers_read_and_nobody_writes(request_of, model):
    page = admin.site.get_model_admin(model)
    reader, stranger = request_of("accountant"), request_of("support")

    assert [page.has_view_permission(request) for request in (reader, stranger)] == [True, False]
    assert not any(
        may(reader)
        for may in (page.has_add_permission, page.has_change_permission, page.has_delete_permission)
    )


def test_lists_show_what_stands_on_the_accounts(request_of, balance, unapplied):
    ledger.post(ledger.transfer(balance, unapplied, 12_400_00))
    request = request_of("accountant")

    accounts = admin.site.get_model_admin(Account)
    shown = [accounts.balance(account) for account in accounts.get_queryset(request).order_by("code")]
    assert ["12,400.00" in amount for amount in shown] == [True, True]
    transactions = admin.site.get_model_admin(Transaction)
    assert [transactions.label(row) for row in transactions.get_queryset(request)] == [
        str(Transaction.objects.get())
    ]
