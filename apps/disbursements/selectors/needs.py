"""What a provider still asks of a party, in words for people."""

from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORDS: Mapping[str, Promise] = {
    "access": _("Access to the account"),
    "additional_document": _("Another document"),
    "address": _("Address"),
    "business_type": _("Kind of business"),
    "directors_provided": _("Directors"),
    "dob": _("Date of birth"),
    "document": _("Identity document"),
    "email": _("E-mail"),
    "external_account": _("Account to be paid out to"),
    "first_name": _("First name"),
    "id_number": _("Identity number"),
    "last_name": _("Last name"),
    "mcc": _("Line of business"),
    "name": _("Name"),
    "owners_provided": _("Owners"),
    "phone": _("Phone"),
    "product_description": _("What is sold"),
    "registration_number": _("Registration number"),
    "tax_id": _("Tax number"),
    "tos_acceptance": _("Consent to the provider's terms"),
    "url": _("Website"),
}
"""By one part of what the provider calls it, as ``individual.dob.day``."""


def words(needs: Iterable[str]) -> str:
    """Return what is needed, each thing once; what has no words here is told in the provider's own."""
    found = {_word(need): None for need in needs}
    return ", ".join(found)


def _word(need: str) -> str:
    known = [part for part in need.split(".") if part in WORDS]
    return str(WORDS[known[0]]) if known else need.replace(".", " ").replace("_", " ")
