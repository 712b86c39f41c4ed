"""Disputes: what a provider says of them is recorded, booked and announced; people are told when an answer is due."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import F

from apps.access.selectors import applications, memberships
from apps.events.services import outbox
from apps.integrations.ports import DisputeReport, DisputeStage
from apps.integrations.selectors import accounts
from apps.kit import errors, faults, locks
from apps.kit.actors import Actor
from apps.ledger.contracts import Draft
from apps.ledger.services import journals
from apps.payments import events as money_events
from apps.payments.contracts import ANSWER_DISPUTE, DisputeFlag, Recorded
from apps.payments.events import disputes as events
from apps.payments.models import Dispute, InboundReceipt, PaymentAttempt
from apps.payments.models.dispute import TICKET_LENGTH
from apps.payments.postings import disputes as postings
from apps.payments.services import attempts, polling, suspense
from apps.payments.services.reports import ReportContradicts

if TYPE_CHECKING:
    from apps.integrations.models import ProviderAccount

KNOWN_WITHIN = timedelta(minutes=15)
"""For how long a dispute waits for its payment to be booked here, before it is one of a payment that nobody knows."""
REMIND_BEFORE = (timedelta(days=7), timedelta(days=3), timedelta(days=1), timedelta(hours=12))
"""How long before its answer is due people are told of a dispute."""
AFTER_DUE = timedelta(minutes=5)
MONEY_WITHIN = timedelta(days=30)
"""For how long a provider is asked for the money of a dispute that was won."""


def locked(dispute_id: UUID) -> Dispute:
    """
    Lock the attempt of a dispute, its intent, then the dispute, and return it with what it has of them linked; inside a
    transaction.

    Raises NotFound.
    """
    found = Dispute.objects.filter(id=dispute_id).first()
    if found is None:
        raise errors.NotFound("There is no such dispute.")
    return _locked(found, attempts.locked(found.attempt_id) if found.attempt_id else None)


def _locked(found: Dispute, attempt: PaymentAttempt | None) -> Dispute:
    dispute = Dispute.objects.locked().select_related("provider_account").get(id=found.id)
    if attempt is not None:
        dispute.attempt, dispute.intent = attempt, attempt.intent
    return dispute


@transaction.atomic
def record(
    *, account_id: UUID, report: DisputeReport, asked_at: datetime, actor: Actor, now: datetime
) -> Recorded:
    """
    Record what a provider said of a dispute when it was asked at ``asked_at``, book what that moved, and tell.

    Reports may repeat and cross: the same one again is a DUPLICATE, one that was asked for before another is IGNORED, and so is
    one that tells of less money moved, which flags the dispute for its owner. So is one of a payment that is not known here, for the first minutes; afterwards it is kept, booked and flagged
    for its owner. What a dispute holds of its payment is no more than is left of it; the rest is flagged. Raises ReportContradicts
    for one that cannot be. Locks the receipt, the attempt, its intent, then the dispute.
    """
    account = accounts.get(account_id)
    locks.advisory(f"payments:dispute:{account.provider}:{report.ticket}")
    known = Dispute.objects.filter(provider=account.provider, ticket=report.ticket).first()
    suspense.only((known and known.payment_receipt) or report.receipt)
    _check(report, known)
    attempt = _payment_of(account, report, known)
    if known is None and attempt is None and _may_be_early(report, now=now):
        return Recorded.IGNORED
    dispute = _opened(account, report, attempt, now=now) if known is None else _locked(known, attempt)
    if known is not None and _is_older(dispute, asked_at=asked_at):
        return Recorded.IGNORED
    if known is not None and _tells_less(dispute, report):
        return _set_aside(dispute, now=now)
    restored = _restored(dispute, report, now=now)
    before, moved_before, facts_before = dispute.status, dispute.moves, _facts(dispute)
    dispute.take(report, asked_at=asked_at, at=now)
    _hold(dispute)
    is_news = known is None or _facts(dispute) != facts_before or bool(restored)
    if moved_before != dispute.moves:
        dispute.bookings += 1
    _plan(dispute, now=now)
    dispute.save(force_insert=known is None)
    if attempt is not None:
        attempt.save_progress()
    if not is_news:
        return Recorded.DUPLICATE
    outbox.publish(*events.told(dispute, was="" if known is None else before, moved=moved_before), now=now)
    faults.reach("payments.before_dispute_posting")
    # The last step: balances, which every payment of the branch shares, stay locked until the commit.
    for draft in (*postings.drafts(dispute, before=moved_before), *restored):
        journals.post(draft=draft, actor=actor, now=now)
    return Recorded.APPLIED


def _check(report: DisputeReport, known: Dispute | None) -> None:
    if not 0 < len(report.ticket) <= TICKET_LENGTH or not report.money.is_positive:
        raise ReportContradicts("The report names no dispute about a positive sum.")
    moved = [money for money in (report.withdrawn, report.reinstated, report.fee) if money is not None]
    if len({money.currency for money in moved}) > 1 or any(money.minor < 0 for money in moved):
        raise ReportContradicts("The report moves money in two currencies, or less than nothing.")
    if known is None:
        return
    has_moved = known.moved_currency and moved and moved[0].currency != known.moved_currency
    if report.money.currency != known.currency or has_moved:
        raise ReportContradicts("The report names another currency than an earlier one.")


def _payment_of(
    account: "ProviderAccount", report: DisputeReport, known: Dispute | None
) -> PaymentAttempt | None:
    """Lock the attempt that the disputed money is of, and its intent; None where nobody here knows it."""
    if known is not None and known.attempt_id:
        return attempts.locked(known.attempt_id)
    if not report.receipt:
        return None
    paid = PaymentAttempt.objects.filter(
        provider_account__in=accounts.alike(account), provider_receipt=report.receipt
    )
    found = paid.order_by(F("surrendered_at").desc(nulls_first=True)).first()
    return attempts.locked(found.id) if found else None


def _may_be_early(report: DisputeReport, *, now: datetime) -> bool:
    return report.opened_at is not None and now < report.opened_at + KNOWN_WITHIN


def _opened(
    account: "ProviderAccount", report: DisputeReport, attempt: PaymentAttempt | None, *, now: datetime
) -> Dispute:
    """Return the row of a dispute that is new, not written yet, with who looks after it."""
    branch_id = attempt.branch_id if attempt else account.branch_id
    return Dispute(
        intent=attempt.intent if attempt else None,
        attempt=attempt,
        branch_id=branch_id,
        application_id=attempt.application_id if attempt else applications.portal().id,
        provider=account.provider,
        provider_account=attempt.provider_account if attempt else account,
        owner=memberships.first_with(ANSWER_DISPUTE, branch_id=branch_id),
        ticket=report.ticket,
        payment_receipt=report.receipt[:40],
        is_inquiry=report.stage is DisputeStage.UNDER_REVIEW and report.withdrawn is None,
        amount_minor=report.money.minor,
        currency=report.money.currency,
        created_at=now,
    )


def _is_older(dispute: Dispute, *, asked_at: datetime) -> bool:
    """Say whether a report was asked for before what is known."""
    is_same = asked_at == dispute.reported_at
    return asked_at < dispute.reported_at or (is_same and dispute.closed_at is not None)


def _tells_less(dispute: Dispute, report: DisputeReport) -> bool:
    """Say whether a report knows of less money that moved: what was booked does not shrink."""
    withdrawn = report.withdrawn.minor if report.withdrawn else 0
    reinstated = report.reinstated.minor if report.reinstated else 0
    return withdrawn < dispute.withdrawn_minor or reinstated < dispute.reinstated_minor


def _set_aside(dispute: Dispute, *, now: datetime) -> Recorded:
    """
    Believe nothing of a report that tells of less money: flag the dispute, once, and ask again by its plan. The flag goes with the
    next report that does not.
    """
    is_flagged = bool(dispute.flag)
    dispute.flag = dispute.flag or DisputeFlag.TOLD_LESS
    _plan(dispute, now=now)
    dispute.save(update_fields=["flag", "query_started_at", "next_query_at", "next_reminder_at"])
    if not is_flagged:
        outbox.publish(events.about(events.UPDATED, dispute), now=now)
    return Recorded.IGNORED


def _restored(dispute: Dispute, report: DisputeReport, *, now: datetime) -> list[Draft]:
    """Have money wait in suspense again that the dispute took from there and does not any more; return what is to be booked."""
    held = suspense.taken_by(dispute) if dispute.covered_minor and not dispute.is_lost_by(report) else None
    if held is None:
        return []
    draft = suspense.restore(dispute, held, why=f"Dispute {dispute.ticket}, which had taken it, goes on.")
    if isinstance(held, InboundReceipt):
        outbox.publish(money_events.about_money(money_events.MONEY_UNMATCHED, held), now=now)
    return [draft]


def _facts(dispute: Dispute) -> tuple[object, ...]:
    return (
        dispute.status,
        dispute.may_appeal,
        dispute.due_by,
        dispute.is_inquiry,
        dispute.flag,
        dispute.held_minor,
        dispute.moves,
    )


def _hold(dispute: Dispute) -> None:
    """Count what the dispute takes of its payment, as far as that much is left of it, and flag what a person must look at."""
    attempt = dispute.attempt
    if attempt is None:
        dispute.flag = DisputeFlag.UNKNOWN_PAYMENT
        return
    if attempt.received_currency != dispute.currency:
        dispute.flag = DisputeFlag.OTHER_CURRENCY
        return
    room = max(attempt.refundable_minor + dispute.held_minor, 0)
    held = min(dispute.claim_minor, room)
    dispute.flag = DisputeFlag.EXCEEDS_PAYMENT if held < dispute.claim_minor else ""
    attempt.hold_dispute(before=dispute.held_minor, after=held)
    dispute.hold(held)


def hold_rest(attempt: PaymentAttempt, *, now: datetime) -> None:
    """Let disputes that took more of a payment than was left hold what has become free of it; the caller holds its locks."""
    short = Dispute.objects.locked().filter(attempt_id=attempt.id, flag=DisputeFlag.EXCEEDS_PAYMENT)
    for dispute in short.order_by("id"):
        dispute.attempt, held_before = attempt, dispute.held_minor
        _hold(dispute)
        if dispute.held_minor == held_before:
            continue
        dispute.save(update_fields=["held_minor", "flag"])
        attempt.save_progress()
        outbox.publish(events.about(events.UPDATED, dispute), now=now)


def _plan(dispute: Dispute, *, now: datetime) -> None:
    """Plan the next question and the next reminder."""
    dispute.query_started_at = None
    dispute.next_query_at = next_query(dispute, now=now)
    dispute.next_reminder_at = next_reminder(dispute, now=now)


def next_query(dispute: Dispute, *, now: datetime) -> datetime | None:
    """
    Return when the provider is asked next: every six hours while it is open and just after its answer was due, and some days
    after its end, for an inquiry may become a chargeback and a lost dispute be won on appeal.
    """
    later = now + polling.ASKED_AT_LEAST_EVERY
    if dispute.closed_at is None:
        is_due_before = dispute.due_by is not None and now < dispute.due_by + AFTER_DUE < later
        return dispute.due_by + AFTER_DUE if is_due_before and dispute.due_by else later
    if dispute.is_owed and now < dispute.closed_at + MONEY_WITHIN:
        return later
    return polling.next_after_success(succeeded_at=dispute.closed_at, now=now)


def next_reminder(dispute: Dispute, *, now: datetime) -> datetime | None:
    """Return when people are told next that an answer is due; None once it is given, or nothing is left to remind of."""
    if not dispute.is_unanswered or dispute.due_by is None:
        return None
    return next((dispute.due_by - each for each in REMIND_BEFORE if dispute.due_by - each > now), None)


@transaction.atomic
def remind(*, dispute_id: UUID, now: datetime) -> None:
    """Tell that the answer to a dispute is due soon, where that time has come; a repeat says nothing."""
    dispute = locked(dispute_id)
    if dispute.next_reminder_at is None or dispute.next_reminder_at > now:
        return
    is_told = dispute.is_unanswered and dispute.due_by is not None and now < dispute.due_by
    dispute.next_reminder_at = next_reminder(dispute, now=now)
    dispute.save(update_fields=["next_reminder_at"])
    if is_told:
        outbox.publish(events.about(events.DUE_SOON, dispute), now=now)
