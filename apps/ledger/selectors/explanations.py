"""Explain: from a figure to its entries, and from an entry to the event, the approval and the provider's own bytes."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import batched
from uuid import UUID

from django.utils.translation import gettext as _

from apps.access.selectors.scope import Principal
from apps.approvals.contracts import ApprovalStatus
from apps.approvals.selectors import requests
from apps.events.selectors import events
from apps.integrations.contracts import CallbackStatus
from apps.integrations.selectors import exchanges
from apps.kit import errors
from apps.ledger.models import Transaction
from apps.ledger.selectors import statements, transactions
from apps.ledger.selectors.accounts import AccountBalance
from apps.ledger.selectors.statements import Statement
from apps.ledger.selectors.subjects import SUBJECTS, Cause, Subject

AT_ONCE = 500
LOOKED_AT = 2_000
ROWS = 50
CURSOR_MAX = 18
TAKEN = {CallbackStatus.APPLIED, CallbackStatus.DUPLICATE}
ANSWERED = range(200, 300)


class FactKind(StrEnum):
    """What a transaction can rest on, from its cause to the provider's own words."""

    SUBJECT = "SUBJECT"
    EVENT = "EVENT"
    APPROVAL = "APPROVAL"
    CALLBACK = "CALLBACK"
    CALL = "CALL"


@dataclass(frozen=True, slots=True)
class Fact:
    """
    One thing that a transaction rests on: what it is, its id, what it says, and when.

    ``sha256`` is hex over the bytes that came from the provider; of a call, over the answer as it is kept.
    """

    kind: FactKind
    id: UUID
    text: str
    at: datetime | None
    sha256: str = ""
    is_proof: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """A transaction, who wrote it and why, and what it rests on; ``lack`` says what is missing, empty when nothing is."""

    uid: UUID
    number: str
    kind: str
    description: str
    effective_date: date
    posted_at: datetime
    source_type: str
    source_id: UUID
    created_by: str
    approved_by: str
    reason: str
    facts: tuple[Fact, ...]
    lack: str


@dataclass(frozen=True, slots=True)
class ExplainedFigure:
    """A figure, how it comes about, a page of its entries, and the explanation of each by its transaction's id."""

    statement: Statement
    explanations: dict[UUID, Explanation]

    @property
    def formula(self) -> str:
        """How the closing balance comes about from the opening one."""
        statement = self.statement
        plus, minus = statement.debits, statement.credits
        if not statement.account.is_debit_normal:
            plus, minus = minus, plus
        return f"{statement.closing} = {statement.opening} + {plus} - {minus}"


def figure(
    account: AccountBalance,
    *,
    since: date,
    as_of: date,
    known_at: datetime | None = None,
    after: str = "",
    rows: int = statements.ROWS,
) -> ExplainedFigure:
    """
    Explain what stands on an account: its statement's page, and what each entry of it rests on.

    Visibility is decided where ``account`` was read (``selectors.accounts.get``).
    """
    page = statements.page(account, since=since, as_of=as_of, known_at=known_at, after=after, rows=rows)
    uids = {line.transaction_uid for line in page.lines}
    found = {own.uid: own for own in explain(Transaction.objects.filter(uid__in=uids))}
    return ExplainedFigure(page, found)


def transaction(uid: UUID, caller: Principal | None = None) -> Explanation:
    """Explain one transaction; raise NotFound unless the caller sees a branch that it touches."""
    booked = transactions.get(uid, caller)
    (found,) = explain(Transaction.objects.filter(uid=booked.uid))
    return found


def without_evidence(
    *, as_of: date, known_at: datetime | None = None, caller: Principal | None = None
) -> Iterator[Explanation]:
    """Yield the transactions up to a day that nothing proves, the oldest first; each says what it lacks."""
    found = transactions.visible_to(caller).filter(effective_date__lte=as_of)
    if known_at is not None:
        found = found.filter(posted_at__lte=known_at)
    rows = found.order_by("id").iterator(chunk_size=AT_ONCE)
    for some in batched(rows, AT_ONCE):
        yield from (own for own in explain(some) if own.lack)


@dataclass(frozen=True, slots=True)
class Unproven:
    """
    What nothing proves among a bounded number of transactions; ``next`` is the cursor of those after them, empty at the end.

    A page can be empty and have others after it.
    """

    explanations: tuple[Explanation, ...]
    next: str


def page_without_evidence(
    *, as_of: date, known_at: datetime, after: str = "", rows: int = ROWS, caller: Principal | None = None
) -> Unproven:
    """
    Look at ``LOOKED_AT`` transactions after a cursor at most, and return those that ``without_evidence`` would yield.

    Raises CursorInvalid.
    """
    found = transactions.visible_to(caller).filter(
        effective_date__lte=as_of, posted_at__lte=known_at, id__gt=_last_seen(after)
    )
    seen = list(found.order_by("id")[: LOOKED_AT + 1])
    unproven: list[Explanation] = []
    last = 0
    for some in batched(seen[:LOOKED_AT], AT_ONCE):
        for row, own in zip(some, explain(some), strict=True):
            if own.lack and len(unproven) == rows:
                return Unproven(tuple(unproven), str(last))
            unproven += [own] if own.lack else []
            last = row.id
    return Unproven(tuple(unproven), str(last) if len(seen) > LOOKED_AT else "")


def _last_seen(cursor: str) -> int:
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= CURSOR_MAX):
        message = "This cursor was not given out by this report."
        raise statements.CursorInvalid(
            message, errors=[errors.FieldError("/cursor", statements.CursorInvalid.code, message)]
        )
    return int(cursor)


def explain(booked: Iterable[Transaction]) -> list[Explanation]:
    """Explain transactions in a number of queries that does not grow with them. The caller's scope is not asked."""
    rows = list(booked)
    subjects = _subjects(rows)
    found = {subject.id for own in subjects.values() for subject in own}
    facts = _facts(found | {row.source_id for row in rows})
    return [_explanation(row, subjects.get(row.uid, ()), facts) for row in rows]


def _subjects(rows: Sequence[Transaction]) -> dict[UUID, Sequence[Subject]]:
    causes: dict[str, list[Cause]] = defaultdict(list)
    for row in rows:
        causes[row.source_type].append(Cause(row.uid, row.idem_key, row.source_type, row.source_id))
    found: dict[UUID, Sequence[Subject]] = {}
    for source_type, own in causes.items():
        if source_type in SUBJECTS:
            found |= SUBJECTS[source_type](own)
    return found


def _facts(subject_ids: set[UUID]) -> dict[UUID, list[Fact]]:
    """Return what is known of subjects from the apps below: events, approvals, callbacks and calls, in this order."""
    facts: dict[UUID, list[Fact]] = defaultdict(list)
    for event in events.facts_of(subject_ids):
        facts[event.aggregate_id].append(
            Fact(FactKind.EVENT, event.id, f"{event.type} {event.aggregate_version}", event.occurred_at)
        )
    for request in requests.about(subject_ids):
        text = f"{request.kind}, {request.status.lower()}: {request.summary}"
        facts[request.subject_id].append(
            Fact(
                FactKind.APPROVAL,
                request.id,
                text,
                request.decided_at,
                is_proof=request.status == ApprovalStatus.APPROVED,
            )
        )
    for callback in exchanges.callbacks_of(subject_ids):
        if callback.subject_id is not None:
            text = f"{callback.kind}, {callback.status.lower()}"
            facts[callback.subject_id].append(
                Fact(
                    FactKind.CALLBACK,
                    callback.id,
                    text,
                    callback.received_at,
                    callback.sha256,
                    is_proof=callback.status in TAKEN,
                )
            )
    for call in exchanges.calls_of(subject_ids):
        if call.subject_id is not None:
            text = f"{call.kind}, {call.response_status or call.status.lower()}"
            digest = hashlib.sha256(call.response_body.encode()).hexdigest()
            facts[call.subject_id].append(
                Fact(
                    FactKind.CALL,
                    call.id,
                    text,
                    call.called_at,
                    digest,
                    is_proof=call.response_status in ANSWERED,
                )
            )
    return facts


def _explanation(row: Transaction, subjects: Sequence[Subject], facts: dict[UUID, list[Fact]]) -> Explanation:
    own = [
        Fact(FactKind.SUBJECT, subject.id, subject.text, subject.at, is_proof=subject.is_proof)
        for subject in subjects
    ]
    about = dict.fromkeys([row.source_id, *(subject.id for subject in subjects)])
    own += [fact for subject_id in about for fact in facts.get(subject_id, ())]
    order = list(FactKind)
    own.sort(key=lambda fact: order.index(fact.kind))
    return Explanation(
        uid=row.uid,
        number=row.number,
        kind=row.kind,
        description=row.description,
        effective_date=row.effective_date,
        posted_at=row.posted_at,
        source_type=row.source_type,
        source_id=row.source_id,
        created_by=row.created_by,
        approved_by=row.approved_by,
        reason=row.reason,
        facts=tuple(own),
        lack=_lack(row, own),
    )


def _lack(row: Transaction, facts: list[Fact]) -> str:
    """Say what is missing, empty when something proves the transaction."""
    if any(fact.is_proof for fact in facts):
        return ""
    if row.source_type not in SUBJECTS and not facts:
        return _("No app knows what %(source)s is.") % {"source": row.source_type}
    if not any(fact.kind == FactKind.SUBJECT for fact in facts) and row.source_type in SUBJECTS:
        return _("The %(source)s that it names does not exist.") % {"source": row.source_type}
    return _("Written by %(author)s; no approval and nothing from a provider stands behind it.") % {
        "author": row.created_by
    }
