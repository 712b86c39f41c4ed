"""Where personal data lies: a new field of a phone, an e-mail, a tax or a bank number fails until it says what protects it."""

import re

from django.apps import apps
from django.db import models

NAMED = re.compile(
    r"phone|msisdn|mail|tax_|_pin$|payer$|contact|iban|bank|account_number|passport|national|birth"
)
MASKED = "pages, lists, exports and the audit trail mask it; a key that holds the scope reads it, in the request log"
RECORDED = (
    "masked like the others, shown whole by the dialog “Change…” alone, which records party.contacts_seen"
)
OF_THE_TEAM = "the name that a person signs in by: colleagues who may see the team, and operators, see it"
BUSINESS = "what an application or an organisation tells the platform of itself, for people to write to"
SETTING = "what an organisation's own messages come from"
UNSHOWN = "no page, list or export shows it; a key that holds the scope reads it, in the request log"
SHOWN = "the organisation's own, for its payers to read on their pages"
PROTECTED = {
    "accounts.User.email": OF_THE_TEAM,
    "disbursements.ConnectedAccount.email": UNSHOWN,
    "invoicing.Document.payer_phone": MASKED
    + "; the receipt's file bears it, and who takes that is on record",
    "parties.ContactPoint.value": RECORDED,
    "parties.Party.tax_pin": RECORDED,
    "payments.InboundReceipt.payer": MASKED,
    "payments.PaymentAttempt.email": UNSHOWN,
    "payments.PaymentAttempt.phone": MASKED,
    "payments.PaymentIntent.payer_email": UNSHOWN,
    "payments.PaymentIntent.payer_phone": MASKED,
    "payments.SavedMethod.payer_email": UNSHOWN,
    "tenancy.Organisation.email_sender": SETTING,
    "tenancy.Organisation.support_contact": SHOWN,
    "tenancy.Organisation.tax_number": SHOWN,
    "tenancy.OrganisationRequest.owner_email": BUSINESS,
    "tenancy.RegisteredApplication.contact_email": BUSINESS,
}
ELSEWHERE_NAMED = {"parties.ContactPoint.value"}
"""Fields whose name does not tell what they hold."""


def personal_fields() -> set[str]:
    """Return the columns of text of our own models whose name or kind says that they hold such a thing."""
    return {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if model.__module__.startswith("apps.")
        and isinstance(field, models.CharField | models.TextField)
        and (isinstance(field, models.EmailField) or NAMED.search(field.name))
    }


def test_every_field_of_personal_data_says_what_protects_it():
    found = personal_fields() | ELSEWHERE_NAMED

    assert found - PROTECTED.keys() == set(), "mask it or record who sees it, then say so in PROTECTED"
    assert PROTECTED.keys() - found == set(), "is no more"
