"""Reports of the ledger as samples: a month of made bookings, read and drawn by the product's own services."""

import tempfile
from datetime import date, timedelta
from pathlib import Path

from apps.ledger.contracts import AccountRole
from apps.ledger.models import Account
from apps.ledger.services import reports
from apps.ledger.services.reports import NewReport, ReportName
from apps.tenancy.selectors import organisations
from tests.factories import access, ledger
from tests.samples.catalogue import LONG, NOW, WINE, Printed, Sample

SINCE, LAST = date(2026, 11, 1), date(2026, 11, 24)
CASH, SALES, FEES = AccountRole.PROVIDER_BALANCE, AccountRole.REVENUE, AccountRole.PROVIDER_FEES


def report(sample: Sample) -> Printed:
    """Book as many days as the sample wants, and draw the report that it names."""
    name, code, branch_name = sample.issuer
    organisation = organisations.current()
    organisation.name, organisation.brand_color = name, sample.brand
    branches = [access.branch(code, branch_name), access.branch("MSA", "Mombasa")]
    scale = sample.facts.get("scale", 1)
    for number in range(sample.facts.get("bookings", 12)):
        branch, currency = branches[number % 2], "KES" if number % 5 else "USD"
        refs = [ledger.ref(role, branch.id, currency) for role in (CASH, SALES, FEES)]
        day = LAST - timedelta(days=number * 23 // sample.facts.get("bookings", 12))
        facts = {"effective_date": day, "reference": "NLJ7RT61SV", "description": f"Collection {number + 1}"}
        ledger.post(ledger.transfer(refs[0], refs[1], (1_240_00 + number) * scale, **facts), now=NOW)
        ledger.post(ledger.transfer(refs[2], refs[0], (6_20 + number) * scale, **facts), now=NOW)
    account = Account.objects.filter(role=CASH.value, currency="KES").order_by("id")[0]
    asked = NewReport(
        name=sample.facts["report"], as_of=LAST, since=SINCE, known_at=NOW, account_uid=account.uid
    )
    table = reports.tabulate(asked, within=None, now=NOW + sample.facts.get("age", timedelta(hours=1)))
    with tempfile.TemporaryDirectory() as folder:
        written = reports.write(table, asked.file_format, folder=Path(folder))
        content = written.path.read_bytes()
    figures = [str(money).partition(" ")[2].replace("-", "\N{MINUS SIGN}") for _, money in table.totals]
    return Printed(content, table.title, (*figures, *sample.says), pages=sample.facts.get("pages", 1))


SAID = ("Savanna Kitchens Ltd", "24 Nov 2026, 10:41:12 EAT", "Page 1 / 1")
REPORTS = (
    Sample(
        "report-trial-balance",
        "two currencies, two branches",
        report,
        facts={"report": ReportName.TRIAL_BALANCE},
        says=SAID,
    ),
    Sample(
        "report-balance-sheet",
        "the result stands beside equity",
        report,
        facts={"report": ReportName.BALANCE_SHEET},
        says=("Result not yet closed", *SAID),
    ),
    Sample(
        "report-profit-and-loss",
        "by branch; known within the minute, so provisional",
        report,
        facts={"report": ReportName.PROFIT_AND_LOSS, "age": timedelta(seconds=20)},
        says=("Profit by branch", "Provisional", *SAID),
    ),
    Sample(
        "report-general-ledger",
        "heads repeat on the second page, across",
        report,
        facts={"report": ReportName.GENERAL_LEDGER, "bookings": 22, "pages": 6},
        says=("Opening balance", "Closing balance", "Page 1 / 6"),
    ),
    Sample(
        "report-statement",
        "names as long as they may be, sums as wide as the page, smaller type",
        report,
        brand=WINE,
        issuer=LONG,
        facts={"report": ReportName.STATEMENT, "scale": 10**11},
        says=("Closing balance", "Thiba Irrigation"),
    ),
)
