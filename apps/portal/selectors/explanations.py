"""What figures rest on, as people read it: from a balance to its entries, and on to the event, the approval, the provider's bytes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.selectors.scope import Principal
from apps.kit.money import Money
from apps.ledger.contracts import Direction, Layer, TransactionKind
from apps.ledger.selectors import accounts, explanations, transactions
from apps.ledger.selectors.accounts import AccountBalance
from apps.ledger.selectors.explanations import Explanation, FactKind
from apps.ledger.selectors.reports import changes
from apps.ledger.selectors.statements import CursorInvalid, Statement, StatementLine
from apps.portal.selectors import words

type May = Callable[[str], bool]
"""Says whether the reader's role has a permission."""


@dataclass(frozen=True, slots=True)
class Source:
    """How a kind of fact is shown, which permission its words need, and the page that it stands on."""

    icon: str
    title: Any
    permission: str = ""
    page: str = ""


SOURCES = {
    FactKind.SUBJECT: Source("flag", gettext_lazy("What happened")),
    FactKind.EVENT: Source("bolt", gettext_lazy("Event"), "webhooks.view", "admin:events_outboxevent_change"),
    FactKind.APPROVAL: Source("approval", gettext_lazy("Approval"), "approvals.view", "portal-approval"),
    FactKind.CALLBACK: Source(
        "call_received",
        gettext_lazy("Bytes from the provider"),
        "integrations.view",
        "admin:integrations_providercallback_change",
    ),
    FactKind.CALL: Source(
        "call_made",
        gettext_lazy("Answer of the provider"),
        "integrations.view",
        "admin:integrations_providercall_change",
    ),
}
PAGES = {"payment_intent": ("payments.view", "portal-payment")}
"""The pages of what happened, by the type that a booking names."""


@dataclass(frozen=True, slots=True)
class Ground:
    """One thing that a transaction rests on; ``text`` is empty and ``url`` too where the reader's role may not read it."""

    icon: str
    title: str
    text: str
    at: datetime | None
    sha256: str
    url: str
    is_proof: bool


@dataclass(frozen=True, slots=True)
class Explained:
    """A transaction with what it rests on; ``line`` is its entry on the account that is explained."""

    uid: UUID
    number: str
    kind: str
    description: str
    effective_date: date
    posted_at: datetime
    written_by: str
    approved_by: str
    reason: str
    lack: str
    grounds: tuple[Ground, ...]
    line: StatementLine | None = None


@dataclass(frozen=True, slots=True)
class FigurePage:
    """How a balance comes about, and a page of the entries behind it; ``next`` is the cursor of those after them."""

    account: AccountBalance
    statement: Statement
    rows: tuple[Explained, ...]
    next: str
    is_first: bool


@dataclass(frozen=True, slots=True)
class UnprovenPage:
    """What nothing proves; the list can be empty and have others after it."""

    rows: tuple[Explained, ...]
    next: str
    is_first: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """A transaction that a report holds now and did not when it was made."""

    uid: UUID
    number: str
    kind: str
    description: str
    effective_date: date
    posted_at: datetime
    written_by: str
    sums: tuple[Money, ...]


def figure(
    account_uid: UUID,
    caller: Principal,
    *,
    may: May,
    since: date,
    as_of: date,
    known_at: datetime,
    after: str,
) -> FigurePage:
    """Explain what stands on an account; raise NotFound for one that the reader may not see."""
    account = accounts.get(account_uid, caller)
    asked: dict[str, Any] = {"since": since, "as_of": as_of, "known_at": known_at}
    try:
        found, is_first = explanations.figure(account, **asked, after=after), not after
    except CursorInvalid:
        found, is_first = explanations.figure(account, **asked), True
    rows = _explained(
        ((found.explanations[line.transaction_uid], line) for line in found.statement.lines), may
    )
    return FigurePage(account, found.statement, rows, found.statement.next, is_first)


def transaction(uid: UUID, caller: Principal, *, may: May) -> Explained:
    """Explain one transaction; raise NotFound unless the reader sees a branch that it touches."""
    (found,) = _explained([(explanations.transaction(uid, caller), None)], may)
    return found


def unproven(caller: Principal, *, may: May, as_of: date, known_at: datetime, after: str) -> UnprovenPage:
    """Return the transactions that nothing proves, some thousand looked at for a page."""
    asked: dict[str, Any] = {"as_of": as_of, "known_at": known_at, "caller": caller}
    try:
        found, is_first = explanations.page_without_evidence(**asked, after=after), not after
    except CursorInvalid:
        found, is_first = explanations.page_without_evidence(**asked), True
    rows = _explained(((own, None) for own in found.explanations), may)
    return UnprovenPage(rows, found.next, is_first)


def changed(caller: Principal, *, as_of: date, known_at: datetime, until: datetime | None) -> QuerySet[Any]:
    """Return the transactions that a report holds now, or at ``until``, and did not at ``known_at``."""
    return transactions.with_entries(changes.since(known_at, as_of=as_of, until=until, caller=caller))


def changes_of(rows: Iterable[Any]) -> tuple[Changed, ...]:
    """Return transactions as the list shows them."""
    named = cache(words.actor)
    return tuple(
        Changed(
            uid=row.uid,
            number=row.number,
            kind=str(words.TRANSACTION_KINDS[TransactionKind(row.kind)]),
            description=row.description,
            effective_date=row.effective_date,
            posted_at=row.posted_at,
            written_by=named(row.created_by),
            sums=_debits(row),
        )
        for row in rows
    )


def _debits(row: Any) -> tuple[Money, ...]:
    sums: dict[str, int] = {}
    for entry in row.entries.all():
        if entry.direction == Direction.DEBIT and entry.layer == Layer.POSTED:
            sums[entry.currency] = sums.get(entry.currency, 0) + int(entry.amount)
    return tuple(Money(sums[currency], currency) for currency in sorted(sums))


def _explained(found: Iterable[tuple[Explanation, StatementLine | None]], may: May) -> tuple[Explained, ...]:
    named = cache(words.actor)
    return tuple(
        Explained(
            uid=own.uid,
            number=own.number,
            kind=str(words.TRANSACTION_KINDS[TransactionKind(own.kind)]),
            description=own.description,
            effective_date=own.effective_date,
            posted_at=own.posted_at,
            written_by=named(own.created_by),
            approved_by=named(own.approved_by) if own.approved_by else "",
            reason=own.reason,
            lack=own.lack,
            grounds=tuple(_ground(own, fact, may) for fact in own.facts),
            line=line,
        )
        for own, line in found
    )


def _ground(own: Explanation, fact: explanations.Fact, may: May) -> Ground:
    source = SOURCES[fact.kind]
    is_allowed = not source.permission or may(source.permission)
    url = reverse(source.page, args=[fact.id]) if source.page and is_allowed else ""
    if fact.kind == FactKind.SUBJECT and own.source_type in PAGES:
        permission, page = PAGES[own.source_type]
        url = reverse(page, args=[own.source_id]) if may(permission) else ""
    return Ground(
        icon=source.icon,
        title=str(source.title),
        text=words.without_phones(fact.text) if is_allowed else _("Your role may not read it."),
        at=fact.at,
        sha256=fact.sha256,
        url=url,
        is_proof=fact.is_proof,
    )
