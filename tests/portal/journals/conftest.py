"""Accounts that journals name, and who types them."""

from copy import deepcopy

import pytest
from django.test import Client

from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.ledger.contracts import JOURNAL, AccountRole
from apps.ledger.services import accounts, charts
from tests.factories import access, approvals, ledger
from tests.factories.approvals import ONE_APPROVER
from tests.factories.ledger import NOW


@pytest.fixture(scope="module")
def opened(lay):
    return lay(open_books)


@pytest.fixture
def books(opened, acme):
    """Return the accounts that lines name: rent and the bank at head office, cash in dollars, cash of the city."""
    return deepcopy(opened)


def open_books():
    access.portal()
    office, city = access.head_office(), access.branch("NBO-CBD", "City centre")
    charts.install(actor=SYSTEM, now=NOW)
    approvals.rule(kind=JOURNAL.name, currency="", minimum_minor=None, steps=ONE_APPROVER)
    rent = charts.open_account(code="6110", branch_id=office.id, currency="KES", actor=SYSTEM, now=NOW)

    def opened(role, branch, currency="KES", **facts):
        return accounts.ensure(ref=ledger.ref(role, branch.id, currency, **facts), now=NOW)

    return {
        "rent": rent,
        "bank": accounts.ensure(
            ref=ledger.ref(AccountRole.BANK_BALANCE, office.id, owner_id=ids.new()), now=NOW, name="KCB"
        ),
        "dollars": opened(AccountRole.SUSPENSE, office, "USD"),
        "city": opened(AccountRole.SUSPENSE, city),
    }


@pytest.fixture
def visit(enter, in_organisation):
    """Return a function that signs a member in; after each request of his the test is in the organisation again."""

    class Inside:
        def __init__(self, browser: Client):
            self.browser = browser

        def get(self, *request, **facts):
            return self._entered(self.browser.get, *request, **facts)

        def post(self, *request, **facts):
            return self._entered(self.browser.post, *request, **facts)

        def _entered(self, call, *request, **facts):
            with clock.fixed(NOW):
                answer = call(*request, **facts)
            in_organisation("acme")
            return answer

    def signed_in(role: str = "accountant", **facts):
        with clock.fixed(NOW):
            return Inside(enter(role, **facts))

    return signed_in
