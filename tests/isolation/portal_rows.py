"""
What each address of the portal shows to whom, written by hand: a new page, dialog or list fails until it is here, or in ``own_pages``.

How a line says so stands in ``portal_lines``.
"""

from dataclasses import dataclass, field

from django.conf import settings

from tests.isolation.own_pages import PAGES
from tests.isolation.portal_lines import GONE, Page, of_chosen, of_row


@dataclass(frozen=True, slots=True)
class Admin:
    """
    The addresses of one admin class: its list, what adds a row, and the dialogs, each with what it needs.

    ``deeds`` are dialogs: ``do/x`` of the list, ``x`` of a row. Nobody deletes.
    """

    sees: str
    adds: str | None = None
    everywhere: bool = False
    shows: bool = True
    form: str = "200"
    listed: str = "200+"
    far: str = "200"
    """The list from another branch: with the canary where a filter names applications, which are of all branches."""
    is_named: bool = False
    """Whether a row is called by what bears the canary: then the head of its history does so too."""
    is_kept: bool = False
    """Whether its history shows the canary, though its page does not."""
    is_mute: bool = False
    """Whether its history does not show it, though its page does: by another row that the page draws upon."""
    deeds: dict[str, Page] = field(default_factory=dict)
    page: Page | None = None
    """The page of a row, where it is not Django's."""


SHOWN_WHOLE = {
    "parties.party {row}/do/edit": "who opens it is on the audit trail: party.contacts_seen",
}
"""Addresses that show a phone, e-mail or tax PIN of a payer or party as it is, and what keeps it on record."""

EXPORT = Page("jobs.export", own="200", elsewhere="200")
ACCESS = "access.view|access.manage"
WEBHOOKS = "webhooks.view|webhooks.manage"
INTEGRATIONS = "integrations.view|integrations.manage"
ELSEWHERE = Page("", own="302", elsewhere="302", refused="302")
"""It leads to a page of our own, which asks."""


ADMINS: dict[str, Admin] = {
    "access.apikey": Admin(
        "access.view|keys.manage",
        "keys.manage",
        form="200+",
        far="200+",
        deeds={
            "do/revoke": of_chosen("keys.manage"),
            "rotate": of_row("keys.manage"),
            "networks": of_row("keys.manage", "200"),
            "revoke": of_row("keys.manage"),
        },
    ),
    "access.application": Admin(ACCESS, "access.manage", everywhere=True, is_named=True),
    "access.branch": Admin(
        ACCESS,
        "access.manage",
        listed="200",
        deeds={
            "do/policy": Page("access.manage", own="200", elsewhere="200"),
            "link": of_row("access.manage", "200"),
            "unlink": of_row("access.manage"),
        },
    ),
    "access.membership": Admin(
        ACCESS,
        "access.manage",
        everywhere=True,
        is_mute=True,
        deeds={
            "do/small-team": Page("access.manage", own="200", elsewhere="200"),
            "confirm": Page("access.manage", elsewhere="200+"),
            "end-sessions": Page("access.manage", own="200", elsewhere="200"),
            "renew-link": Page("access.manage", elsewhere="200+"),
            "turn-away": Page("access.manage", elsewhere="200+"),
        },
    ),
    "access.role": Admin(
        ACCESS,
        everywhere=True,
        shows=False,
        deeds={
            "do/add-role": Page("access.manage", own="200", elsewhere="200"),
            "copy": Page("access.manage", own="200", elsewhere="200"),
            "edit": Page("access.manage", own="200", elsewhere="200"),
            "limits": Page("access.manage", own="200", elsewhere="200"),
            "retire": Page("access.manage", own="200", elsewhere="200"),
        },
    ),
    "approvals.approvaldelegation": Admin(
        "approvals.manage&approvals.view|approvals.view",
        everywhere=True,
        deeds={
            "do/delegate": Page("approvals.decide", own="200", elsewhere="200"),
            "revoke": Page("approvals.view&approvals.manage", elsewhere="200+"),
        },
    ),
    "approvals.approvalrequest": Admin(
        "approvals.view|approvals.manage",
        page=ELSEWHERE,
        is_named=True,
        deeds={
            "do/export": Page("jobs.export&approvals.view", own="200", elsewhere="200"),
            "approve": of_row("approvals.decide"),
            "do/approve-many": of_chosen("approvals.decide"),
            "approve-many": of_row("approvals.decide"),
            "refuse": of_row("approvals.decide"),
            "withdraw": of_row("approvals.view"),
            "amend-rule": of_row("approvals.manage", "200"),
        },
    ),
    "approvals.approvalrule": Admin(
        "approvals.view|approvals.manage",
        everywhere=True,
        shows=False,
        deeds={
            "do/add": Page("approvals.manage", "200", "200"),
            "replace": Page("approvals.manage", "200", "200"),
            "deactivate": Page("approvals.manage", "200", "200"),
        },
    ),
    "events.eventdelivery": Admin(
        WEBHOOKS,
        shows=False,
        deeds={
            "do/requeue": of_chosen("webhooks.manage"),
            "do/skip": of_chosen("webhooks.manage"),
            "requeue": of_row("webhooks.manage", "200"),
            "skip": of_row("webhooks.manage", "200"),
        },
    ),
    "events.outboxevent": Admin(WEBHOOKS, listed="200"),
    "events.webhookdelivery": Admin(
        WEBHOOKS,
        deeds={
            "do/replay": of_chosen("webhooks.manage"),
            "replay": of_row("webhooks.manage"),
        },
    ),
    "events.webhookendpoint": Admin(
        WEBHOOKS,
        is_named=True,
        deeds={
            "do/enable": of_chosen("webhooks.manage"),
            "do/disable": of_chosen("webhooks.manage"),
            "enable": of_row("webhooks.manage", "200"),
            "disable": of_row("webhooks.manage"),
        },
    ),
    "integrations.provideraccount": Admin(
        INTEGRATIONS,
        "integrations.manage",
        is_named=True,
        deeds={
            "do/enable": of_chosen("integrations.manage"),
            "do/disable": of_chosen("integrations.manage"),
            "enable": of_row("integrations.manage"),
            "disable": of_row("integrations.manage"),
            "register-addresses": of_row("integrations.manage"),
            "ask-balance": of_row("integrations.manage"),
            "check-connection": of_row("integrations.manage"),
            "open-circuit": of_row("integrations.manage"),
            "close-circuit": of_row("integrations.manage"),
        },
    ),
    "integrations.providercall": Admin(INTEGRATIONS),
    "integrations.providercallback": Admin(
        INTEGRATIONS,
        listed="200",
        deeds={
            "do/replay": of_chosen("integrations.manage"),
            "do/replay-waiting": Page("integrations.manage", own="200", elsewhere="200"),
            "replay": of_row("integrations.manage", "200"),
        },
    ),
    "integrations.providererrorrule": Admin(
        INTEGRATIONS,
        everywhere=True,
        deeds={
            "do/put": Page("integrations.manage", own="200", elsewhere="200"),
            "retire": Page("integrations.manage", elsewhere="200+"),
        },
    ),
    "payments.routingrule": Admin(
        "payments.view",
        everywhere=True,
        deeds={
            "do/add": Page("integrations.manage", own="200+", elsewhere="200+"),
            "do/try": Page("integrations.manage", own="200", elsewhere="200"),
            "replace": Page("integrations.manage", elsewhere="200+"),
            "retire": Page("integrations.manage", elsewhere="200+"),
        },
    ),
    "invoicing.document": Admin("invoicing.view", deeds={"do/export": EXPORT}),
    "jobs.job": Admin(
        "jobs.export&jobs.view&payments.view",
        page=ELSEWHERE,
        is_named=True,
        deeds={"stop": of_row("jobs.export&jobs.view&payments.view")},
    ),
    "ledger.account": Admin("ledger.view", is_named=True),
    "ledger.transaction": Admin("ledger.view"),
    "parties.party": Admin(
        "parties.view|parties.manage",
        is_named=True,
        deeds={
            "do/add": Page("parties.manage", "200", "200"),
            "do/export": EXPORT,
            "edit": of_row("parties.manage"),
            "archive": of_row("parties.manage"),
        },
    ),
    "payments.inboundreceipt": Admin(
        "payments.view",
        deeds={
            "do/take-over": of_chosen("payments.resolve&payments.view"),
            "do/hand-over": of_chosen("payments.resolve&payments.view"),
            "do/export": EXPORT,
            "hand-over": of_row("payments.resolve&payments.view", "200"),
            "assign": of_row("payments.resolve&payments.view"),
            "confirm": of_row("payments.resolve&payments.view"),
            "give-back": of_row("payments.refund&payments.view"),
            "take-over": of_row("payments.resolve&payments.view", "200"),
        },
    ),
    "payments.listedmovement": Admin(
        "payments.view",
        is_named=True,
        deeds={
            "do/put-away": of_chosen("payments.resolve&payments.view"),
            "put-away": of_row("payments.resolve&payments.view"),
        },
    ),
    "payments.paymentattempt": Admin(
        "payments.view",
        page=Page("payments.view", own="302"),
        deeds={"do/export": EXPORT, "give-back": of_row("payments.refund&payments.view")},
    ),
    "payments.paymentintent": Admin(
        "payments.view",
        page=ELSEWHERE,
        deeds={
            "do/ask": of_chosen("payments.verify&payments.view"),
            "ask": of_row("payments.verify&payments.view", "200"),
            "verify": of_row("payments.verify&payments.view", "200"),
            "capture": of_row("payments.capture&payments.view", "200"),
            "cancel": of_row("payments.cancel&payments.view", "200"),
            "do/export": EXPORT,
            "do/policy": Page("access.manage", "200", "200"),
            "refund": of_row("payments.refund&payments.view", "200"),
            "accept-review": of_row("payments.resolve&payments.view", "200"),
            "close": of_row("payments.resolve&payments.view", "200"),
            "close-review": of_row("payments.resolve&payments.view", "200"),
        },
    ),
    "disbursements.connectedaccount": Admin(
        "disbursements.view",
        deeds={
            "do/connect": Page("disbursements.connect", own="200", elsewhere="200"),
            "transfer": of_row("disbursements.transfer&disbursements.view"),
            "send": of_row("disbursements.connect&disbursements.view"),
            "ask": of_row("disbursements.connect&disbursements.view"),
            "close": of_row("disbursements.connect&disbursements.view"),
        },
    ),
    "disbursements.transfer": Admin(
        "disbursements.view",
        is_named=True,
        deeds={
            "reverse": of_row("disbursements.transfer&disbursements.view"),
            "close": of_row("disbursements.transfer&disbursements.view"),
        },
    ),
    "payments.savedmethod": Admin(
        "payments.view", deeds={"forget": of_row("payments.forget&payments.view", "200+")}
    ),
    "payments.dispute": Admin(
        "payments.view",
        page=ELSEWHERE,
        is_named=True,
        deeds={
            "evidence": of_row("payments.dispute&payments.view"),
            "attach": of_row("payments.dispute&payments.view"),
            "detach": of_row("payments.dispute&payments.view"),
            "submit": of_row("payments.dispute&payments.view"),
            "accept": of_row("payments.dispute&payments.view"),
            "appeal": of_row("payments.dispute&payments.view"),
        },
    ),
    "payments.refund": Admin(
        "payments.view",
        page=Page("payments.view", own="302"),
        deeds={
            "do/export": EXPORT,
            "verify": of_row("payments.refund&payments.view", "200"),
            "close": of_row("payments.refund&payments.view", "200"),
        },
    ),
}


def every() -> dict[str, Page]:
    """Return the rows of all addresses by name, those of admin classes written out."""
    return PAGES | {name: page for label, row in ADMINS.items() for name, page in _of_admin(label, row)}


def _of_admin(label: str, row: Admin) -> list[tuple[str, Page]]:
    shown = "200+" if row.shows else "200"
    elsewhere = shown if row.everywhere else GONE
    found = [
        (label, Page(row.sees, row.listed if row.shows else "200", shown if row.everywhere else row.far)),
        (f"{label} add", Page(row.adds, row.form, row.form)),
        (f"{label} {{row}}/change", row.page or Page(row.sees, shown, elsewhere)),
        (f"{label} {{row}}/history", _of_history(label, row)),
        (f"{label} {{row}}/delete", Page(None)),
    ]
    for deed, page in row.deeds.items():
        found.append((f"{label} {deed}" if deed.startswith("do/") else f"{label} {{row}}/do/{deed}", page))
    return found


def _of_history(label: str, row: Admin) -> Page:
    """Return the line of what became of a row: of a watched table who may read the audit log sees it, texts and all."""
    if label.replace(".", "_") not in settings.WATCHED_TABLES:
        named = "200+" if row.is_named else "200"
        return Page(row.sees, named, named if row.everywhere else GONE)
    needs = "|".join(f"{way}&audit.view" for way in row.sees.split("|"))
    shown = "200+" if (row.shows and not row.is_mute) or row.is_kept else "200"
    return Page(needs, shown, shown if row.everywhere else GONE)
