"""Reports of providers: whether one can be of its attempt, and what a later one adds to an earlier one."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.events.services import outbox
from apps.integrations.ports import CollectionReport, Outcome
from apps.integrations.selectors import accounts
from apps.kit import errors
from apps.kit.actors import Actor
from apps.kit.compiled import Read
from apps.ledger.services import journals
from apps.payments import events, postings
from apps.payments.contracts import Recorded
from apps.payments.models import InboundReceipt, PaymentAttempt, Refund
from apps.payments.models.attempt import TICKET_LENGTH
from apps.payments.postings import Inflow
from apps.payments.services import attempts, bookings, silent, suspense, verdict_answers

_BEARING = Read(
    lambda provider, receipt, but: (
        PaymentAttempt.objects.bearing(receipt, provider=provider).exclude(id=but).values_list("id")[:1]
    ),
    str,
    str,
    UUID,
)
_TICKETED = Read(
    lambda account_id, ticket: PaymentAttempt.objects.filter(
        provider_account_id=account_id, ticket=ticket
    ).values_list("id")[:1],
    UUID,
    str,
)
_REFUNDED = Read(
    lambda provider, receipt: Refund.objects.filter(provider=provider, provider_receipt=receipt).values_list(
        "id"
    )[:1],
    str,
    str,
)


class ReportContradicts(errors.DomainError):
    """A report names another ticket, receipt or sum than its attempt can have; nothing of it was recorded."""

    code = "report_contradicts"
    title = "Report contradicts the payment"


class MoneyUnexplained(ReportContradicts):
    """Money arrived a second time for one request, or in another sum than another road tells; nothing of it was booked."""


def check_agreement(attempt: PaymentAttempt, report: CollectionReport) -> None:
    """
    Raise ReportContradicts for another ticket, receipt or sum than known, a receipt of another payment, or no sum.

    Another receipt for money that is booked is MoneyUnexplained where the report names the attempt's own ticket: only
    the provider knows both, so this is money.
    """
    if attempt.ticket and report.ticket and attempt.ticket != report.ticket:
        raise ReportContradicts("The report names another ticket than the provider gave us.")
    if len(report.ticket) > TICKET_LENGTH:
        raise ReportContradicts("The report names a ticket that no provider gives.")
    if report.ticket and not attempt.ticket and _TICKETED.is_any(attempt.provider_account_id, report.ticket):
        raise ReportContradicts("The ticket belongs to another payment.")
    if report.money is not None and not report.money.is_positive:
        raise ReportContradicts("The report names no positive sum.")
    is_new = report.receipt not in ("", attempt.provider_receipt)
    if is_new and _BEARING.is_any(attempt.provider, report.receipt, attempt.id):
        if attempt.ticket and attempt.ticket == report.ticket and suspense.was_decided(report.receipt):
            raise MoneyUnexplained(f"A person gave receipt {report.receipt} to another payment, or back.")
        raise ReportContradicts("The receipt belongs to another payment.")
    if report.receipt and _REFUNDED.is_any(attempt.provider, report.receipt):
        raise ReportContradicts("The receipt belongs to a refund.")
    _check_booked(attempt, report)


def _check_booked(attempt: PaymentAttempt, report: CollectionReport) -> None:
    if not attempt.is_booked:
        return
    if attempt.provider_receipt and report.receipt and attempt.provider_receipt != report.receipt:
        is_ours = bool(attempt.ticket) and attempt.ticket == report.ticket
        if is_ours and report.outcome is Outcome.COLLECTED:
            raise MoneyUnexplained(
                f"Receipt {report.receipt} came after {attempt.provider_receipt} was booked."
            )
        raise ReportContradicts("The report names another receipt than an earlier one.")
    if report.money is None:
        return
    if report.money.currency != attempt.received_currency:
        raise ReportContradicts("The report names another currency than was booked.")
    if attempt.is_amount_reported and report.money != attempt.received:
        raise ReportContradicts("The report names another sum than an earlier one.")


@transaction.atomic
def hold_unexplained(*, attempt_id: UUID, receipt: str, now: datetime) -> None:
    """
    Call for a person to look at money that came a second time, once per receipt; nothing is booked.

    An attempt that waits for an answer is asked about no more: what the provider would say is of this money. Locks the
    attempt, then its intent.
    """
    attempts.lose(attempt_id=attempt_id, now=now)
    attempt = attempts.locked(attempt_id)
    if attempt.unexplained_receipt == receipt:
        return
    attempt.unexplained_receipt = receipt
    attempt.save_progress()
    if not attempt.is_booked:
        verdict_answers.heed(attempt, now=now)
    outbox.publish(events.in_review(attempt), now=now)


def is_of_unexplained(attempt: PaymentAttempt, report: CollectionReport) -> bool:
    """
    Say whether a report without a receipt may speak of the unexplained money that people look at, or have decided about, and so
    books nothing.
    """
    is_without_receipt = report.outcome is Outcome.COLLECTED and not report.receipt
    is_decided = attempt.unnamed_at is not None and attempt.judged_at is not None
    return is_without_receipt and (bool(attempt.unexplained_receipt) or is_decided) and not attempt.is_booked


def complete(attempt: PaymentAttempt, report: CollectionReport, *, actor: Actor, now: datetime) -> Recorded:
    """
    Fill in what an earlier report of the same money did not tell: the receipt, the sum if it was assumed, and the provider's
    own fee, with a conversion, in place of that of the tariff.

    The fee of the tariff stays as it was booked unless the sum does not. A sum that differs from the assumed one corrects the ledger against suspense and is announced for review;
    the success that was announced stands. Money that waits in suspense under the receipt was booked there a second time:
    that booking is taken back, and MoneyUnexplained is raised where it is of another sum. The caller holds the locks.
    """
    is_new_receipt = bool(report.receipt) and not attempt.provider_receipt
    receipt = report.receipt if is_new_receipt else ""
    held = suspense.regained(attempt.provider, receipt, now=now)
    report = agreed(attempt, report, held)
    is_new_sum = report.money is not None and not attempt.is_amount_reported
    is_new_fee = report.fee is not None and not attempt.is_fee_reported
    if not is_new_receipt and not is_new_sum and not is_new_fee:
        return Recorded.DUPLICATE
    assumed = Inflow.of(attempt)
    corrected = _fill_in(attempt, report, is_new_sum=is_new_sum, is_new_fee=is_new_fee)
    if held is not None:
        suspense.retract(held, attempt=attempt, actor=actor, now=now)
    if is_new_receipt:
        silent.name(attempt, actor=actor, now=now)
    if corrected != assumed:
        outbox.publish(events.in_review(attempt), now=now)
        draft = postings.correction(attempt, assumed=assumed, told=corrected)
        journals.post(draft=draft, actor=actor, now=now)
    if is_new_fee:
        bookings.completion(attempt, assumed=corrected, actor=actor, now=now)
    return Recorded.APPLIED


def _fill_in(
    attempt: PaymentAttempt, report: CollectionReport, *, is_new_sum: bool, is_new_fee: bool
) -> Inflow:
    """Take over what is new, and return what the money is by it before a fee of the provider's own is counted."""
    assumed = Inflow.of(attempt)
    attempt.provider_receipt = attempt.provider_receipt or report.receipt
    attempt.occurred_at = attempt.occurred_at or report.occurred_at
    if report.money is not None and is_new_sum:
        is_as_assumed = report.money == assumed.received
        fee = assumed.fee if is_as_assumed else attempt.provider_account.fee(report.money)
        attempt.correct(received=report.money, fee=fee)
    corrected = Inflow.of(attempt)
    if is_new_fee:
        attempt.take_terms(report, tariff=corrected.fee)
    if not attempt.is_incomplete:
        attempt.next_query_at = None
    attempt.save_progress()
    return corrected


def agreed(
    attempt: PaymentAttempt, report: CollectionReport, held: InboundReceipt | None
) -> CollectionReport:
    """
    Return the report with the sum that waits under its receipt; raise MoneyUnexplained where it tells another one, or where
    that waits at an account that is another one at the provider.
    """
    if held is None:
        return report
    if not accounts.are_alike(held.provider_account, attempt.provider_account):
        raise MoneyUnexplained(f"Receipt {held.receipt} is of money that arrived at another account.")
    if report.money not in (None, held.money):
        raise MoneyUnexplained(
            f"{held.money} waits under receipt {held.receipt}; the report tells of {report.money}."
        )
    return replace(report, money=held.money)
