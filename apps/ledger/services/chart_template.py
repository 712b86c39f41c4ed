"""The chart of accounts that a new organisation begins with: that of a Kenyan company of small or middle size."""

from dataclasses import dataclass

from apps.ledger.contracts import CHART, AccountRole, AccountType


@dataclass(frozen=True, slots=True)
class TemplateLine:
    """A line of the template; ``role`` None is a heading, or a line of the organisation's own."""

    code: str
    name: str
    type: AccountType
    parent: str
    is_heading: bool = False
    role: AccountRole | None = None


HEADINGS: dict[AccountType, tuple[tuple[str, str], ...]] = {
    AccountType.ASSET: (
        ("1", "Assets"),
        ("10", "Mobile money and payment providers"),
        ("11", "Bank accounts"),
        ("12", "Cash in hand"),
        ("13", "Trade receivables"),
        ("14", "Taxes recoverable"),
        ("15", "Disputed payments"),
        ("16", "Stock, prepayments and advances"),
        ("17", "Property, plant and equipment"),
        ("19", "Foreign exchange"),
    ),
    AccountType.LIABILITY: (
        ("2", "Liabilities"),
        ("20", "Trade payables and accruals"),
        ("21", "Collections not yet applied"),
        ("22", "Customer balances"),
        ("23", "Owed to merchants, riders and branches"),
        ("24", "Reserves and payouts"),
        ("25", "Taxes payable"),
        ("26", "Payroll liabilities"),
        ("27", "Loans"),
    ),
    AccountType.EQUITY: (
        ("3", "Equity"),
        ("30", "Capital"),
        ("31", "Retained earnings"),
        ("39", "Opening balances"),
    ),
    AccountType.INCOME: (
        ("4", "Income"),
        ("40", "Sales"),
        ("41", "Sales allowances"),
        ("42", "Other income"),
        ("43", "Exchange gains"),
    ),
    AccountType.EXPENSE: (
        ("5", "Cost of sales and payments"),
        ("50", "Purchases"),
        ("52", "Provider fees"),
        ("53", "Disputes and chargebacks"),
        ("54", "Bad debts"),
        ("55", "Exchange losses"),
        ("56", "Rounding"),
        ("6", "Operating expenses"),
        ("60", "Staff costs"),
        ("61", "Premises"),
        ("62", "Office"),
        ("63", "Transport and travel"),
        ("64", "Professional fees, licences and insurance"),
        ("65", "Finance costs"),
        ("66", "Depreciation"),
        ("67", "Selling and marketing"),
        ("69", "Taxes and penalties"),
    ),
}
"""Headings by type; one of two digits stands below that of its first digit."""

OWN: dict[AccountType, tuple[tuple[str, str], ...]] = {
    AccountType.ASSET: (
        ("1610", "Stock"),
        ("1620", "Prepaid expenses"),
        ("1630", "Staff advances"),
        ("1640", "Rent deposits"),
        ("1710", "Furniture and fittings"),
        ("1720", "Computers and equipment"),
        ("1730", "Motor vehicles"),
        ("1790", "Accumulated depreciation"),
    ),
    AccountType.LIABILITY: (
        ("2060", "Accrued expenses"),
        ("2560", "Withholding tax payable"),
        ("2570", "Withholding VAT payable"),
        ("2580", "Corporation tax payable"),
        ("2610", "Net salaries payable"),
        ("2620", "PAYE payable"),
        ("2630", "NSSF payable"),
        ("2640", "SHIF payable"),
        ("2650", "Affordable Housing Levy payable"),
        ("2660", "HELB deductions payable"),
        ("2670", "NITA levy payable"),
        ("2710", "Bank loans"),
        ("2720", "Directors' loans"),
    ),
    AccountType.EQUITY: (("3010", "Share capital"), ("3020", "Dividends and drawings")),
    AccountType.INCOME: (("4260", "Interest received"), ("4270", "Other income")),
    AccountType.EXPENSE: (
        ("6010", "Salaries and wages"),
        ("6020", "NSSF, employer's contribution"),
        ("6030", "Affordable Housing Levy, employer's contribution"),
        ("6040", "Staff training and NITA levy"),
        ("6050", "Staff welfare and medical"),
        ("6110", "Rent"),
        ("6120", "Electricity and water"),
        ("6130", "Repairs and maintenance"),
        ("6140", "Security and cleaning"),
        ("6210", "Telephone and internet"),
        ("6220", "Printing and stationery"),
        ("6230", "Software subscriptions"),
        ("6310", "Fuel"),
        ("6320", "Travel and accommodation"),
        ("6330", "Delivery and courier"),
        ("6410", "Audit and accountancy fees"),
        ("6420", "Legal fees"),
        ("6430", "Licences and permits"),
        ("6440", "Insurance"),
        ("6510", "Bank charges"),
        ("6520", "M-Pesa charges"),
        ("6530", "Interest paid"),
        ("6610", "Depreciation"),
        ("6710", "Advertising"),
        ("6910", "KRA penalties and interest"),
        ("6920", "Corporation tax"),
    ),
}
"""The organisation's own lines by type; each stands below the heading of its first two digits."""


def lines() -> list[TemplateLine]:
    """Return the template, each heading before what stands below it."""
    headings = [
        TemplateLine(code, name, kind, code[:-1], is_heading=True)
        for kind, named in HEADINGS.items()
        for code, name in named
    ]
    own = [TemplateLine(code, name, kind, code[:2]) for kind, named in OWN.items() for code, name in named]
    roles = [
        TemplateLine(str(line.code), line.name, line.type, str(line.code)[:2], role=role)
        for role, line in CHART.items()
    ]
    return [*headings, *sorted([*own, *roles], key=lambda line: line.code)]
