"""The menu: what this person may open, out of what is installed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from apps.access.selectors import scope
from apps.kit import clock
from apps.portal.selectors import application_links, approvals, webhooks


def always(_person: scope.Principal) -> bool:
    return True


def nothing(_person: scope.Principal) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Item:
    """
    One entry: the page that it opens, the permission that it needs, the pages that belong to it.

    ``is_there`` says whether this organisation has the page at all for this person, ``count`` how much waits for him.
    """

    title: Any
    icon: str
    url_name: str
    permission: str
    below: frozenset[str] = frozenset()
    is_there: Callable[[scope.Principal], bool] = always
    count: Callable[[scope.Person], str] = nothing

    def is_active(self, request: HttpRequest) -> bool:
        match = request.resolver_match
        if match is None:
            return False
        here = match.url_name or ""
        own = self.url_name.rpartition(":")[2]
        form_of_list = own.endswith("_changelist") and here.rpartition("_")[0] == own.rpartition("_")[0]
        return here == own or form_of_list or here in self.below


def changelist(title: Any, icon: str, model: str, permission: str, *below: str) -> Item:
    return Item(title, icon, f"admin:{model}_changelist", permission, frozenset(below))


def page(title: Any, icon: str, url_name: str, permission: str, *below: str) -> Item:
    return Item(title, icon, url_name, permission, frozenset(below))


KEYS = {
    "portal-cash-position": "c",
    "admin:payments_paymentintent_changelist": "p",
    "admin:invoicing_document_changelist": "i",
    "portal-accounts": "l",
    "portal-deliveries": "w",
    "portal-audit": "h",
}
"""G and this letter goes to the page."""

GROUPS: list[tuple[Any, list[Item]]] = [
    (
        _("Overview"),
        [
            page(_("Cash position"), "monitoring", "portal-cash-position", "ledger.view", "index"),
            replace(
                page(
                    *(_("Approvals"), "approval", "portal-approvals", "approvals.view"),
                    *("portal-approval", "approvals_approvalrequest_changelist"),
                ),
                count=lambda person: approvals.waiting_for(person, now=clock.now()),
            ),
        ],
    ),
    (
        _("Money in"),
        [
            changelist(
                _("Payments"), "payments", "payments_paymentintent", "payments.view", "portal-payment"
            ),
            changelist(_("Refunds"), "undo", "payments_refund", "payments.view"),
            changelist(_("Saved methods"), "credit_card", "payments_savedmethod", "payments.view"),
            changelist(_("Disputes"), "gavel", "payments_dispute", "payments.view", "portal-dispute"),
            changelist(
                *(_("Suspense"), "inbox_customize", "payments_inboundreceipt", "payments.view"),
                "payments_paymentattempt_changelist",
            ),
            page(
                *(_("Evidence"), "plagiarism", "portal-evidence", "payments.view"),
                *("payments_listedmovement_changelist", "payments_listedmovement_change"),
            ),
            changelist(_("Receipts"), "receipt_long", "invoicing_document", "invoicing.view"),
            changelist(_("Parties"), "badge", "parties_party", "parties.view"),
        ],
    ),
    (
        _("Money out"),
        [
            changelist(_("Transfers"), "send_money", "disbursements_transfer", "disbursements.view"),
            changelist(
                _("Connected accounts"),
                "account_balance_wallet",
                "disbursements_connectedaccount",
                "disbursements.view",
            ),
        ],
    ),
    (
        _("Books"),
        [
            page(
                *(_("Ledger"), "account_tree", "portal-accounts", "ledger.view"),
                *("portal-account", "portal-transaction", "portal-chart-import"),
                *("portal-explain-account", "portal-explain-transaction"),
            ),
            page(
                *(_("Reports"), "balance", "portal-trial-balance", "ledger.view"),
                *("portal-balance-sheet", "portal-profit-and-loss", "portal-general-ledger"),
                *("portal-without-evidence", "portal-changes"),
            ),
            page(
                *(_("Journals"), "edit_note", "portal-journals", "ledger.view"),
                *("portal-journal", "portal-journal-new", "portal-journal-papers", "portal-opening-balances"),
            ),
            page(_("Exchange rates"), "currency_exchange", "portal-rates", "ledger.view"),
            page(_("Periods"), "event_available", "portal-periods", "ledger.view", "portal-period"),
        ],
    ),
    (
        _("Connect"),
        [
            changelist(_("Providers"), "hub", "integrations_provideraccount", "integrations.view"),
            changelist(_("Refusals"), "sms_failed", "integrations_providererrorrule", "integrations.view"),
            changelist(_("Routing"), "alt_route", "payments_routingrule", "payments.view"),
            changelist(_("Callbacks"), "call_received", "integrations_providercallback", "integrations.view"),
            changelist(_("Webhooks"), "webhook", "events_webhookendpoint", "webhooks.view"),
            page(_("Deliveries"), "outbox", "portal-deliveries", "webhooks.view", "portal-delivery"),
            changelist(_("Handlers"), "rule", "events_eventdelivery", "webhooks.view"),
            replace(
                page(_("Sandbox inboxes"), "inbox", "portal-inboxes", "webhooks.view", "portal-inbox"),
                is_there=webhooks.is_sandbox_available,
            ),
            changelist(_("API keys"), "key", "access_apikey", "access.view"),
        ],
    ),
    (
        _("Settings"),
        [
            page(_("Organisation"), "domain", "portal-organisation", "access.view"),
            page(
                *(_("Branches"), "account_tree", "portal-branches", "access.view"),
                *("access_branch_changelist", "access_branch_add"),
            ),
            replace(
                page(
                    *(_("Applications"), "apps", "portal-applications", "access.view"),
                    *("portal-application", "access_application_changelist", "access_application_add"),
                ),
                count=application_links.waiting_for,
            ),
            changelist(_("Team"), "group", "access_membership", "access.view"),
            changelist(_("Roles"), "manage_accounts", "access_role", "access.view"),
            page(_("Permissions"), "rule_settings", "portal-permissions", "access.view"),
            changelist(_("Approval rules"), "rule", "approvals_approvalrule", "approvals.view"),
            changelist(
                _("Delegations"), "supervisor_account", "approvals_approvaldelegation", "approvals.view"
            ),
            changelist(_("Jobs"), "pending_actions", "jobs_job", "jobs.export", "portal-job"),
            page(_("Audit log"), "history", "portal-audit", "audit.view", "portal-audit-record"),
        ],
    ),
]


PLATFORM = [
    Item(title, icon, f"platform:{model}_changelist", "platform.view")
    for title, icon, model in (
        (_("Organisations"), "domain", "tenancy_organisation"),
        (_("Hosts"), "dns", "tenancy_domain"),
        (_("Applications"), "apps", "tenancy_registeredapplication"),
        (_("Requests"), "domain_add", "tenancy_organisationrequest"),
        (_("People"), "group", "accounts_user"),
        (_("Audit trail"), "history", "accounts_platformrecord"),
    )
]
"""The menu of the platform's site: its addresses exist in the public schema only, as the portal's exist nowhere else."""
GROUPS.append((_("Platform"), PLATFORM))


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups for Unfold's sidebar; an entry whose list is not registered or not allowed is left out."""
    groups = []
    for title, items in GROUPS:
        entries = [entry for item in items if (entry := _entry(request, item))]
        if entries:
            groups.append({"title": title, "items": entries})
    return groups


def first(request: HttpRequest) -> str:
    """Return the address of the first page in the person's menu, or an empty text when there is none."""
    return next((entry["link"] for group in navigation(request) for entry in group["items"]), "")


def _entry(request: HttpRequest, item: Item) -> dict[str, Any] | None:
    if not request.user.has_perm(item.permission):
        return None
    try:
        link = reverse(item.url_name)
    except NoReverseMatch:
        return None
    if not item.is_there(request.user):
        return None
    return {
        "title": item.title,
        "icon": item.icon,
        "link": link,
        "active": item.is_active(request),
        "badge": item.count(request.user),
        "badge_variant": "warning",
        "key": KEYS.get(item.url_name, ""),
    }
