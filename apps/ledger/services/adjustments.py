"""Adjustments: what people book by hand is asked for by one and agreed to by another before it is booked."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction

from apps.access.selectors import applications, branches, limits
from apps.approvals.contracts import ApprovalStatus, Decided, Named, NewRequest, payload_hash
from apps.approvals.selectors import requests as asked
from apps.approvals.selectors.requests import ApprovalRequest
from apps.approvals.services import requests
from apps.audit.services import records
from apps.kit import errors
from apps.kit.actors import SYSTEM, Actor
from apps.kit.money import Money
from apps.ledger.contracts import (
    AHEAD_MAX,
    DIMENSION_NAME_MAX,
    DIMENSION_VALUE_MAX,
    DIMENSIONS_MAX,
    FIRST_DAY,
    JOURNAL,
    LEG_MAX,
    Booked,
    Direction,
    Draft,
    Leg,
    TransactionKind,
)
from apps.ledger.models import Account, Transaction
from apps.ledger.services import accounts, effective_dates, journals, refusals, unbooked

KINDS = (TransactionKind.ADJUSTMENT, TransactionKind.OPENING)
SOURCE = "journal"
OBJECT = "ledger_journal"
VOUCHER_MAX = 40
DESCRIPTION_MAX = 200
REASON_MIN, REASON_MAX = 5, 200
COST_CENTRE_MAX = 40
NAMESPACE = UUID("d3d4f3bd-6f0c-5a52-8f6b-8d3c0a6f6a4e")


class JournalInvalid(errors.Invalid):
    """What was asked for can be no journal of ours."""

    code = "ledger_journal_invalid"
    title = "Journal not valid"


class JournalRuleMissing(errors.DomainError):
    """No approval rule says who may agree to a journal."""

    code = "ledger_journal_rule_missing"
    title = "Nobody may approve a journal"


class VoucherUsed(errors.DomainError):
    """A journal with this voucher number is booked, about to be, or was asked for in other branches."""

    code = "ledger_voucher_used"
    title = "Voucher number used"


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One side of a journal: an account by its public id, and the sum in its currency."""

    account_id: UUID
    direction: Direction
    money: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJournal:
    """
    What somebody wants booked by hand.

    ``voucher`` is the number of the paper that it stands on; it is booked once in the life of the ledger and is found
    as the transaction's reference. ``effective_date`` is the local date that it falls on.
    """

    voucher: str
    description: str
    reason: str
    effective_date: date
    lines: Sequence[JournalLine]
    kind: TransactionKind = TransactionKind.ADJUSTMENT
    cost_centre: str = ""
    dimensions: Mapping[str, str] | None = None


@transaction.atomic
def ask(
    *,
    journal: NewJournal,
    actor: Actor,
    now: datetime,
    within: Collection[UUID] | None = None,
    application_id: UUID | None = None,
) -> UUID:
    """
    Ask other people to agree to a journal and return the id of the approval request; nothing is booked yet.

    The same journal again returns the request that waits. ``within`` are the branches that the caller may act for, None
    for all, ``application_id`` whose request it is, the portal's unless told. Raises as ``check``, and
    JournalRuleMissing, LimitExceeded, and RequestPending where another journal of this voucher waits.
    """
    found = check(journal=journal, now=now, within=within)
    for sum_of_currency in _sums(journal):
        limits.require_may_ask(actor=actor, money=sum_of_currency, field="/lines")
    subject = subject_of(journal.voucher)
    places = {account.branch_id for account in found.values()}
    branch_id = next(iter(places)) if len(places) == 1 else branches.head_office().id
    payload = _payload(journal)
    waits = asked.pending_of(kind=JOURNAL.name, subject_id=subject) is not None
    request = requests.submit(
        request=NewRequest(
            kind=JOURNAL,
            subject_id=subject,
            subject_reference=journal.voucher,
            payload=payload,
            names=(
                Named(OBJECT, journal.voucher),
                *accounts.named(found.values()),
            ),
            branch_id=branch_id,
            application_id=application_id or applications.portal().id,
            summary=f"{journal.kind.capitalize()} {journal.voucher}, {journal.description}: {journal.reason}",
            money=_money(journal),
        ),
        actor=actor,
        now=now,
    )
    if request is None:
        raise JournalRuleMissing("Make an approval rule for journals first.")
    _require_free(journal.voucher, places, but=request.id)
    if not waits:
        _record("journal.asked", journal.voucher, actor=actor, now=now, reason=journal.reason)
    return request.id


def check(
    *, journal: NewJournal, now: datetime, within: Collection[UUID] | None = None
) -> dict[UUID, Account]:
    """
    Return the accounts of a journal that could be asked for now; nothing is written.

    Raises JournalInvalid, Unbalanced, PeriodClosed, AccountUnknown, AccountClosed, AccountFrozen and VoucherUsed, each of
    which names its fields.
    """
    _check(journal, now)
    effective_dates.require_open(journal.effective_date)
    accounts = _accounts(journal, within)
    _require_free(journal.voucher, {account.branch_id for account in accounts.values()})
    return accounts


@transaction.atomic
def decide(*, decided: Decided, now: datetime) -> Booked | None:
    """
    Book a journal that other people have agreed to, as its maker; None where nothing is booked.

    A posting that the ledger refuses, because the period was closed or an account frozen meanwhile, leaves nothing
    behind but a row of Unbooked and a record ``journal.failed``, which say why. Where locks cannot be had it raises
    LedgerBusy. A repeat returns the first booking, and does not try again what was refused.
    """
    if decided.status != ApprovalStatus.APPROVED:
        return None
    request = asked.within(None, None).get(id=decided.request_id)
    if unbooked.is_kept(request):
        return None
    payload = asked.present_version(request).payload
    voucher, reason = payload["voucher"], payload["reason"]
    if decided.payload_hash != payload_hash(payload):
        unbooked.keep_void(request=request, now=now)
        _record("journal.void", voucher, actor=SYSTEM, now=now, reason=reason)
        return None
    maker, approved_by = asked.maker_of(request), asked.approvers(request)
    try:
        booked = journals.post(draft=_draft(payload, decided.subject_id, approved_by), actor=maker, now=now)
    except errors.DomainError as refusal:
        if refusal.retryable:
            raise
        changes = {"code": [None, refusal.code], "detail": [None, refusal.detail]}
        unbooked.keep(request=request, refusal=refusal, now=now)
        _record("journal.failed", voucher, actor=maker, now=now, reason=reason, changes=changes)
        return None
    if not booked.is_replay:
        changes = {"transaction": [None, str(booked.id)], "approved_by": [None, approved_by]}
        _record("journal.posted", voucher, actor=maker, now=now, reason=reason, changes=changes)
    return booked


def fingerprint(journal: NewJournal) -> str:
    """Return the hash of all that would be approved: the same for the same journal."""
    return payload_hash(_payload(journal))


def subject_of(voucher: str) -> UUID:
    """Return what approvals about this voucher, and the transaction, name as their subject."""
    return uuid5(NAMESPACE, voucher)


def _require_free(voucher: str, places: set[UUID], *, but: UUID | None = None) -> None:
    """
    Refuse a voucher number that is booked, about to be, or was asked for in other branches than these.

    Its papers are read by whoever may see a request about it, so one number stays with the branches that it began in.
    ``but`` is the request that was just made: it is asked again once no other can be agreed to meanwhile.
    """
    subject = subject_of(voucher)
    earlier = [request for request in asked.about([subject]) if request.id != but]
    if any(_touched(request) != places for request in earlier):
        raise _refusal(VoucherUsed, "/voucher", "This voucher number is taken. Take another number.")
    if Transaction.objects.filter(idem_key=_key(subject)).exists():
        message = f"Voucher {voucher} is booked already. Take another number."
        raise _refusal(VoucherUsed, "/voucher", message)
    agreed = (request for request in earlier if request.status == ApprovalStatus.APPROVED)
    if not all(unbooked.is_kept(request) for request in agreed):
        message = f"Voucher {voucher} is agreed to and about to be booked. Take another number."
        raise _refusal(VoucherUsed, "/voucher", message)


def _touched(request: ApprovalRequest) -> set[UUID]:
    """Return the branches of all accounts that a request has named."""
    named = {line["account"] for version in asked.versions_of(request) for line in version.payload["lines"]}
    return set(Account.objects.filter(uid__in=named).values_list("branch_id", flat=True))


def _key(subject: UUID) -> str:
    return f"ledger:journal:{subject}"


def _draft(payload: Mapping[str, Any], subject: UUID, approved_by: str) -> Draft:
    lines = payload["lines"]
    accounts = {
        str(own.uid): own for own in Account.objects.filter(uid__in={line["account"] for line in lines})
    }
    legs = []
    for line in lines:
        sum_ = Money(int(line["minor"]), line["currency"])
        is_debit = line["side"] == Direction.DEBIT.name
        legs.append(
            Leg(
                accounts[line["account"]].ref,
                debit=sum_ if is_debit else None,
                credit=None if is_debit else sum_,
            )
        )
    return Draft(
        key=_key(subject),
        description=payload["description"],
        source_type=SOURCE,
        source_id=subject,
        legs=tuple(legs),
        kind=TransactionKind(payload["kind"]),
        effective_date=date.fromisoformat(payload["effective_date"]),
        reference=payload["voucher"],
        approved_by=approved_by,
        reason=payload["reason"],
        cost_centre=payload["cost_centre"],
        dimensions=payload["dimensions"] or None,
    )


def _payload(journal: NewJournal) -> dict[str, Any]:
    """Return everything that is approved of a journal."""
    return {
        "voucher": journal.voucher,
        "kind": journal.kind.value,
        "description": journal.description,
        "reason": journal.reason,
        "effective_date": journal.effective_date.isoformat(),
        "cost_centre": journal.cost_centre,
        "dimensions": dict(journal.dimensions or {}),
        "lines": [
            {
                "account": str(line.account_id),
                "side": line.direction.name,
                "minor": str(line.money.minor),
                "currency": line.money.currency,
            }
            for line in journal.lines
        ],
    }


def _money(journal: NewJournal) -> Money | None:
    """Return the sum of the debits, where all of the journal is in one currency: approval rules have bands."""
    sums = _sums(journal)
    return sums[0] if len(sums) == 1 else None


def _sums(journal: NewJournal) -> list[Money]:
    """Return the sum of the debits in each currency."""
    sums = {line.money.currency: 0 for line in journal.lines}
    for line in journal.lines:
        if line.direction is Direction.DEBIT:
            sums[line.money.currency] += line.money.minor
    return [Money(minor, currency) for currency, minor in sums.items()]


def _accounts(journal: NewJournal, within: Collection[UUID] | None) -> dict[UUID, Account]:
    """Return the accounts of a journal; refuse one that is not there, not the caller's, or takes no postings."""
    found = {
        account.uid: account
        for account in Account.objects.filter(
            uid__in={line.account_id for line in journal.lines}
        ).select_related("line")
    }
    for place, line in enumerate(journal.lines):
        account = found.get(line.account_id)
        pointer = f"/lines/{place}/account"
        if account is None or (within is not None and account.branch_id not in within):
            raise _refusal(refusals.AccountUnknown, pointer, "There is no such account.")
        if account.status != "OPEN":
            kind = refusals.AccountClosed if account.status == "CLOSED" else refusals.AccountFrozen
            raise _refusal(kind, pointer, f"{account} is {account.status.lower()} and takes no postings.")
        if line.money.currency != account.currency:
            raise _refusal(JournalInvalid, pointer, f"{account} is kept in {account.currency}.")
    return found


def _check(journal: NewJournal, now: datetime) -> None:
    found = [
        *_text("/voucher", journal.voucher, 1, VOUCHER_MAX),
        *_text("/description", journal.description, 1, DESCRIPTION_MAX),
        *_text("/reason", journal.reason, REASON_MIN, REASON_MAX),
        *_text("/cost_centre", journal.cost_centre, 0, COST_CENTRE_MAX),
        *_wrong_dimensions(journal.dimensions or {}),
    ]
    last = (now + AHEAD_MAX).date()
    if not FIRST_DAY <= journal.effective_date <= last:
        found.append(_wrong("/effective_date", f"The date lies from {FIRST_DAY} to {last}."))
    if journal.kind not in KINDS:
        found.append(_wrong("/kind", "A journal is an adjustment or an opening."))
    if not len(Direction) <= len(journal.lines) <= journals.LEGS_MAX:
        found.append(_wrong("/lines", f"A journal has 2 to {journals.LEGS_MAX} lines."))
    for place, line in enumerate(journal.lines):
        if not 0 < line.money.minor <= LEG_MAX:
            found.append(
                _wrong(f"/lines/{place}/amount", "The sum of a line is positive, and at most 35 digits long.")
            )
    if found:
        raise JournalInvalid(" ".join(error.message for error in found), errors=found)
    _check_sides(journal)


def _wrong_dimensions(dimensions: Mapping[str, str]) -> Iterator[errors.FieldError]:
    if len(dimensions) > DIMENSIONS_MAX:
        yield _wrong("/dimensions", f"A journal has at most {DIMENSIONS_MAX} dimensions.")
    for name, value in dimensions.items():
        yield from _text("/dimensions", name, 1, DIMENSION_NAME_MAX)
        yield from _text("/dimensions", value, 1, DIMENSION_VALUE_MAX)


def _check_sides(journal: NewJournal) -> None:
    sides = {(line.account_id, line.direction) for line in journal.lines}
    if any((account_id, -direction) in sides for account_id, direction in sides):
        raise _refusal(JournalInvalid, "/lines", "An account is debited and credited in one journal.")
    sums: dict[str, int] = {}
    for line in journal.lines:
        sums[line.money.currency] = sums.get(line.money.currency, 0) + line.direction * line.money.minor
    for currency, difference in sums.items():
        if difference:
            more, fewer = ("Debits", "credits") if difference > 0 else ("Credits", "debits")
            message = f"{more} are {Money(abs(difference), currency)} more than {fewer}."
            raise _refusal(refusals.Unbalanced, "/lines", message)


def _text(pointer: str, text: str, least: int, most: int) -> list[errors.FieldError]:
    if least <= len(text) <= most and text == text.strip() and text.isprintable():
        return []
    return [_wrong(pointer, f"Write {least} to {most} characters on one line, without blanks around them.")]


def _wrong(pointer: str, message: str) -> errors.FieldError:
    return errors.FieldError(pointer, JournalInvalid.code, message)


def _refusal(kind: type[errors.DomainError], pointer: str, message: str) -> errors.DomainError:
    return kind(message, errors=[errors.FieldError(pointer, kind.code, message)])


def _record(
    action: str,
    voucher: str,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
    changes: dict[str, Any] | None = None,
) -> None:
    records.write(
        action=action,
        object_type=OBJECT,
        object_id=voucher,
        actor=actor,
        now=now,
        reason=reason,
        changes=changes,
    )
