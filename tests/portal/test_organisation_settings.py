"""Organisation settings: what it looks like and counts in, changed by its people."""

import pytest
from django.db import connection
from django.test import Client

from apps.access.services import organisation_settings
from apps.audit.models import AuditRecord
from apps.kit.actors import SYSTEM
from apps.ledger.contracts import AccountRef, AccountRole
from apps.ledger.models import Book
from apps.ledger.services import accounts, periods
from apps.tenancy.contracts import Branding
from apps.tenancy.models import Organisation
from apps.tenancy.selectors import organisations
from apps.tenancy.services import brandings
from tests import dialogs
from tests.factories import access
from tests.factories.access import NOW

PAGE = "/portal/organisation-settings/"
REASON = "Agreed with the board"


def text(browser: Client) -> str:
    answer = browser.get(PAGE)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_owner_changes_the_branding_with_a_preview_and_a_record(enter):
    access.head_office()
    owner = enter()

    sent = dialogs.send(
        owner,
        f"{PAGE}do/branding/",
        brand_color="#A01010",
        email_sender="Acme Payments",
        sms_sender="ACME",
        tax_number="p051234567x",
        support_contact="0709 000 123",
        reason=REASON,
    )

    assert sent.status_code == 204
    page = text(owner)
    assert page.count('fill="#a01010"') == 3
    assert all(words in page for words in ("Acme Payments", ">ACME<", 'fill="#ffffff"'))
    connection.set_tenant(Organisation.objects.get(slug="acme"))
    record = AuditRecord.objects.get(action="organisation.branding_changed")
    assert (record.reason, record.changes) == (
        REASON,
        {
            "brand_color": ["#0e5a6b", "#a01010"],
            "email_sender": ["", "Acme Payments"],
            "sms_sender": ["", "ACME"],
            "tax_number": ["", "P051234567X"],
            "support_contact": ["", "0709 000 123"],
        },
    )


def test_refuses_what_cannot_be_seen_or_sent_and_keeps_nothing(acme):
    wrong = [
        (Branding("#ffff66"), "/brand_color"),
        (Branding("teal"), "/brand_color"),
        (Branding("#0e5a6b", email_sender='Acme" <x@y.test>'), "/email_sender"),
        (Branding("#0e5a6b", email_sender="Acme\nBcc: x@y.test"), "/email_sender"),
        (Branding("#0e5a6b", email_sender="a" * 65), "/email_sender"),
        (Branding("#0e5a6b", sms_sender="LONGER THAN 11"), "/sms_sender"),
        (Branding("#0e5a6b", sms_sender="254712345"), "/sms_sender"),
        (Branding("#0e5a6b", tax_number="P05-1"), "/tax_number"),
        (Branding("#0e5a6b", support_contact="javascript:alert(1)"), "/support_contact"),
    ]

    for branding, pointer in wrong:
        with pytest.raises(brandings.BrandingInvalid) as refused:
            organisation_settings.set_branding(branding=branding, reason=REASON, actor=SYSTEM, now=NOW)
        assert [error.pointer for error in refused.value.errors] == [pointer], branding

    acme.refresh_from_db()
    assert (acme.brand_color, acme.email_sender, acme.sms_sender) == ("#0e5a6b", "", "")
    assert AuditRecord.objects.exists() is False
    unchanged = organisation_settings.set_branding(
        branding=Branding("#0e5a6b"), reason=REASON, actor=SYSTEM, now=NOW
    )
    assert (unchanged, AuditRecord.objects.exists()) == (False, False)


def test_currency_and_zone_are_chosen_before_the_first_booking(enter):
    office = access.head_office()
    owner = enter()
    sent = dialogs.send(
        owner,
        f"{PAGE}do/region/",
        base_currency="UGX",
        time_zone="Africa/Kampala",
        fiscal_year_start="7",
        reason=REASON,
    )
    assert sent.status_code == 204
    connection.set_tenant(Organisation.objects.get(slug="acme"))
    accounts.ensure(ref=AccountRef(AccountRole.SUSPENSE, "UGX", office.id), now=NOW)

    late = dialogs.send(
        owner,
        f"{PAGE}do/region/",
        base_currency="KES",
        time_zone="Africa/Nairobi",
        fiscal_year_start="1",
        reason=REASON,
    )

    assert late.status_code == 409
    page = text(owner)
    assert all(words in page for words in ("UGX", "Africa/Kampala", "July", "The book is open"))
    assert "Currency, zone and year…" not in page
    connection.set_tenant(Organisation.objects.get(slug="acme"))
    book = Book.objects.get()
    assert (book.functional_currency, book.timezone, book.fiscal_year_start) == ("UGX", "Africa/Kampala", 7)


def test_others_read_it_and_change_nothing(enter):
    access.head_office()
    auditor = enter("auditor")

    assert "Branding…" not in text(auditor)
    assert dialogs.open_at(auditor, f"{PAGE}do/branding/").status_code == 403
    assert dialogs.open_at(auditor, f"{PAGE}do/region/").status_code == 403


def test_the_month_is_changed_until_the_first_year_is_open(enter):
    office = access.head_office()
    owner = enter()
    assert dialogs.open_at(owner, f"{PAGE}do/fiscal-year/").status_code == 409
    connection.set_tenant(Organisation.objects.get(slug="acme"))
    accounts.ensure(ref=AccountRef(AccountRole.SUSPENSE, "KES", office.id), now=NOW)

    wrong = dialogs.send(owner, f"{PAGE}do/fiscal-year/", fiscal_year_start="13", reason=REASON)
    sent = dialogs.send(owner, f"{PAGE}do/fiscal-year/", fiscal_year_start="7", reason=REASON)

    assert (wrong.status_code, sent.status_code) == (422, 204)
    acme = Organisation.objects.get(slug="acme")
    connection.set_tenant(acme)
    assert (acme.fiscal_year_start, Book.objects.get().fiscal_year_start) == (7, 7)
    record = AuditRecord.objects.get(action="ledger.book_changed")
    assert (record.changes, record.reason) == ({"fiscal_year_start": [1, 7]}, REASON)
    periods.generate(year=2026, actor=SYSTEM, now=NOW)
    late = dialogs.send(owner, f"{PAGE}do/fiscal-year/", fiscal_year_start="1", reason=REASON)
    assert late.status_code == 409
    assert "all three stay" in text(owner)


def test_a_book_is_opened_in_what_stands_there_when_it_is_opened(acme):
    """Somebody who read the organisation before it was changed does not open the book in what it said then."""
    read_before = organisations.current()
    Organisation.objects.filter(pk=acme.pk).update(base_currency="UGX", fiscal_year_start=10)
    assert read_before.base_currency == "KES"

    accounts.ensure(ref=AccountRef(AccountRole.SUSPENSE, "KES", access.head_office().id), now=NOW)

    book = Book.objects.get()
    assert (book.functional_currency, book.fiscal_year_start) == ("UGX", 10)
