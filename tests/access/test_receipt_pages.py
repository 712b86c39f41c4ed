"""Receipts in the portal and on paper: numbers masked on screen, times of the organisation."""

import pytest
from django.test import Client
from django.utils import timezone

from apps.invoicing import rendering
from apps.invoicing.models import Document
from tests.factories import access as make
from tests.isolation import twins


@pytest.fixture(scope="module")
def populated(lay):
    lay(twins.populate)


@pytest.fixture
def receipt(populated, acme):
    return Document.objects.get()


@pytest.mark.parametrize("path", ["", "{}/change/", "?q={}"])
def test_shows_no_phone_number_in_full(receipt, path):
    browser = Client(headers={"host": "acme.testserver"})
    browser.force_login(make.member("accountant").user)

    page = browser.get(f"/portal/invoicing/document/{path.format(receipt.id)}").content.decode()

    assert receipt.payer_phone[-9:] not in page
    assert receipt.payer_phone not in page


def test_the_page_of_a_receipt_shows_the_masked_number(receipt):
    browser = Client(headers={"host": "acme.testserver"})
    browser.force_login(make.member("accountant").user)

    page = browser.get(f"/portal/invoicing/document/{receipt.id}/change/").content.decode()

    assert f"{receipt.payer_phone[4:7]} \N{BULLET}\N{BULLET}\N{BULLET} {receipt.payer_phone[-3:]}" in page


def test_a_receipt_says_when_it_was_issued_in_the_zone_of_the_organisation(receipt):
    with timezone.override("Pacific/Auckland"):
        page = rendering.receipt_html(receipt)

    assert "Issued 24 Nov 2026, 10:40." in page
