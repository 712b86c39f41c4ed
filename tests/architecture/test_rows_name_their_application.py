"""Every row that an application makes names it: a new kind of business row fails until it does, or says here why not."""

from django.apps import apps
from django.conf import settings
from django.db import models

from apps.access.models import Application
from apps.access.selectors import applications

OF_A_PARENT = "its parent names it"
OF_PEOPLE = "people and the system make it, no key does"
OF_A_PROVIDER = "a provider said it; which application's it is shows when it is matched"
BY_ITS_EXTERNAL_ID = "people open it, or an application by an external id, which names it"
OF_THE_BOOKS = "it is the organisation's book, whoever booked; who did stands in the row or its record"
EXEMPT = {
    "access.Application": "it is the application",
    "access.AccessToken": OF_A_PARENT,
    "approvals.ApprovalDecision": OF_A_PARENT,
    "approvals.ApprovalReminder": OF_A_PARENT,
    "approvals.ApprovalStep": OF_A_PARENT,
    "approvals.ApprovalVersion": OF_A_PARENT,
    "approvals.NamedRow": OF_A_PARENT,
    "approvals.RequestedStep": OF_A_PARENT,
    "approvals.SplitPart": OF_A_PARENT,
    "audit.AuditLink": OF_A_PARENT,
    "audit.ConfigurationHistory": "its row names it, and the record of the deed who acted",
    "audit.WaitingAuditRecord": OF_A_PARENT,
    "disbursements.TransferReversal": OF_A_PARENT,
    "documents.Artifact": OF_A_PARENT,
    "events.EventDelivery": OF_A_PARENT,
    "events.SandboxRequest": OF_A_PARENT,
    "events.WebhookAttempt": OF_A_PARENT,
    "events.WebhookDelivery": OF_A_PARENT,
    "ledger.Balance": OF_A_PARENT,
    "ledger.Checkpoint": OF_A_PARENT,
    "ledger.Closing": OF_A_PARENT,
    "ledger.Entry": OF_A_PARENT,
    "ledger.Movement": OF_A_PARENT,
    "ledger.SealLeaf": OF_A_PARENT,
    "parties.ContactPoint": OF_A_PARENT,
    "access.Branch": BY_ITS_EXTERNAL_ID,
    "access.Membership": OF_PEOPLE,
    "access.PortalSession": OF_PEOPLE,
    "access.Role": OF_PEOPLE,
    "access.RoleLimit": OF_PEOPLE,
    "approvals.ApprovalRule": OF_PEOPLE,
    "integrations.ProviderAccount": OF_PEOPLE,
    "integrations.ProviderErrorRule": OF_PEOPLE,
    "invoicing.NumberSeries": OF_PEOPLE,
    "ledger.Book": OF_PEOPLE,
    "ledger.ChartLine": OF_PEOPLE,
    "ledger.Currency": OF_PEOPLE,
    "ledger.Period": OF_PEOPLE,
    "payments.DisputeFile": OF_A_PARENT,
    "payments.CollectionPolicy": OF_PEOPLE,
    "payments.RoutingRule": OF_PEOPLE,
    "payments.RoutingDecision": OF_A_PARENT,
    "payments.RoutingTarget": OF_A_PARENT,
    "portal.SavedView": OF_PEOPLE,
    "integrations.AddressRegistration": OF_PEOPLE,
    "integrations.CallbackProcessing": OF_A_PROVIDER,
    "integrations.ProviderBalanceReading": OF_A_PROVIDER,
    "integrations.ProviderCall": OF_A_PROVIDER,
    "integrations.ProviderCallback": OF_A_PROVIDER,
    "payments.ListedMovement": OF_A_PROVIDER,
    "payments.PullCursor": OF_A_PROVIDER,
    "ledger.Account": OF_THE_BOOKS,
    "ledger.FxRate": OF_THE_BOOKS,
    "ledger.Hold": OF_THE_BOOKS,
    "ledger.Seal": OF_THE_BOOKS,
    "ledger.SignOff": OF_THE_BOOKS,
    "ledger.Transaction": OF_THE_BOOKS,
    "ledger.Unbooked": OF_THE_BOOKS,
}
WITHOUT_BRANCH = {"approvals.ApprovalDelegation", "approvals.CountedDeed"}
"""Rows that a member of one branch could not be shown, so that nobody counts them."""
MAY_BE_NOBODYS = {"approvals.ApprovalDelegation", "events.OutboxEvent"}
"""Rows whose application may be empty: what a person lends of all applications, facts that none brought about, told to nobody outside."""


def business_models() -> list[type[models.Model]]:
    """Return the kinds of rows that an organisation keeps, of our own apps."""
    ours = [name for name in settings.TENANT_APPS if name.startswith("apps.") and "." not in name[5:]]
    return [
        model
        for config in apps.get_app_configs()
        if config.name in ours
        for model in config.get_models()
        if not model._meta.auto_created
    ]


def names_an_application(model: type[models.Model]) -> bool:
    fields = {field.name for field in model._meta.concrete_fields}
    return bool(fields & {"application", "application_id"})


def test_every_kind_of_row_names_its_application_or_says_why_not():
    without = {model._meta.label for model in business_models() if not names_an_application(model)}

    assert without - EXEMPT.keys() == set(), "name the application, or say here why not"
    assert EXEMPT.keys() - without == set(), "names it now, or is no more"


def test_no_row_forgets_it():
    empty = {
        model._meta.label
        for model in business_models()
        for field in model._meta.concrete_fields
        if field.name in ("application", "application_id") and field.null
    }

    assert empty == MAY_BE_NOBODYS


def test_what_an_application_made_is_found_by_its_foreign_keys():
    found = {model._meta.label for model in applications.named_by()}
    pointing = {
        model._meta.label
        for model in business_models()
        for field in model._meta.concrete_fields
        if field.name == "application" and field.related_model is Application
    }

    assert found == pointing - {"access.ApiKey", "access.IdempotencyRecord", *WITHOUT_BRANCH}
