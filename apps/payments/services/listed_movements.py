"""Listed movements: kept for people, closed once what they are of is booked, or put away by a person who has found out what they are."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.audit.services import records
from apps.integrations.ports import NudgeKind, StatementRow
from apps.kit import errors, ids
from apps.kit.actors import SYSTEM, Actor
from apps.kit.money import Money
from apps.payments.contracts.listed import ListedMatter
from apps.payments.models import ListedMovement, PaymentAttempt
from apps.payments.selectors import listed_movements as stored
from apps.payments.services.refund_limits import ReasonMissing

AGGREGATE = "listed_movement"


class NotOpen(errors.DomainError):
    """Somebody has put the movement away, or what it is of has been booked."""

    code = "movement_not_open"
    title = "Not open any more"


def differs(attempt: PaymentAttempt, listed: Money | None) -> bool:
    """Say whether a payment is booked with another fee than is listed, as far as the two can be compared."""
    fee = attempt.fee
    is_compared = fee is not None and listed is not None and fee.currency == listed.currency
    return is_compared and fee != listed


def keep(
    account_id: UUID,
    row: StatementRow,
    matter: ListedMatter,
    *,
    attempt: PaymentAttempt | None = None,
    now: datetime,
) -> None:
    """
    Keep a movement for people, once: what became of it since stays as it is. One without a nudge is money that came, and its
    receipt is its number.
    """
    nudge = row.nudge
    ListedMovement.objects.get_or_create(
        provider_account_id=account_id,
        number=nudge.event_id if nudge else row.receipt,
        defaults={
            "kind": row.kind,
            "about": nudge.kind if nudge else NudgeKind.COLLECTION,
            "ticket": nudge.ticket if nudge else "",
            "matter": matter.value,
            "receipt": row.receipt,
            "amount_minor": row.money.minor,
            "currency": row.money.currency,
            "fee_minor": row.fee.minor if row.fee else None,
            "fee_currency": row.fee.currency if row.fee else "",
            "attempt": attempt,
            "occurred_at": row.at,
            "listed_at": now,
        },
    )


@transaction.atomic
def explain(*, movement_id: UUID, now: datetime) -> None:
    """
    Close a movement that what is booked explains by now; one whose payment is booked with another fee stays for that.

    The sweep calls it for all that ``selectors.listed_movements.explained`` finds, whoever booked it: so nothing that books has to
    know of lists, and what was booked while its row was being listed is found a few seconds later. Safe to repeat and to run twice
    at once; does nothing for one that is closed, or that nothing explains.
    """
    movement = ListedMovement.objects.locked().filter(id=movement_id).first()
    if movement is None or not stored.explained().filter(id=movement_id).exists():
        return
    attempt = stored.payment_of(movement)
    is_payment = movement.about == NudgeKind.COLLECTION
    if attempt is not None and is_payment and differs(attempt, movement.fee):
        movement.differ_from(attempt)
    else:
        movement.explain(attempt=attempt, reason=_why(movement, attempt), by=str(SYSTEM), at=now)
    movement.save_progress()


def _why(movement: ListedMovement, attempt: PaymentAttempt | None) -> str:
    if attempt is None:
        return "Its money is booked under its receipt."
    if movement.about == NudgeKind.REFUND:
        return f"A refund of payment {attempt.code} is booked."
    return f"Payment {attempt.code} is booked."


@transaction.atomic
def explain_as(*, movement_id: UUID, reason: str, now: datetime) -> None:
    """Close a movement that another app has booked; ``reason`` says as what. Does nothing for one that is closed."""
    movement = ListedMovement.objects.locked().open().filter(id=movement_id).first()
    if movement is not None:
        movement.explain(attempt=None, reason=reason, by=str(SYSTEM), at=now)
        movement.save_progress()


@transaction.atomic
def put_away(*, movement_id: UUID, reason: str, actor: Actor, now: datetime) -> ListedMovement:
    """
    Close a movement of which a person has found out that nothing is left to be done here. It moves and books nothing, and stays
    in the list of what was put away.

    Raises NotFound, ReasonMissing, and NotOpen for one that is closed; then nothing is written. Locks the row.
    """
    if not reason.strip():
        raise ReasonMissing("Say why the movement is put away.")
    movement = (
        ListedMovement.objects.locked().select_related("provider_account").filter(id=movement_id).first()
    )
    if movement is None:
        raise errors.NotFound("There is no such movement.")
    if not movement.is_open:
        state = movement.status.lower().replace("_", " ")
        raise NotOpen(f"This movement is {state}: nothing is left to decide.")
    before = movement.status
    movement.put_away(reason=reason.strip(), by=str(actor), at=now)
    movement.save_progress()
    records.write(
        action="movement.put_away",
        object_type=AGGREGATE,
        object_id=ids.encode("lm", movement.id),
        actor=actor,
        now=now,
        changes={"status": [before, movement.status], "amount": [None, movement.money.wire()]},
        reason=movement.reason,
        branch=movement.provider_account.branch_id,
    )
    return movement
