"""The organisation as its own people see it: branding with what it will look like, currency, zone and fiscal year."""

import calendar
from dataclasses import dataclass
from uuid import UUID

from django.utils.dates import MONTHS

from apps.kit import brand
from apps.ledger.selectors import books
from apps.tenancy.selectors import organisations

__all__ = ["Settings", "settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """``on_brand`` is what is written on the colour, ``contrast`` how well both are told apart, to one decimal."""

    pk: UUID
    name: str
    slug: str
    is_test: bool
    brand_color: str
    on_brand: str
    contrast: str
    email_sender: str
    sms_sender: str
    initials: str
    base_currency: str
    time_zone: str
    fiscal_year_month: str
    is_book_open: bool


def settings() -> Settings:
    """Return the settings of the present organisation; its book keeps what it was opened with."""
    own = organisations.current()
    book = books.of_organisation()
    month = book.fiscal_year_start if book else calendar.JANUARY
    on_brand = brand.on(own.brand_color)
    return Settings(
        pk=own.id,
        name=own.name,
        slug=own.slug,
        is_test=own.is_test,
        brand_color=own.brand_color,
        on_brand=on_brand,
        contrast=f"{brand.contrast(own.brand_color, on_brand):.1f}",
        email_sender=own.email_sender,
        sms_sender=own.sms_sender,
        initials="".join(word[0] for word in own.name.split()[:2]).upper(),
        base_currency=book.functional_currency if book else own.base_currency,
        time_zone=book.timezone if book else own.time_zone,
        fiscal_year_month=str(MONTHS[month]),
        is_book_open=book is not None,
    )
