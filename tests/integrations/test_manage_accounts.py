"""Provider accounts: terms, limits, secrets and who serves which branch."""

import dataclasses
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction

from apps.audit.models import AuditRecord
from apps.integrations import registry
from apps.integrations.admin.account_form import AccountForm
from apps.integrations.contracts import (
    Environment,
    ProviderAccountMissing,
    ShortCodeType,
    provider_choices,
    provider_name,
)
from apps.integrations.models import ProviderAccount
from apps.integrations.mpesa.provider import PRODUCTION_URL, MpesaCredentials
from apps.integrations.selectors import accounts as stored
from apps.integrations.services import accounts
from apps.kit import crypto, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import Method
from tests.factories import access
from tests.factories.integrations import (
    CREDENTIALS,
    NOW,
    provider_account,
    terms,
)
from tests.payments.test_two_connections import at_once


def test_opens_an_account_with_a_token_that_spells_nothing(acme):
    account = provider_account()

    assert account.is_enabled
    assert (account.minimum, account.maximum) == (Money(1_00, "KES"), Money(250_000_00, "KES"))
    assert len(account.callback_token) == 32
    assert set(account.callback_token) <= set("0123456789abcdef")
    assert AuditRecord.objects.get(action="provider_account.create").object_id == str(account.id)


@pytest.mark.parametrize(
    ("minor", "fee"), [(100_00, 55), (1_00, 1), (90, 0), (91, 1), (1_500_00, 8_25), (0, 0)]
)
def test_the_fee_is_rounded_half_up_to_the_cent(acme, minor, fee):
    account = provider_account()

    assert account.fee(Money(minor, "KES")) == Money(fee, "KES")


def test_no_secret_stands_in_the_row_the_audit_trail_or_a_representation(acme):
    account = provider_account()

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT row_to_json(a)::text, encode(sealed_credentials, 'escape') FROM integrations_provideraccount a"
        )
        row = "".join(cursor.fetchone())
    trail = "".join(str(record.changes) for record in AuditRecord.objects.all())
    for secret in CREDENTIALS.secrets:
        assert secret not in row
        assert secret not in trail
        assert secret not in repr(CREDENTIALS)
        assert secret not in repr(account.__dict__)
    assert accounts.open_credentials(account) == CREDENTIALS


def test_sealed_secrets_open_in_their_own_row_and_organisation_only(acme, in_organisation):
    account = provider_account()
    sealed, own_id = account.sealed_credentials, account.id

    account.id = ids.new()
    with pytest.raises(crypto.Unreadable):
        accounts.open_credentials(account)

    in_organisation("zuri")
    account.id, account.sealed_credentials = own_id, sealed
    with pytest.raises(crypto.Unreadable):
        accounts.open_credentials(account)


def test_new_secrets_replace_all_old_ones(acme):
    account = provider_account()
    fresh = dataclasses.replace(CREDENTIALS, passkey="another", initiator_password="")
    later = NOW.replace(hour=9)

    accounts.change(account_id=account.id, terms=terms(), credentials=fresh, actor=SYSTEM, now=later)

    account.refresh_from_db()
    assert accounts.open_credentials(account) == fresh
    assert account.credentials_set_at == later
    assert AuditRecord.objects.get(action="provider_account.replace_credentials").changes == {}


def test_old_secrets_never_go_to_a_new_address(acme):
    account = provider_account()
    moved = terms(base_url="https://other.example.test")

    with pytest.raises(accounts.AccountTermsInvalid) as refusal:
        accounts.change(account_id=account.id, terms=moved, actor=SYSTEM, now=NOW)

    account.refresh_from_db()
    assert [error.pointer for error in refusal.value.errors] == ["/base_url"]
    assert account.base_url == "https://sandbox.safaricom.co.ke"
    accounts.change(account_id=account.id, terms=moved, credentials=CREDENTIALS, actor=SYSTEM, now=NOW)
    account.refresh_from_db()
    assert account.base_url == "https://other.example.test"


@pytest.mark.parametrize(
    "changes",
    [
        {"short_code": "600200"},
        {"environment": Environment.PRODUCTION},
        {"short_code_type": ShortCodeType.TILL, "till_number": "567890"},
    ],
)
def test_what_identifies_an_account_is_fixed(acme, changes):
    account = provider_account()

    with pytest.raises(accounts.AccountTermsInvalid) as refusal:
        accounts.change(account_id=account.id, terms=terms(**changes), actor=SYSTEM, now=NOW)

    assert {error.pointer.strip("/") for error in refusal.value.errors} == set(changes)
    assert not AuditRecord.objects.filter(action="provider_account.change").exists()


def test_secrets_that_cannot_collect_are_refused(acme):
    with pytest.raises(accounts.AccountTermsInvalid):
        provider_account(credentials=MpesaCredentials("key", "", "passkey"))

    assert not ProviderAccount.objects.exists()


def test_secrets_of_another_provider_are_refused(acme):
    @dataclasses.dataclass(frozen=True)
    class Foreign:
        api_key: str = "key"
        secrets = ("key",)
        is_complete = True

    with pytest.raises(accounts.AccountTermsInvalid) as refusal:
        provider_account(credentials=Foreign())

    assert refusal.value.detail == ("To collect money M-Pesa needs: consumer key, consumer secret, passkey.")
    assert not ProviderAccount.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"provider": "elsewhere"}, "provider"),
        ({"label": "  "}, "label"),
        ({"currency": "USD"}, "currency"),
        ({"short_code": "1234"}, "short_code"),
        ({"short_code": "12345678"}, "short_code"),
        ({"short_code": "12a45"}, "short_code"),
        ({"short_code": "١٢٣٤٥"}, "short_code"),
        ({"till_number": "567890"}, "till_number"),
        ({"short_code_type": ShortCodeType.TILL}, "till_number"),
        ({"base_url": "http://sandbox.safaricom.co.ke"}, "base_url"),
        ({"base_url": "https://api.safaricom.co.ke"}, "base_url"),
        ({"base_url": "https://API.safaricom.co.ke.:443/x"}, "base_url"),
        ({"base_url": "https://[::1"}, "base_url"),
        ({"base_url": "https://"}, "base_url"),
        ({"environment": Environment.PRODUCTION, "base_url": PRODUCTION_URL}, "environment"),
        ({"environment": Environment.SIMULATOR}, "base_url"),
        ({"fee_bps": -1}, "fee_bps"),
        ({"fee_bps": 10_000}, "fee_bps"),
        ({"minimum_minor": 50}, "minimum"),
        ({"maximum_minor": 99}, "maximum"),
        ({"certificate": "nonsense"}, "certificate"),
    ],
)
def test_terms_that_cannot_work_are_refused_by_field(acme, changes, field):
    with pytest.raises(accounts.AccountTermsInvalid) as refusal:
        provider_account(**changes)

    assert [error.pointer for error in refusal.value.errors] == [f"/{field}"]
    assert not ProviderAccount.objects.exists()
    assert not AuditRecord.objects.filter(object_type="provider_account").exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"environment": Environment.SANDBOX}, "environment"),
        ({"base_url": "https://sandbox.safaricom.co.ke"}, "base_url"),
        ({"base_url": "https://api.safaricom.co.ke.example.test"}, "base_url"),
        ({"base_url": "https://api.safaricom.co.ke@example.test"}, "base_url"),
    ],
)
def test_a_live_organisation_has_accounts_of_production_only(zuri, changes, field):
    live = {"environment": Environment.PRODUCTION, "base_url": PRODUCTION_URL}

    with pytest.raises(accounts.AccountTermsInvalid) as refusal:
        provider_account(**{**live, **changes})

    assert f"/{field}" in [error.pointer for error in refusal.value.errors]
    assert provider_account(**live).is_enabled


def test_every_wrong_field_is_named_at_once(acme):
    with pytest.raises(accounts.AccountTermsInvalid) as refusal:
        provider_account(short_code="x", fee_bps=-1)

    assert [error.pointer for error in refusal.value.errors] == ["/short_code", "/fee_bps"]


def test_the_simulator_is_reached_below_its_own_address_only(acme, settings):
    settings.TREASURY = {**settings.TREASURY, "SIMULATOR_URL": "http://127.0.0.1:4010"}
    right = terms(environment=Environment.SIMULATOR, base_url="http://127.0.0.1:4010/daraja/")

    account = accounts.create(terms=right, credentials=CREDENTIALS, actor=SYSTEM, now=NOW)

    assert account.base_url == "http://127.0.0.1:4010/daraja"
    for base_url in ("http://127.0.0.1:4011/daraja", "http://127.0.0.1:40101/daraja", "https://example.test"):
        with pytest.raises(accounts.AccountTermsInvalid):
            accounts.create(
                terms=dataclasses.replace(right, base_url=base_url, short_code="600200"),
                credentials=CREDENTIALS,
                actor=SYSTEM,
                now=NOW,
            )


def test_a_short_code_is_there_once(acme):
    provider_account()

    with pytest.raises(accounts.ProviderAccountExists):
        provider_account(access.branch())

    assert ProviderAccount.objects.count() == 1


def test_the_list_of_a_store_with_several_tills_is_read_for_none_of_them(acme):
    store = {"short_code": "600999", "short_code_type": ShortCodeType.TILL}
    listed = {"is_pull_enabled": True, "pull_number": "0722000000"}
    alone = provider_account(till_number="700001", **store, **listed)

    with pytest.raises(accounts.AccountTermsInvalid) as second:
        provider_account(access.branch(), till_number="700002", **store)
    unlisted = terms(till_number="700001", **store)
    accounts.change(account_id=alone.id, terms=unlisted, actor=SYSTEM, now=NOW)
    provider_account(access.branch(), till_number="700002", **store)
    again_listed = dataclasses.replace(unlisted, **listed)
    with pytest.raises(accounts.AccountTermsInvalid) as again:
        accounts.change(account_id=alone.id, terms=again_listed, actor=SYSTEM, now=NOW)

    assert [refusal.value.errors[0].pointer for refusal in (second, again)] == [
        "/till_number",
        "/is_pull_enabled",
    ]
    assert not ProviderAccount.objects.filter(is_pull_enabled=True).exists()


@pytest.mark.parametrize("first", ["paybill", "till"])
def test_the_list_of_a_paybill_is_not_read_beside_a_till_of_the_same_store(acme, first):
    paybill = {"short_code": "600999", "is_pull_enabled": True, "pull_number": "0722000000"}
    till = {"short_code": "600999", "short_code_type": ShortCodeType.TILL, "till_number": "700001"}
    second, pointer = (till, "/till_number") if first == "paybill" else (paybill, "/is_pull_enabled")
    provider_account(**(paybill if first == "paybill" else till))

    with pytest.raises(accounts.AccountTermsInvalid) as refusal:
        provider_account(access.branch(), **second)

    assert (refusal.value.errors[0].pointer, refusal.value.errors[0].code) == (pointer, "list_shared")
    assert ProviderAccount.objects.count() == 1


PAYBILL = {"short_code": "600999", "is_pull_enabled": True, "pull_number": "0722000000"}
TILL = {"short_code": "600999", "short_code_type": ShortCodeType.TILL, "till_number": "700001"}


@pytest.mark.parametrize(
    ("first", "second", "pointer"),
    [(PAYBILL, TILL, "/is_pull_enabled"), (TILL, PAYBILL, "/till_number")],
    ids=["listed", "unlisted"],
)
def test_a_disabled_account_is_in_nobodys_way_before_it_is_enabled_again(acme, first, second, pointer):
    disabled = provider_account(**first)
    accounts.disable(account_id=disabled.id, actor=SYSTEM, now=NOW)
    account = provider_account(access.branch(), **second)
    renamed = terms(**first, label="Closed")
    accounts.change(account_id=disabled.id, terms=renamed, actor=SYSTEM, now=NOW)

    with pytest.raises(accounts.AccountTermsInvalid) as refusal:
        accounts.enable(account_id=disabled.id, actor=SYSTEM, now=NOW)

    assert (refusal.value.errors[0].pointer, refusal.value.errors[0].code) == (pointer, "list_shared")
    assert not ProviderAccount.objects.get(id=disabled.id).is_enabled
    assert not AuditRecord.objects.filter(action="provider_account.enable").exists()
    accounts.disable(account_id=account.id, actor=SYSTEM, now=NOW)
    assert accounts.enable(account_id=disabled.id, actor=SYSTEM, now=NOW).is_enabled
    with pytest.raises(accounts.AccountTermsInvalid):
        accounts.enable(account_id=account.id, actor=SYSTEM, now=NOW)


def test_of_two_accounts_that_would_share_a_list_one_is_enabled_however_fast(committed_acme):
    pair = []
    for facts in (PAYBILL, TILL):
        pair.append(provider_account(**facts))
        accounts.disable(account_id=pair[-1].id, actor=SYSTEM, now=NOW)

    def enable(account):
        try:
            return accounts.enable(account_id=account.id, actor=SYSTEM, now=NOW)
        except accounts.AccountTermsInvalid:
            return None

    results = at_once(*(partial(enable, account) for account in pair))

    assert results.count(None) == 1
    assert ProviderAccount.objects.filter(is_enabled=True).count() == 1


def test_of_several_enabled_accounts_of_a_branch_the_oldest_collects(acme):
    first = provider_account()
    second = provider_account(short_code="600200")
    asked = {"branch_id": first.branch_id, "provider": "mpesa", "currency": "KES"}

    assert stored.for_collection(**asked) == first
    accounts.disable(account_id=first.id, actor=SYSTEM, now=NOW)
    assert stored.for_collection(**asked) == second
    accounts.enable(account_id=first.id, actor=SYSTEM, now=NOW)
    assert stored.for_collection(**asked) == first


def test_the_database_holds_the_same_rules(acme):
    account = provider_account()

    for wrong in (
        {"fee_bps": 10_000},
        {"minimum_minor": 0},
        {"maximum_minor": 99},
        {"short_code": "12"},
        {"till_number": "567890"},
        {"environment": "MOON"},
        {"callback_token": "mpesa"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            ProviderAccount.objects.filter(id=account.id).update(**wrong)


def test_changes_are_recorded_and_a_repeat_is_not(acme):
    account = provider_account()
    changed = terms(fee_bps=100)

    accounts.change(account_id=account.id, terms=changed, actor=SYSTEM, now=NOW)
    accounts.change(account_id=account.id, terms=changed, actor=SYSTEM, now=NOW)

    account.refresh_from_db()
    assert account.fee_bps == 100
    assert AuditRecord.objects.get(action="provider_account.change").changes == {"fee_bps": [55, 100]}


def test_a_branch_is_served_by_its_own_account_else_by_head_office(acme):
    branch = access.branch()
    office = provider_account()

    assert stored.for_collection(branch_id=branch.id, provider="mpesa", currency="KES") == office
    own = provider_account(branch, short_code="600200")
    assert stored.for_collection(branch_id=branch.id, provider="mpesa", currency="KES") == own
    accounts.disable(account_id=own.id, actor=SYSTEM, now=NOW)
    assert stored.for_collection(branch_id=branch.id, provider="mpesa", currency="KES") == office


@pytest.mark.parametrize(("provider", "currency"), [("stripe", "KES"), ("mpesa", "USD")])
def test_without_a_fitting_account_nobody_serves(acme, provider, currency):
    office = provider_account()

    with pytest.raises(ProviderAccountMissing):
        stored.for_collection(branch_id=office.branch_id, provider=provider, currency=currency)


def test_a_member_of_one_branch_sees_its_accounts_only(acme):
    branch = access.branch()
    provider_account()
    own = provider_account(branch, short_code="600200")
    everywhere = access.member().user
    here = access.member(email="juma@example.test", branches=(branch,)).user

    assert stored.visible_to(everywhere).count() == 2
    assert list(stored.visible_to(here)) == [own]


def test_an_account_of_one_organisation_is_not_in_another(acme, in_organisation):
    account = provider_account()

    in_organisation("zuri")

    with pytest.raises(ProviderAccountMissing):
        stored.get(account.id)


@pytest.mark.parametrize(
    ("slug", "name"), [("mpesa", "M-Pesa"), ("MPESA", "M-Pesa"), ("elsewhere", "Elsewhere")]
)
def test_a_provider_is_called_by_one_name(slug, name):
    assert provider_name(slug) == name


def test_a_method_of_payment_names_a_provider_that_has_accounts():
    assert {method.provider for method in Method} <= set(dict(provider_choices()))


def test_every_provider_says_what_its_accounts_need():
    for provider in registry.providers().values():
        assert set(provider.secret_texts) == set(provider.secret_names) <= set(AccountForm.base_fields)
        assert provider.terms <= set(accounts.SPECIAL)
