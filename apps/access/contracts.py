"""What crosses the border of access: permissions of people, scopes of keys, and the caller of an API request."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.kit import actors
from apps.kit.actors import Actor

if TYPE_CHECKING:
    from apps.access.models import ApiKey

PORTAL = actors.PORTAL
"""The slug of the application that stands for the portal itself; it exists in every organisation."""

PERMISSIONS: dict[str, Promise] = {
    "access.view": _("See branches, applications, team, roles and API keys"),
    "access.manage": _("Change branches, applications and the team"),
    "approvals.decide": _("Approve and refuse what other people ask for"),
    "approvals.manage": _("Change approval rules"),
    "approvals.view": _("See approval requests and rules"),
    "audit.view": _("Read the audit log"),
    "disbursements.connect": _("Connect accounts of parties"),
    "disbursements.transfer": _("Transfer money to parties and take it back"),
    "disbursements.view": _("See connected accounts and transfers"),
    "integrations.view": _("See provider accounts, calls and callbacks"),
    "integrations.manage": _("Change provider accounts and their credentials"),
    "invoicing.view": _("See receipts"),
    "jobs.cancel": _("Stop long jobs that others started"),
    "jobs.export": _("Export lists to a file"),
    "jobs.view": _("See long jobs that others started"),
    "keys.manage": _("Make and revoke API keys"),
    "keys.money": _("Give API keys scopes that move money or change the books"),
    "ledger.adjust": _("Ask for adjustments, reversals and opening balances"),
    "ledger.chart": _("Change the chart of accounts"),
    "ledger.close": _("Close periods, sign off what a close needs, ask to reopen the last one"),
    "ledger.exchange": _("Exchange money between currencies and revalue it"),
    "ledger.rates": _("Record exchange rates"),
    "ledger.view": _("See accounts, balances, transactions and entries"),
    "parties.manage": _("Record and change parties"),
    "parties.view": _("See parties"),
    "payments.cancel": _("Cancel payments"),
    "payments.capture": _("Capture what payers authorised"),
    "payments.create": _("Create payments"),
    "payments.dispute": _("Answer disputes"),
    "payments.forget": _("Have saved ways to pay forgotten"),
    "payments.refund": _("Refund payments"),
    "payments.resolve": _("Decide about money in suspense"),
    "payments.verify": _("Verify payments by their receipt"),
    "payments.view": _("See payments"),
    "views.share": _("Share saved views of lists with others"),
    "webhooks.manage": _("Change webhook endpoints, replay deliveries"),
    "webhooks.view": _("See events, webhook endpoints and deliveries"),
}
"""Every permission that a role may hold. People have permissions, API keys have scopes."""

PERMISSION_AREAS: dict[str, Promise] = {
    "access": _("Team and branches"),
    "approvals": _("Approvals"),
    "audit": _("Audit log"),
    "disbursements": _("Transfers"),
    "integrations": _("Providers"),
    "invoicing": _("Receipts"),
    "jobs": _("Jobs and exports"),
    "keys": _("API keys"),
    "ledger": _("Ledger"),
    "parties": _("Parties"),
    "payments": _("Payments"),
    "views": _("Saved views"),
    "webhooks": _("Webhooks"),
}
"""What permissions are about, by the first part of their name."""

AREAS = {"events": "webhooks", "documents": "invoicing"}
"""App labels whose permissions bear another name."""

SCOPES = {
    "applications:read": "List applications",
    "approvals:read": "Read approval requests and rules",
    "approvals:write": "Decide and withdraw approval requests, change approval rules",
    "branches:read": "List branches",
    "branches:write": "Open branches and change those that the application keeps",
    "connected_accounts:read": "Read connected accounts of parties",
    "connected_accounts:write": "Connect accounts of parties and send these to the provider",
    "disputes:read": "Read disputes and what is said to them",
    "disputes:write": "Answer disputes: evidence, submission, acceptance",
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
    "payments:read": "Read payments and saved ways to pay",
    "payments:write": "Create, confirm, cancel and verify payments, save ways to pay and forget them",
    "periods:write": "Sign off and close periods, ask to reopen the last one",
    "providers:read": "Read accounts with providers, how they stand, and what refusals stand for",
    "providers:write": "Open, change and test accounts with providers, stop their calls, set what refusals stand for",
    "rates:write": "Record exchange rates",
    "receipts:read": "Read receipts",
    "refunds:read": "Read refunds",
    "refunds:write": "Request refunds",
    "suspense:read": "Read money that arrived unasked, what waits in suspense included",
    "suspense:write": "Give money in suspense to payments",
    "transfers:read": "Read transfers to parties",
    "transfers:write": "Transfer money to parties and take it back",
    "webhooks:read": "Read webhook endpoints, deliveries and sandbox inboxes",
    "webhooks:write": "Change webhook endpoints, replay deliveries, make sandbox inboxes",
}
"""Every scope that an API key may hold."""

GIVEN_BY: dict[str, frozenset[str]] = {
    "applications:read": frozenset({"access.view"}),
    "approvals:read": frozenset({"approvals.view"}),
    "approvals:write": frozenset({"approvals.decide", "approvals.manage"}),
    "branches:read": frozenset({"access.view"}),
    "branches:write": frozenset({"access.manage"}),
    "connected_accounts:read": frozenset({"disbursements.view"}),
    "connected_accounts:write": frozenset({"keys.money"}),
    "disputes:read": frozenset({"payments.view"}),
    "disputes:write": frozenset({"keys.money"}),
    "events:read": frozenset({"webhooks.view"}),
    "evidence:read": frozenset({"ledger.view", "approvals.view", "integrations.view", "webhooks.view"}),
    "exchanges:write": frozenset({"keys.money"}),
    "exports:write": frozenset({"jobs.export"}),
    "jobs:read": frozenset({"jobs.view"}),
    "jobs:write": frozenset({"jobs.cancel"}),
    "journals:write": frozenset({"keys.money"}),
    "keys:read": frozenset({"access.view"}),
    "keys:write": frozenset({"keys.manage"}),
    "ledger:read": frozenset({"ledger.view"}),
    "ledger:write": frozenset({"keys.money"}),
    "parties:read": frozenset({"parties.view"}),
    "parties:write": frozenset({"parties.manage"}),
    "payments:read": frozenset({"payments.view"}),
    "payments:write": frozenset({"keys.money"}),
    "periods:write": frozenset({"keys.money"}),
    "providers:read": frozenset({"integrations.view"}),
    "providers:write": frozenset({"integrations.manage", "keys.money"}),
    "rates:write": frozenset({"keys.money"}),
    "receipts:read": frozenset({"invoicing.view"}),
    "refunds:read": frozenset({"payments.view"}),
    "refunds:write": frozenset({"keys.money"}),
    "suspense:read": frozenset({"payments.view"}),
    "suspense:write": frozenset({"keys.money"}),
    "transfers:read": frozenset({"disbursements.view"}),
    "transfers:write": frozenset({"keys.money"}),
    "webhooks:read": frozenset({"webhooks.view"}),
    "webhooks:write": frozenset({"webhooks.manage"}),
}
"""
The permissions that a person needs, all of them, to give a key a scope: nobody gives what he may not do himself. What
moves money or changes the books is given by ``keys.money``: who runs the organisation lets an application do it, and
does none of it himself.
"""


@dataclass(frozen=True, slots=True)
class Duty:
    """A part in the handling of money, known by the permissions that only it needs: any of them makes it."""

    title: Promise
    permissions: frozenset[str]


RUNS = Duty(
    _("Runs the organisation: team, credentials, keys that move money"),
    frozenset({"access.manage", "integrations.manage", "keys.money"}),
)
MAKES = Duty(
    _("Makes movements of money: payments, refunds, transfers, exchanges"),
    frozenset({"payments.create", "payments.refund", "disbursements.transfer", "ledger.exchange"}),
)
DECIDES = Duty(_("Decides what others ask for"), frozenset({"approvals.decide"}))
RULES = Duty(_("Sets the rules of approval"), frozenset({"approvals.manage"}))
KEEPS = Duty(_("Keeps the books: journals and the close"), frozenset({"ledger.adjust", "ledger.close"}))
AUDITS = Duty(_("Audits: reads the audit log"), frozenset({"audit.view"}))
CONFLICTS: tuple[tuple[Duty, Duty], ...] = (
    (MAKES, DECIDES),
    (RUNS, DECIDES),
    (RUNS, MAKES),
    (MAKES, RULES),
    (KEEPS, AUDITS),
    (MAKES, AUDITS),
    (DECIDES, AUDITS),
)
"""Duties that no person holds together, unless the organisation is a small team: whatever the role is called."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two duties that one role would hold, with the permissions that make each of them."""

    first: Duty
    second: Duty
    held: tuple[str, ...]


def conflicts(permissions: Collection[str]) -> list[Conflict]:
    """Return the pairs of duties that a role with these permissions would hold against the table."""
    mine = frozenset(permissions)
    return [
        Conflict(first, second, tuple(sorted(mine & (first.permissions | second.permissions))))
        for first, second in CONFLICTS
        if mine & first.permissions and mine & second.permissions
    ]


class LimitKind(StrEnum):
    """What a limit of amount is about: what a person asks for, or what he approves."""

    CREATE = "CREATE"
    APPROVE = "APPROVE"


@dataclass(frozen=True, slots=True)
class Caller:
    """
    The API key behind a request; it stands where Django and REST framework expect a user.

    ``granted`` narrows its scopes to what the link of its application grants, and to those of the access token that was sent
    in its place.
    """

    key: "ApiKey"
    actor: Actor
    granted: frozenset[str] | None = None

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
        held = frozenset(self.key.scopes)
        return held if self.granted is None else held & self.granted

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
