"""Accounts at Stripe and PayPal: what cannot work is refused by field, and live keys are for production alone."""

import dataclasses

import pytest

from apps.integrations.contracts import Environment
from apps.integrations.models import ProviderAccount
from apps.integrations.services import accounts
from tests.factories.integrations import (
    PAYPAL_CREDENTIALS,
    STRIPE_CREDENTIALS,
    paypal_account,
    stripe_account,
)

LIVE_KEY = {"api_key": "sk_live_savanna0001"}


@pytest.mark.parametrize(
    ("credentials", "changes", "field"),
    [
        (LIVE_KEY, {}, "api_key"),
        ({"api_key": "pk_test_savanna0001"}, {}, "api_key"),
        ({"webhook_secret": "secret"}, {}, "webhook_secret"),
        ({}, {"short_code": "600100"}, "short_code"),
        ({}, {"base_url": "https://elsewhere.example.com"}, "base_url"),
        ({}, {"till_number": "567890"}, "till_number"),
        ({}, {"is_pull_enabled": True}, "is_pull_enabled"),
    ],
)
def test_a_stripe_account_that_cannot_work_is_refused_by_field(acme, credentials, changes, field):
    with pytest.raises(accounts.AccountTermsInvalid) as refusal:
        stripe_account(credentials=dataclasses.replace(STRIPE_CREDENTIALS, **credentials), **changes)

    assert [error.pointer for error in refusal.value.errors] == [f"/{field}"]
    assert not ProviderAccount.objects.exists()


@pytest.mark.parametrize(
    ("credentials", "changes", "field"),
    [
        ({"webhook_id": "https://pay.example.test/hooks"}, {}, "webhook_id"),
        ({}, {"short_code": "acct_1Savanna0001"}, "short_code"),
        ({}, {"till_number": "567890"}, "till_number"),
        ({}, {"currency": "KES"}, "currency"),
    ],
)
def test_a_paypal_account_that_cannot_work_is_refused_by_field(acme, credentials, changes, field):
    with pytest.raises(accounts.AccountTermsInvalid) as refusal:
        paypal_account(credentials=dataclasses.replace(PAYPAL_CREDENTIALS, **credentials), **changes)

    assert [error.pointer for error in refusal.value.errors] == [f"/{field}"]
    assert field != "currency" or "nothing is converted unasked" in refusal.value.errors[0].message
    assert not ProviderAccount.objects.exists()


def test_keys_of_live_money_are_for_production_alone(zuri):
    live = dataclasses.replace(STRIPE_CREDENTIALS, **LIVE_KEY)

    account = stripe_account(credentials=live, environment=Environment.PRODUCTION)
    with pytest.raises(accounts.AccountTermsInvalid) as refusal:
        stripe_account(environment=Environment.PRODUCTION, currency="EUR")

    assert accounts.open_credentials(account) == live
    assert [error.pointer for error in refusal.value.errors] == ["/api_key"]


def test_a_restricted_key_will_do(acme):
    restricted = dataclasses.replace(STRIPE_CREDENTIALS, api_key="rk_test_savanna0001")

    assert accounts.open_credentials(stripe_account(credentials=restricted)) == restricted


def test_one_number_at_stripe_has_an_account_for_each_currency(acme):
    dollars, euros = stripe_account(), stripe_account(currency="EUR")

    assert (dollars.short_code, dollars.number) == (euros.short_code, euros.number)
    with pytest.raises(accounts.ProviderAccountExists):
        stripe_account(currency="EUR")
