"""Journals that people asked for: the list with what became of each, and one with its lines and papers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.access.selectors import memberships, scope
from apps.access.selectors.scope import Principal
from apps.approvals.selectors import requests
from apps.approvals.selectors.requests import ApprovalRequest
from apps.documents.contracts import StoredFile
from apps.kit.money import Money, exponent
from apps.ledger.contracts import JOURNAL, AccountStatus
from apps.ledger.selectors import accounts
from apps.ledger.selectors import handwritten as asked
from apps.ledger.selectors.handwritten import Outcome, Told
from apps.ledger.services import papers
from apps.portal.contracts import Badge
from apps.portal.selectors import handwritten, states
from apps.portal.selectors.handwritten import Planned

TABS = {
    "all": _("All"),
    "waiting": _("Waiting"),
    "posted": _("Posted"),
    "failed": _("Not posted"),
    "ended": _("Refused and ended"),
}
OF_TAB = {
    "waiting": (Outcome.WAITING, Outcome.UNDERWAY),
    "posted": (Outcome.BOOKED,),
    "failed": (Outcome.FAILED,),
    "ended": (Outcome.REFUSED, Outcome.EXPIRED, Outcome.WITHDRAWN),
}
PICKED_FROM = 500
KINDS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One journal in the list; ``transaction_uid`` is None until it is posted."""

    subject_id: UUID
    request_id: UUID
    title: str
    voucher: str
    branch: str
    money: Money | None
    requester: str
    asked_at: datetime
    badge: Badge
    detail: str
    transaction_uid: UUID | None
    transaction_number: str


@dataclass(frozen=True, slots=True)
class Paper:
    """A scan that the journal stands on."""

    id: UUID
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class JournalPage:
    """One journal; ``earlier`` are other requests with this voucher, the newest first."""

    line: JournalLine
    is_failed: bool
    is_open: bool
    effective_date: date
    description: str
    reason: str
    cost_centre: str
    dimensions: Mapping[str, str]
    planned: Planned | None
    papers: tuple[Paper, ...]
    earlier: tuple[JournalLine, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """An account that a line of a journal may name."""

    label: str
    currency: str
    branch: str


@dataclass(frozen=True, slots=True)
class Choices:
    """Accounts to choose from, as far as a list holds them, and the decimals of their currencies, as KES:2 USD:2."""

    accounts: tuple[Choice, ...]
    currencies: tuple[str, ...]
    decimals: str


def rows(reader: Principal, tab: str) -> QuerySet[ApprovalRequest]:
    """Return the requests of a tab, the newest first."""
    visible = asked.visible_to(reader, JOURNAL)
    if tab not in OF_TAB:
        return visible.order_by("-id")
    found = visible.none()
    for outcome in OF_TAB[tab]:
        found = found | asked.in_outcome(visible, JOURNAL, outcome)
    return found.order_by("-id")


def counts(reader: Principal) -> dict[str, int]:
    return {tab: rows(reader, tab).count() for tab in TABS}


def lines(shown: Sequence[ApprovalRequest]) -> list[JournalLine]:
    """Return the requests as lines of the list."""
    told, names = asked.told(shown), memberships.names_of([row.requester for row in shown])
    return [
        _line(row, told[row.id], names.get(row.requester) or requests.requester_name(row)) for row in shown
    ]


def page(subject_id: UUID, reader: Principal) -> JournalPage:
    """Return a journal by its voucher's id, as it was asked for last; raise NotFound for one that the reader may not see."""
    found = asked.about(JOURNAL, subject_id, reader)
    payload, shown = requests.present_version(found[0]).payload, lines(found)
    outcome = asked.told(found[:1])[found[0].id].outcome
    return JournalPage(
        line=shown[0],
        is_failed=outcome is Outcome.FAILED,
        is_open=outcome in (Outcome.WAITING, Outcome.UNDERWAY),
        effective_date=date.fromisoformat(payload["effective_date"]),
        description=payload["description"],
        reason=payload["reason"],
        cost_centre=payload["cost_centre"],
        dimensions=payload["dimensions"],
        planned=handwritten.planned(payload, reader),
        papers=tuple(
            _paper(payload["voucher"], number, file)
            for number, file in enumerate(papers.of_voucher(payload["voucher"]), 1)
        ),
        earlier=tuple(shown[1:]),
    )


def paper(subject_id: UUID, file_id: UUID, reader: Principal) -> Paper | None:
    """Return a paper of a journal that the reader may see; raise NotFound for the journal, None for the paper."""
    return next((one for one in page(subject_id, reader).papers if one.id == file_id), None)


def typed(subject_id: UUID, reader: Principal) -> dict[str, Any]:
    """Return a journal as somebody would type it again: its fields, and its lines."""
    payload = requests.present_version(asked.about(JOURNAL, subject_id, reader)[0]).payload
    known = accounts.named({UUID(line["account"]) for line in payload["lines"]})
    return {
        **{
            name: payload[name]
            for name in ("voucher", "description", "reason", "effective_date", "cost_centre")
        },
        "dimensions": "\n".join(f"{name}: {value}" for name, value in payload["dimensions"].items()),
        "lines": [
            {
                "account": str(known[UUID(line["account"])]),
                "currency": line["currency"],
                line["side"].lower(): Money(int(line["minor"]), line["currency"]).text,
            }
            for line in payload["lines"]
        ],
    }


def choices(reader: Principal) -> Choices:
    """Return the open accounts of all branches that a person works for, as many as a list to choose from holds."""
    found = accounts.within(scope.own_branch_ids(reader)).filter(status=AccountStatus.OPEN)
    chosen = tuple(
        Choice(str(account), account.currency, account.branch.name)
        for account in found.select_related("branch")[:PICKED_FROM]
    )
    currencies = tuple(sorted(set(found.order_by().values_list("currency", flat=True).distinct())))
    return Choices(chosen, currencies, " ".join(f"{code}:{exponent(code)}" for code in currencies))


def _line(row: ApprovalRequest, told: Told, requester: str) -> JournalLine:
    return JournalLine(
        subject_id=row.subject_id,
        request_id=row.id,
        title=row.summary,
        voucher=row.subject_reference,
        branch=row.branch.name,
        money=row.money,
        requester=requester,
        asked_at=row.created_at,
        badge=states.HANDWRITTEN[told.outcome],
        detail=told.detail,
        transaction_uid=told.transaction_uid,
        transaction_number=told.transaction_number,
    )


def _paper(voucher: str, number: int, file: StoredFile) -> Paper:
    return Paper(file.id, f"{voucher}-{number}.{KINDS[file.content_type]}", file.size, file.sha256)
