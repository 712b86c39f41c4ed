"""Accounts that the ledger's tests share."""

import pytest

from apps.access.models import Branch
from apps.kit import ids
from apps.ledger.contracts import AccountRef, AccountRole
from tests.factories import ledger


@pytest.fixture
def branch(acme) -> Branch:
    return ledger.branch()


@pytest.fixture
def balance(branch) -> AccountRef:
    return ledger.ref(AccountRole.PROVIDER_BALANCE, branch.id, owner_id=ids.new(), name="M-Pesa Westlands")


@pytest.fixture
def fees(branch) -> AccountRef:
    return ledger.ref(AccountRole.PROVIDER_FEES, branch.id)


@pytest.fixture
def unapplied(branch) -> AccountRef:
    return ledger.ref(AccountRole.UNAPPLIED_COLLECTIONS, branch.id)


@pytest.fixture
def suspense(branch) -> AccountRef:
    return ledger.ref(AccountRole.SUSPENSE, branch.id)
