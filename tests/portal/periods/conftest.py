"""A year of periods with money in it, and who reads and closes them."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection

from apps.kit import clock, ids
from apps.ledger.contracts import AccountRole
from tests.factories import access, fx, ledger
from tests.factories import periods as make
from tests.portal.periods.steps import SOON, acme_again


@pytest.fixture(autouse=True)
def soon(acme):
    access.head_office()
    access.portal()
    with clock.fixed(SOON):
        yield


@pytest.fixture
def booked(acme):
    """Money that arrived in January, a fee that was paid from it, and a year of periods."""
    branch = access.head_office()
    balance = ledger.ref(AccountRole.PROVIDER_BALANCE, branch.id, owner_id=ids.new(), name="M-Pesa Westlands")
    fees = ledger.ref(AccountRole.PROVIDER_FEES, branch.id)
    sales = ledger.ref(AccountRole.REVENUE, branch.id)
    ledger.post(ledger.transfer(balance, sales, 70_00, effective_date=date(2026, 1, 14)))
    ledger.post(ledger.transfer(fees, balance, 4_00, effective_date=date(2026, 1, 15)))
    make.months()
    return balance, fees


@pytest.fixture
def controller(enter, booked):
    client = enter("controller")
    connection.set_tenant(acme_again())
    return client


@pytest.fixture
def dollars(booked):
    """A sale of USD 100.00 at 129.5, and the rate of the end of January."""
    branch = access.head_office()
    fx.rate("129.5", as_of=datetime(2026, 1, 13, tzinfo=UTC))
    refs = fx.bank("USD", branch.id), ledger.ref(AccountRole.REVENUE, branch.id, "USD")
    ledger.post(
        ledger.transfer(*refs, 100_00, effective_date=date(2026, 1, 14)),
        now=datetime(2026, 1, 14, 9, tzinfo=UTC),
    )
    return fx.rate("131", as_of=datetime(2026, 1, 31, 9, tzinfo=UTC))
