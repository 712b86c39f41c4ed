"""Two organisations side by side: each value of the branding is seen where it belongs, and never at the other one."""

import re
import tempfile
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client
from PIL import Image
from pypdf import PdfReader

from apps.access.services import organisation_settings
from apps.documents.services import artifacts, logos
from apps.integrations.contracts import Environment
from apps.integrations.mpesa.provider import PRODUCTION_URL
from apps.invoicing.services import receipts
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole
from apps.ledger.services import accounts, reports
from apps.ledger.services.reports import NewReport, ReportName
from apps.tenancy.contracts import Branding
from apps.tenancy.selectors import branding, organisations
from tests.factories import access, payments
from tests.factories.access import NOW
from tests.factories.pictures import png

REASON = "Agreed with the board"
REPORTS = (
    ReportName.TRIAL_BALANCE,
    ReportName.BALANCE_SHEET,
    ReportName.PROFIT_AND_LOSS,
    ReportName.GENERAL_LEDGER,
)
FILL = re.compile(rb"^([\d.]+) ([\d.]+) ([\d.]+) (?:rg|RG)$", re.MULTILINE)


@dataclass(frozen=True)
class Own:
    """What one organisation has chosen; ``drawn`` is the colour of its logo, all over."""

    look: Branding
    drawn: str


OWN = {
    "acme": Own(Branding("#a01010", "Acme Mail", "ACMESMS"), "#c0ffee"),
    "zuri": Own(Branding("#105aa0", "Zuri Mail", "ZURISMS"), "#facade"),
}


@dataclass(frozen=True)
class Sheet:
    """The colours of a PDF and of the pictures in it."""

    text: str
    colors: frozenset[str]
    pictures: tuple[str, ...]


def read(content: bytes) -> Sheet:
    found = PdfReader(BytesIO(content))
    drawn = b"".join(page.get_contents().get_data() for page in found.pages)
    return Sheet(
        text="".join(page.extract_text() for page in found.pages),
        colors=frozenset("#" + "".join(f"{round(float(part) * 255):02x}" for part in fill) for fill in FILL.findall(drawn)),
        pictures=tuple(seen(image.data) for page in found.pages for image in page.images),
    )  # fmt: skip


def seen(content: bytes) -> str:
    """Return the one colour of a picture."""
    picture = Image.open(BytesIO(content)).convert("RGB")
    return "#{:02x}{:02x}{:02x}".format(*picture.getpixel((picture.width // 2, picture.height // 2)))


def receipt(branch_id: UUID) -> bytes:
    """Issue the receipt of a payment, and read back what was drawn and stored."""
    live = {"environment": Environment.PRODUCTION, "base_url": PRODUCTION_URL}
    payments.account(branch_id=branch_id, **({} if organisations.current().is_test else live))
    attempt = payments.sending(branch_id=branch_id)
    payment = receipts.PaidPayment(
        intent_id=attempt.intent_id,
        attempt_id=attempt.id,
        branch_id=branch_id,
        application_id=attempt.application_id,
        money=Money(12_400_00, "KES"),
        payer_name="Njeri Kamau",
        payer_phone="",
        method="mpesa",
        provider_receipt="NLJ7RT61SV",
        reference="",
        description="",
        paid_at=NOW,
    )
    issued = receipts.issue(payment=payment, now=NOW)
    return artifacts.read(file_id=receipts.render(receipt_id=issued.id, now=NOW).id)


def report(name: ReportName) -> bytes:
    asked = NewReport(name=name, as_of=date(2026, 11, 24), since=date(2026, 11, 1), known_at=NOW)
    table = reports.tabulate(asked, within=None, now=NOW)
    with tempfile.TemporaryDirectory() as folder:
        return reports.write(table, asked.file_format, folder=Path(folder)).path.read_bytes()


@pytest.fixture
def seen_at(db, in_organisation) -> dict[str, tuple[str, list[Sheet], str]]:
    """Give both their branding, and return each one's pages, sheets and logo as they are given out."""
    found = {}
    for slug, own in OWN.items():
        in_organisation(slug)
        office = access.head_office()
        access.member("owner", f"owner@{slug}.test")
        organisation_settings.set_branding(branding=own.look, reason=REASON, actor=SYSTEM, now=NOW)
        logos.change(content=png(own.drawn), reason=REASON, actor=SYSTEM, now=NOW)
        accounts.ensure(ref=AccountRef(AccountRole.SUSPENSE, "KES", office.id), now=NOW)
    for slug in OWN:
        in_organisation(slug)
        path = branding.present().logo_path
        sheets = [read(receipt(access.head_office().id)), *(read(report(name)) for name in REPORTS)]
        browser = Client(headers={"host": f"{slug}.testserver"})
        assert browser.login(username=f"owner@{slug}.test", password=access.PASSWORD)
        pages = "".join(
            browser.get(page).content.decode()
            for page in ("/portal/login/", "/portal/organisation-settings/")
        )
        found[slug] = (pages, sheets, seen(browser.get(path).content))
        assert path in pages
    return found


def test_each_value_is_seen_at_its_own_and_never_at_the_other(seen_at):
    for slug, other in (("acme", "zuri"), ("zuri", "acme")):
        pages, sheets, logo = seen_at[slug]
        own, foreign = OWN[slug], OWN[other]

        for name in ("brand_color", "email_sender", "sms_sender"):
            assert getattr(own.look, name) in pages, name
            assert getattr(foreign.look, name) not in pages, name
        assert (logo, len(sheets)) == (own.drawn, 5)
        for sheet in sheets:
            assert own.look.brand_color in sheet.colors
            assert foreign.look.brand_color not in sheet.colors
            assert set(sheet.pictures) == {own.drawn}
            assert slug.title() in sheet.text
            assert other.title() not in sheet.text


def test_whose_name_a_message_bears(acme):
    assert (branding.present().email_sender, branding.present().sms_sender) == ("Acme", "")

    organisation_settings.set_branding(branding=OWN["acme"].look, reason=REASON, actor=SYSTEM, now=NOW)

    look = branding.present()
    assert (look.email_sender, look.sms_sender, look.color, look.on_color) == (
        "Acme Mail", "ACMESMS", "#a01010", "#ffffff",
    )  # fmt: skip
