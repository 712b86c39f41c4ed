"""The organisation as its own people see it: branding with what it will look like, currency, zone and fiscal year."""

from dataclasses import dataclass
from uuid import UUID

from django.utils.dates import MONTHS

from apps.kit import brand
from apps.ledger.selectors import books, periods
from apps.tenancy.contracts import Look
from apps.tenancy.selectors import branding, organisations

__all__ = ["Settings", "settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """``contrast`` tells how well what is written on the colour is told apart from it; ``look`` is what comes of it all."""

    pk: UUID
    name: str
    slug: str
    is_test: bool
    brand_color: str
    contrast: str
    email_sender: str
    sms_sender: str
    tax_number: str
    support_contact: str
    look: Look
    base_currency: str
    time_zone: str
    fiscal_year_start: int
    fiscal_year_month: str
    is_book_open: bool
    has_periods: bool


def settings() -> Settings:
    """Return the settings of the present organisation; its book keeps what it was opened with."""
    own = organisations.current()
    book = books.of_organisation()
    month = book.fiscal_year_start if book else own.fiscal_year_start
    look = branding.of(own)
    return Settings(
        pk=own.id,
        name=own.name,
        slug=own.slug,
        is_test=own.is_test,
        brand_color=own.brand_color,
        contrast=f"{brand.contrast(look.color, look.on_color):.1f}",
        email_sender=own.email_sender,
        sms_sender=own.sms_sender,
        tax_number=own.tax_number,
        support_contact=own.support_contact,
        look=look,
        base_currency=book.functional_currency if book else own.base_currency,
        time_zone=book.timezone if book else own.time_zone,
        fiscal_year_start=month,
        fiscal_year_month=str(MONTHS[month]),
        is_book_open=book is not None,
        has_periods=book is not None and periods.stored().exists(),
    )
