"""What crosses the border of access: permissions of people, scopes of keys, and the caller of an API request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from apps.kit import actors
from apps.kit.actors import Actor

if TYPE_CHECKING:
    from apps.access.models import ApiKey

PORTAL = actors.PORTAL
"""The slug of the application that stands for the portal itself; it exists in every organisation."""

PERMISSIONS = {
    "access.view": "See branches, applications, team, roles and API keys",
    "access.manage": "Change branches, applications and the team",
    "approvals.decide": "Approve and refuse what other people ask for",
    "approvals.manage": "Change approval rules",
    "approvals.view": "See approval requests and rules",
    "audit.view": "Read the audit log",
    "integrations.view": "See provider accounts, calls and callbacks",
    "integrations.manage": "Change provider accounts and their credentials",
    "invoicing.view": "See receipts",
    "jobs.cancel": "Stop long jobs that others started",
    "jobs.export": "Export lists to a file",
    "jobs.view": "See long jobs that others started",
    "keys.manage": "Make and revoke API keys",
    "ledger.adjust": "Ask for adjustments, reversals and opening balances",
    "ledger.chart": "Change the chart of accounts",
    "ledger.close": "Close periods, sign off what a close needs, ask to reopen the last one",
    "ledger.exchange": "Exchange money between currencies and revalue it",
    "ledger.post": "Let an API key post, hold and reverse in the ledger",
    "ledger.rates": "Record exchange rates",
    "ledger.view": "See accounts, balances, transactions and entries",
    "parties.manage": "Record and change parties",
    "parties.view": "See parties",
    "payments.cancel": "Cancel payments",
    "payments.create": "Create payments",
    "payments.refund": "Refund payments",
    "payments.verify": "Verify payments by their receipt",
    "payments.view": "See payments",
    "views.share": "Share saved views of lists with others",
    "webhooks.manage": "Change webhook endpoints, replay deliveries",
    "webhooks.view": "See events, webhook endpoints and deliveries",
}
"""Every permission that a role may hold. People have permissions, API keys have scopes."""

AREAS = {"events": "webhooks", "documents": "invoicing"}
"""App labels whose permissions bear another name."""

SCOPES = {
    "applications:read": "List applications",
    "approvals:read": "Read approval requests and rules",
    "approvals:write": "Decide and withdraw approval requests, change approval rules",
    "branches:read": "List branches",
    "events:read": "List events",
    "evidence:read": "Read what bookings rest on: business rows, events, approvals, words of providers",
    "exchanges:write": "Exchange money between accounts that the key may post to",
    "exports:write": "Export what the key may read to a file",
    "jobs:read": "Read jobs and their results",
    "jobs:write": "Stop jobs",
    "journals:write": "Ask for manual journals, which other people agree to",
    "keys:read": "List API keys",
    "keys:write": "Make and revoke API keys",
    "ledger:read": "Read accounts, balances, reports, transactions, holds, periods, rates and proofs",
    "ledger:write": "Post, hold and reverse in the ledger",
    "parties:read": "Read parties",
    "parties:write": "Record, change and archive parties",
    "payments:read": "Read payments",
    "payments:write": "Create, confirm, cancel and verify payments",
    "periods:write": "Sign off and close periods, ask to reopen the last one",
    "rates:write": "Record exchange rates",
    "receipts:read": "Read receipts",
    "refunds:read": "Read refunds",
    "refunds:write": "Request refunds",
    "webhooks:read": "Read webhook endpoints, deliveries and sandbox inboxes",
    "webhooks:write": "Change webhook endpoints, replay deliveries, make sandbox inboxes",
}
"""Every scope that an API key may hold."""

GIVEN_BY: dict[str, frozenset[str]] = {
    "applications:read": frozenset({"access.view"}),
    "approvals:read": frozenset({"approvals.view"}),
    "approvals:write": frozenset({"approvals.decide", "approvals.manage"}),
    "branches:read": frozenset({"access.view"}),
    "events:read": frozenset({"webhooks.view"}),
    "evidence:read": frozenset({"ledger.view", "approvals.view", "integrations.view", "webhooks.view"}),
    "exchanges:write": frozenset({"ledger.exchange"}),
    "exports:write": frozenset({"jobs.export"}),
    "jobs:read": frozenset({"jobs.view"}),
    "jobs:write": frozenset({"jobs.cancel"}),
    "journals:write": frozenset({"ledger.adjust"}),
    "keys:read": frozenset({"access.view"}),
    "keys:write": frozenset({"keys.manage"}),
    "ledger:read": frozenset({"ledger.view"}),
    "ledger:write": frozenset({"ledger.post"}),
    "parties:read": frozenset({"parties.view"}),
    "parties:write": frozenset({"parties.manage"}),
    "payments:read": frozenset({"payments.view"}),
    "payments:write": frozenset({"payments.create", "payments.cancel", "payments.verify"}),
    "periods:write": frozenset({"ledger.close"}),
    "rates:write": frozenset({"ledger.rates"}),
    "receipts:read": frozenset({"invoicing.view"}),
    "refunds:read": frozenset({"payments.view"}),
    "refunds:write": frozenset({"payments.refund"}),
    "webhooks:read": frozenset({"webhooks.view"}),
    "webhooks:write": frozenset({"webhooks.manage"}),
}
"""The permissions that a person needs, all of them, to give a key a scope: nobody gives what he may not do himself."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The API key behind a request; it stands where Django and REST framework expect a user."""

    key: "ApiKey"
    actor: Actor

    is_authenticated = True
    is_active = True
    is_anonymous = False

    @property
    def pk(self) -> UUID:
        return self.key.pk

    @property
    def application_id(self) -> UUID:
        """The application that the key was made for: everything created with the key is its."""
        return self.key.application_id

    @property
    def branch_id(self) -> UUID | None:
        """The only branch that the key may touch, or None for all."""
        return self.key.branch_id

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.key.scopes)

    @property
    def allowed_networks(self) -> Sequence[str]:
        """The only networks that the key may come from; none named: it comes from everywhere."""
        return self.key.allowed_networks


def permission(name: str) -> str:
    """
    Translate Django's name of a permission into ours: ``events.view_event`` is ``webhooks.view``.

    To add, change or delete is to ``manage``. Our own names come back as they are.
    """
    label, _, codename = name.partition(".")
    verb = codename.partition("_")[0]
    if codename.endswith("_apikey") and verb != "view":
        return "keys.manage"
    return f"{AREAS.get(label, label)}.{'manage' if verb in {'add', 'change', 'delete'} else verb}"
