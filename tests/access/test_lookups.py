"""What the address of a list may filter by: the list's own filters and nothing else."""

import pytest
from django.contrib import admin
from django.test import Client

from apps.payments.models import PaymentIntent
from tests.factories import access as make


@pytest.fixture
def browser(acme):
    make.head_office()
    make.portal()
    browser = Client(headers={"host": "acme.testserver"})
    browser.force_login(make.member("owner").user)
    return browser


@pytest.mark.parametrize(
    "path",
    [
        "integrations/providercallback/?token__startswith=a",
        "integrations/providercallback/?token=a",
        "integrations/providercallback/?body__contains=a",
        "integrations/provideraccount/?callback_token__startswith=a",
        "integrations/providercall/?account__callback_token__startswith=a",
        "payments/paymentintent/?payer_phone__startswith=%2B2547",
        "payments/paymentintent/?status__startswith=U",
        "payments/paymentintent/?attempts__payer_phone__startswith=%2B2547",
        "invoicing/document/?payer_phone__startswith=%2B2547",
        "access/apikey/?digest__startswith=a",
        "access/apikey/?application__name__startswith=a",
        "access/membership/?user__password__startswith=a",
    ],
)
def test_an_address_filters_by_no_hidden_field(browser, path):
    assert browser.get(f"/portal/{path}").status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "payments/paymentintent/?status__in=UNKNOWN,IN_REVIEW",
        "payments/paymentintent/?status=FAILED&closed=today",
        "payments/paymentintent/?status=FAILED&created_at__gte=2026-11-24T00:00:00%2B03:00",
        "payments/paymentintent/?q=INV-1&before=0",
        "access/membership/?is_active__exact=1",
        "integrations/providercallback/?kind=collection&status=APPLIED",
        "ledger/account/?branch__id__exact=018f0000-0000-7000-8000-000000000000",
    ],
)
def test_filters_and_saved_views_work(browser, path):
    assert browser.get(f"/portal/{path}").status_code == 200


def test_the_names_of_a_range_filter_are_allowed(rf):
    page = admin.site._registry[PaymentIntent]

    for name in ("created_at_from", "created_at_to"):
        assert page.lookup_allowed(name, "2026-11-01", rf.get("/")) is True
