"""
What the product prints, one entry a sample: made data, and the product's own services issue and draw it.

A document type adds entries, and a function that issues it; collecting, drawing and checking know no type.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from apps.documents.services import artifacts
from apps.invoicing.services import receipts
from apps.kit.money import Money
from apps.tenancy.selectors import organisations
from tests.factories import access, payments

NOW = datetime(2026, 11, 24, 7, 41, 12, tzinfo=UTC)
TEAL, WINE, YELLOW = "#0e5a6b", "#8a1c3b", "#ffcc00"
SAVANNA = ("Savanna Kitchens Ltd", "WST", "Westlands branch")


@dataclass(frozen=True)
class Printed:
    """One file as it left the product, what must be readable in it, and how many pages it has."""

    content: bytes
    number: str
    says: tuple[str, ...]
    pages: int = 1


@dataclass(frozen=True)
class Sample:
    """One page worth looking at; ``why`` says what may look wrong in it."""

    name: str
    why: str
    make: Callable[["Sample"], Printed]
    issuer: tuple[str, str, str] = SAVANNA
    brand: str = TEAL
    facts: dict[str, Any] = field(default_factory=dict)
    says: tuple[str, ...] = ()


def receipt(sample: Sample) -> Printed:
    """Issue the receipt of a payment that was made of the sample's facts, draw it, and read back what was stored."""
    name, code, branch_name = sample.issuer
    organisation = organisations.current()
    organisation.name, organisation.brand_color = name, sample.brand
    branch = access.branch(code, branch_name)
    payments.account(branch_id=branch.id)
    attempt = payments.sending(branch_id=branch.id)
    facts = {
        "money": Money(12_400_00, "KES"),
        "payer_name": "Njeri Kamau",
        "payer_phone": "+254712345678",
        "method": "mpesa",
        "provider_receipt": "NLJ7RT61SV",
        "reference": "INV-WST-2026-01843",
        "description": "Dinner for twelve, 21 November",
        **sample.facts,
    }
    of_payment = {
        "intent_id": attempt.intent_id,
        "attempt_id": attempt.id,
        "branch_id": branch.id,
        "application_id": attempt.application_id,
        "paid_at": NOW,
    }
    issued = receipts.issue(payment=receipts.PaidPayment(**of_payment, **facts), now=NOW)
    stored = receipts.render(receipt_id=issued.id, now=NOW)
    amount = str(issued.money).partition(" ")[2]
    return Printed(artifacts.read(file_id=stored.id), issued.number, (amount, issued.currency, *sample.says))


LONG = (
    "Mwea Tebere and Thiba Irrigation Farmers' Multipurpose Co-operative Savings and Credit Society Limited",
    "MWEA-THIBA",
    "Kirinyaga Central collection and weighing station, Wang'uru",
)

SAMPLES = (
    Sample(
        "receipt",
        "the everyday one",
        receipt,
        says=(
            "Savanna Kitchens Ltd",
            "Westlands branch",
            "Njeri Kamau",
            "24 Nov 2026, 10:41 EAT",
            "NLJ7RT61SV",
        ),
    ),
    Sample(
        "receipt-late-number",
        "the provider's receipt number came after the receipt",
        receipt,
        facts={"provider_receipt": ""},
        says=("not known at issue",),
    ),
    Sample(
        "receipt-phone-alone",
        "nobody knows the payer's name, nor what for",
        receipt,
        facts={"payer_name": "", "description": "", "reference": ""},
        says=("Received from +254712345678",),
    ),
    Sample(
        "receipt-name-alone",
        "no phone",
        receipt,
        brand=WINE,
        issuer=("Pwani Dental Practice", "MSA", "Mombasa"),
        facts={"payer_phone": "", "payer_name": "Aisha Abdalla"},
        says=("Pwani Dental Practice", "Received from Aisha Abdalla"),
    ),
    Sample(
        "receipt-part",
        "a part of what was asked for, and what is left of it",
        receipt,
        facts={"part": receipts.PaidPart(Money(20_000_00, "KES"), Money(7_600_00, "KES"))},
        says=("Part of KES 20,000.00", "Left to pay KES 7,600.00"),
    ),
    Sample(
        "receipt-big-amount",
        "a sum as wide as the page, and all its digits",
        receipt,
        brand=WINE,
        facts={
            "money": Money(9_876_543_210_987_65, "KES"),
            "description": "Purchase of the plant at Athi River",
        },
        says=("9,876,543,210,987.65",),
    ),
    Sample(
        "receipt-small-amount",
        "one cent, from somebody with one letter",
        receipt,
        facts={"money": Money(1, "KES"), "payer_name": "O"},
        says=("0.01",),
    ),
    Sample(
        "receipt-long-names",
        "every name as long as it may be",
        receipt,
        issuer=LONG,
        facts={
            "payer_name": "Wanjikũ Nyokabi Mũthoni Kamau-Ole Kaparo, for the estate of the late Hon. Daniel Kipkorir arap Chepkwony",
            "reference": "PROFORMA/2026/11/KIRINYAGA-CENTRAL/WEIGHING-STATION/LOT-000000000000184300000000000000000001",
            "description": "Second instalment of the deposit for 1,250 bags of Pishori grade 1, season of the long rains, delivered to the "
            "station before noon, less moisture above 14 per cent, as agreed on the telephone with the secretary.",
        },
        says=("Wang'uru", "Chepkwony", "agreed on the telephone"),
    ),
    Sample(
        "receipt-kiswahili",
        "Kiswahili and accents, in names and in what was paid for",
        receipt,
        issuer=("Shule ya Msingi Ng'ombeni", "KWL", "Kwale"),
        facts={
            "payer_name": "Ngũgĩ wa Mĩrĩi, Zoë Achieng\u2019 Óyúgi",
            "description": "Karo ya muhula wa tatu: Wanjirũ, darasa la saba \u2013 chakula cha mchana na basi la shule",
        },
        says=("Shule ya Msingi Ng'ombeni", "Ngũgĩ wa Mĩrĩi", "Óyúgi", "Wanjirũ"),
    ),
    Sample(
        "receipt-light-brand",
        "initials on a light colour",
        receipt,
        brand=YELLOW,
        issuer=("Jua Kali Bakers", "NKR", "Nakuru"),
        says=("Jua Kali Bakers",),
    ),
    Sample(
        "receipt-hostile-words",
        "words that look like markup or never end",
        receipt,
        facts={
            "payer_name": "<script>alert(1)</script> & Sons",
            "description": "https://example.com/" + "x" * 120,
            "reference": "{{ secret }}",
        },
        says=("<script>alert(1)</script> & Sons", "{{ secret }}"),
    ),
)
