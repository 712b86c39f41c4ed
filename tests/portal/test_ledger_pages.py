"""The ledger explorer: from balance to entry to source, each step a link, each sum the same."""

import re
from datetime import timedelta

from django.urls import reverse

from apps.kit import clock
from apps.ledger.contracts import AccountRole
from apps.ledger.selectors import accounts
from apps.portal.selectors import ledger
from tests.factories import access
from tests.portal.story import NOW

LATER = NOW + timedelta(hours=1)


def account(role, branch):
    return next(a for a in accounts.with_balances(role=role) if a.branch_id == branch.id)


def test_leads_from_balance_to_entry_to_source(story, enter):
    client = enter("owner")
    shown = account(AccountRole.PROVIDER_BALANCE, story.head_office)

    overview = client.get(reverse("portal-accounts")).content.decode()
    assert reverse("portal-account", args=[shown.uid]) in overview

    page = client.get(reverse("portal-account", args=[shown.uid])).content.decode()
    links = re.findall(r'href="(/portal/ledger/transactions/[^"]+)"', page)
    transaction = client.get(links[-1]).content.decode()

    assert "NLJ7RT61SV" in transaction
    assert reverse("portal-payment", args=[story.paid]) in transaction
    assert "Balanced, KES" in transaction


def test_running_balance_ends_with_the_balance(story, enter):
    client = enter("owner")
    shown = account(AccountRole.PROVIDER_BALANCE, story.head_office)

    with clock.fixed(LATER):
        html = client.get(reverse("portal-account", args=[shown.uid])).content.decode()

    assert 'data-amount="14925.00"' in html
    assert "14,925.00" in html
    assert "1,492.50" in html


def test_month_foots_for_debit_and_credit_accounts(story):
    for role in AccountRole:
        for shown in accounts.with_balances(role=role):
            month = ledger.month(shown, now=LATER)
            change = month.money_in - month.money_out

            assert month.opening + (change if shown.is_debit_normal else -change) == month.balance


def test_books_balance_over_all_branches_and_prove_nothing_for_one(story):
    owner = access.member().user
    clerk = access.member("accountant", "brian@example.test", branches=(story.other_branch,)).user

    (proof,) = ledger.proof(accounts.with_balances(owner), owner)

    assert proof.difference.is_zero
    assert proof.debits.text == "17500.00"
    assert ledger.proof(accounts.with_balances(clerk), clerk) == ()


def test_role_narrows_the_accounts(story, enter):
    client = enter("owner")

    html = client.get(reverse("portal-accounts"), {"role": "SUSPENSE"}).content.decode()

    assert "13,500.00" in html
    assert "M-Pesa paybill" not in html
    assert client.get(reverse("portal-accounts"), {"role": "NONSENSE"}).status_code == 200


def test_cursor_that_is_none_starts_at_the_newest(story, enter):
    client = enter("owner")
    shown = account(AccountRole.PROVIDER_BALANCE, story.head_office)

    response = client.get(reverse("portal-account", args=[shown.uid]), {"before": "1;drop"})

    assert response.status_code == 200
    assert "NLJ7RT61SV" in response.content.decode()


def test_account_of_another_branch_is_named_in_a_transaction_and_not_linked(story, enter):
    client = enter("accountant", branches=(story.other_branch,))
    foreign = account(AccountRole.PROVIDER_BALANCE, story.head_office)

    assert client.get(reverse("portal-account", args=[foreign.uid])).status_code == 404
