"""Organisation settings: what it looks like and counts in, changed by its people."""

import pytest
from django.db import connection
from django.test import Client

from apps.access.services import organisation_settings
from apps.audit.models import AuditRecord
from apps.kit.actors import SYSTEM
from apps.ledger.contracts import AccountRef, AccountRole
from apps.ledger.services import accounts
from apps.tenancy.contracts import Branding
from apps.tenancy.models import Organisation
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
        owner, f"{PAGE}do/region/", base_currency="UGX", time_zone="Africa/Kampala", reason=REASON
    )
    assert sent.status_code == 204
    connection.set_tenant(Organisation.objects.get(slug="acme"))
    accounts.ensure(ref=AccountRef(AccountRole.SUSPENSE, "UGX", office.id), now=NOW)

    late = dialogs.send(
        owner, f"{PAGE}do/region/", base_currency="KES", time_zone="Africa/Nairobi", reason=REASON
    )

    assert late.status_code == 409
    page = text(owner)
    assert all(words in page for words in ("UGX", "Africa/Kampala", "January", "The book is open"))
    assert "Currency and zone…" not in page


def test_others_read_it_and_change_nothing(enter):
    access.head_office()
    auditor = enter("auditor")

    assert "Branding…" not in text(auditor)
    assert dialogs.open_at(auditor, f"{PAGE}do/branding/").status_code == 403
    assert dialogs.open_at(auditor, f"{PAGE}do/region/").status_code == 403
