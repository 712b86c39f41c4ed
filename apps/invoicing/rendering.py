"""The pages of documents, for WeasyPrint."""

import zoneinfo
from collections.abc import Collection

from django.template.loader import render_to_string
from django.utils import formats, translation

from apps.integrations.contracts import provider_name
from apps.invoicing.models import Document
from apps.kit import ids
from apps.tenancy.selectors import branding, organisations

STYLE = "invoicing/document.css"
LANGUAGE = "en"
"""What documents are written in: a sheet that was issued says the same in every language of the portal."""


@translation.override(LANGUAGE)
def receipt_html(receipt: Document, *, pictures: Collection[str] = ()) -> str:
    """
    Return the page of a receipt (A5): amounts and names from the document, colour and zone from the organisation, and its
    logo where that is among the ``pictures`` that are given to the sheet.
    """
    look = branding.present()
    zone = zoneinfo.ZoneInfo(organisations.current().time_zone)
    paid_at = receipt.paid_at.astimezone(zone)
    currency, _, amount = str(receipt.money).partition(" ")
    return render_to_string(
        "invoicing/receipt.html",
        {
            "receipt": receipt,
            "brand": look.color,
            "on_brand": look.on_color,
            "initials": branding.initials(receipt.organisation_name),
            "has_logo": "logo" in pictures,
            "currency": currency,
            "amount": amount,
            "paid_at": f"{formats.date_format(paid_at, 'j M Y, H:i')} {paid_at.tzname()}",
            "issued_at": formats.date_format(receipt.issued_at.astimezone(zone), "j M Y, H:i"),
            "method": provider_name(receipt.method),
            "part_of": str(receipt.part_of) if receipt.part_of else "",
            "left": str(receipt.left) if receipt.left else "",
            "payment": ids.encode("pi", receipt.intent_id),
        },
    )
