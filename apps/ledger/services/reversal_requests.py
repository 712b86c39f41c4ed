"""Requests to reverse: a person asks that a booking is taken back, and another one agrees before it is."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.access.selectors import applications, branches, limits
from apps.access.selectors.branches import BranchForbidden
from apps.approvals.contracts import ApprovalStatus, Decided, Named, NewRequest, payload_hash
from apps.approvals.selectors import requests as asked
from apps.approvals.services import requests
from apps.audit.services import records
from apps.kit import errors
from apps.kit.actors import SYSTEM, Actor
from apps.kit.money import Money
from apps.ledger.contracts import AHEAD_MAX, REVERSAL, Booked, Direction, Layer
from apps.ledger.models import Entry, Transaction
from apps.ledger.services import accounts, effective_dates, reversals, unbooked
from apps.ledger.services.journals import OF_HOLDS

REASON_MIN = 5
REASON_MAX = 200
OBJECT = "ledger_transaction"
ASKED, FAILED, VOID = "ledger.reversal_asked", "ledger.reversal_failed", "ledger.reversal_void"


class ReversalInvalid(errors.Invalid):
    """A reversal says why, on one line, and is dated from what it takes back to ten years from now."""

    code = "ledger_reversal_invalid"
    title = "Reversal not valid"


class ReversalRuleMissing(errors.DomainError):
    """No approval rule says who may agree to a reversal."""

    code = "ledger_reversal_rule_missing"
    title = "Nobody may approve a reversal"


def require_possible(*, transaction_id: UUID, within: Collection[UUID] | None) -> Transaction:
    """
    Return a transaction that can be reversed, all of whose branches are among ``within`` (None for all).

    Raises NotFound, NotReversible (a reversal, a closing, a hold or a step of one), AlreadyReversed and BranchForbidden.
    """
    original = Transaction.objects.filter(uid=transaction_id).first()
    if original is None:
        raise errors.NotFound("There is no such transaction.")
    if original.kind in OF_HOLDS:
        raise reversals.NotReversible("A hold and its steps are not reversed. Release what is still held.")
    if original.kind not in reversals.REVERSIBLE:
        raise reversals.NotReversible(
            f"A {original.kind.lower()} is not reversed. Book what corrects it as a journal."
        )
    turned = Transaction.objects.filter(reverses=original).first()
    if turned is not None:
        raise reversals.AlreadyReversed(f"{original.number} was reversed by {turned.number}.")
    if within is not None and original.entries.exclude(account__branch_id__in=within).exists():
        raise BranchForbidden(
            f"{original.number} touches a branch that you do not work for. Ask somebody who works for all of them."
        )
    return original


@transaction.atomic
def ask(
    *,
    transaction_id: UUID,
    reason: str,
    effective_date: date,
    actor: Actor,
    now: datetime,
    within: Collection[UUID] | None = None,
) -> UUID:
    """
    Ask other people to agree that a transaction is reversed, and return the id of the approval request; nothing is booked yet.

    The same again returns the request that waits. Raises as ``require_possible``, and ReversalInvalid, PeriodClosed,
    ReversalRuleMissing, LimitExceeded, and RequestPending where another request about this transaction waits.
    """
    original = require_possible(transaction_id=transaction_id, within=within)
    reason = _check(original, reason, effective_date, now)
    effective_dates.require_open(effective_date)
    waits = asked.pending_of(kind=REVERSAL.name, subject_id=original.uid) is not None
    wanted = _request(original, reason, effective_date)
    limits.require_may_ask(actor=actor, money=wanted.money)
    request = requests.submit(request=wanted, actor=actor, now=now)
    if request is None:
        raise ReversalRuleMissing("Make an approval rule for reversals first.")
    if not waits:
        _record(ASKED, original, actor=actor, now=now, reason=reason)
    return request.id


@transaction.atomic
def decide(*, decided: Decided, now: datetime) -> Booked | None:
    """
    Book a reversal that other people have agreed to, as its maker; None where nothing is booked.

    What the ledger refuses, because the period was closed or the money is gone meanwhile, leaves nothing behind but a
    row of Unbooked and a record ``ledger.reversal_failed``, which say why. Where locks cannot be had it raises
    LedgerBusy. A repeat returns the first booking, and does not try again what was refused.
    """
    if decided.status != ApprovalStatus.APPROVED:
        return None
    request = asked.within(None, None).get(id=decided.request_id)
    if unbooked.is_kept(request):
        return None
    original = Transaction.objects.get(uid=decided.subject_id)
    payload = asked.present_version(request).payload
    reason, effective_date = payload["reason"], date.fromisoformat(payload["effective_date"])
    if decided.payload_hash != payload_hash(_payload(original, reason, effective_date)):
        unbooked.keep_void(request=request, now=now)
        _record(VOID, original, actor=SYSTEM, now=now, reason=reason)
        return None
    maker = asked.maker_of(request)
    try:
        return reversals.reverse(
            transaction_id=original.uid,
            reason=reason,
            actor=maker,
            now=now,
            effective_date=effective_date,
            approved_by=asked.approvers(request),
        )
    except errors.DomainError as refusal:
        if refusal.retryable:
            raise
        changes = {"code": [None, refusal.code], "detail": [None, refusal.detail]}
        unbooked.keep(request=request, refusal=refusal, now=now)
        _record(FAILED, original, actor=maker, now=now, reason=reason, changes=changes)
        return None


def _check(original: Transaction, reason: str, effective_date: date, now: datetime) -> str:
    reason = reason.strip()
    if not REASON_MIN <= len(reason) <= REASON_MAX or not reason.isprintable():
        raise _invalid("/reason", f"Say why on one line, in {REASON_MIN} to {REASON_MAX} characters.")
    if effective_date < original.effective_date:
        raise _invalid(
            "/effective_date",
            f"Date it {original.effective_date:%Y-%m-%d} or later: that is when it was booked.",
        )
    last = (now + AHEAD_MAX).date()
    if effective_date > last:
        raise _invalid("/effective_date", f"Date it {last:%Y-%m-%d} or earlier.")
    return reason


def _invalid(pointer: str, message: str) -> ReversalInvalid:
    return ReversalInvalid(message, errors=[errors.FieldError(pointer, ReversalInvalid.code, message)])


def _request(original: Transaction, reason: str, effective_date: date) -> NewRequest:
    entries = _entries(original)
    places = {entry.account.branch_id for entry in entries}
    return NewRequest(
        kind=REVERSAL,
        subject_id=original.uid,
        subject_reference=original.number,
        payload=_payload(original, reason, effective_date),
        names=(
            Named(OBJECT, str(original.uid), made_by=original.created_by),
            *accounts.named(entry.account for entry in entries),
        ),
        branch_id=places.pop() if len(places) == 1 else branches.head_office().id,
        application_id=applications.portal().id,
        summary=f"Reverse {original.number}, {original.description}: {reason}",
        money=_money(entries),
    )


def _payload(original: Transaction, reason: str, effective_date: date) -> dict[str, Any]:
    """Return everything that is approved of a reversal: its lines are those of the original, turned around."""
    return {
        "transaction": original.number,
        "effective_date": effective_date.isoformat(),
        "reason": reason,
        "lines": [
            {
                "account": str(entry.account.uid),
                "side": Direction(-entry.direction).name,
                "minor": str(int(entry.amount)),
                "currency": entry.currency,
            }
            for entry in _entries(original)
        ],
    }


def _entries(original: Transaction) -> list[Entry]:
    return list(original.entries.filter(layer=Layer.POSTED).select_related("account__line").order_by("seq"))


def _money(entries: Collection[Entry]) -> Money | None:
    """Return the sum of one side, where all of it is in one currency: approval rules have bands."""
    currencies = {entry.currency for entry in entries}
    if len(currencies) != 1:
        return None
    sum_ = sum(int(entry.amount) for entry in entries if entry.direction == Direction.DEBIT)
    return Money(sum_, currencies.pop())


def _record(
    action: str,
    original: Transaction,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
    changes: dict[str, Any] | None = None,
) -> None:
    records.write(
        action=action,
        object_type=OBJECT,
        object_id=str(original.uid),
        actor=actor,
        now=now,
        reason=reason,
        changes=changes,
    )
