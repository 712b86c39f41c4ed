"""What people say of a transfer of which the provider told another sum: one says it with evidence, another agrees, and it ends so."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.access.selectors import limits as amount_limits
from apps.approvals.contracts import Decided, NewRequest
from apps.approvals.services import verdicts
from apps.approvals.services.verdicts import AnswerMayCome, NotUnknown, VerdictRuleMissing, VerdictWaits
from apps.disbursements.contracts import TRANSFER_VERDICT, TransferVerdict
from apps.disbursements.models import Transfer
from apps.disbursements.models.order import TICKET_LENGTH
from apps.disbursements.services import transfer_approvals, transfer_limits, transfers
from apps.kit import errors, ids
from apps.kit.actors import Actor
from apps.kit.money import Money
from apps.ledger.services import journals

__all__ = [
    "AnswerMayCome",
    "NotUnknown",
    "VerdictRuleMissing",
    "VerdictWaits",
    "ask",
    "decide",
    "may_be_answered",
]

NOT_MADE = "transfer_not_made"
FOUND_OUT = "The provider told of another sum, and people found that it moved nothing."
"""What partners are told; why somebody decided so is for the audit trail."""


class TicketInvalid(errors.Invalid):
    """The provider's id of a transfer is missing, or is that of another transfer."""

    code = "transfer_ticket_invalid"
    title = "Id of the provider invalid"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, errors=[errors.FieldError("/ticket", self.code, detail)])


@transaction.atomic
def ask(
    *, transfer_id: UUID, moved: Money | None, ticket: str, reason: str, actor: Actor, now: datetime
) -> Transfer:
    """
    Say what became of an unknown transfer, and ask others to agree; until then nothing changes.

    ``moved`` is the sum that the provider's pages show as moved, under its id ``ticket``; None says that it moved nothing. Raises
    NotFound, NotUnknown, AnswerMayCome, VerdictWaits, VerdictRuleMissing, ReversalReasonMissing, TransferTooSmall,
    TransferCurrencyWrong, TicketInvalid and LimitExceeded. Locks the transfer.
    """
    transfer = transfers.locked(transfer_id)
    CLOSE.require_lost(transfer, now=now)
    if not reason.strip():
        raise transfer_limits.ReversalReasonMissing("Say what shows it.")
    ticket = "" if moved is None else _ticket(transfer, ticket)
    if moved is not None:
        _check_sum(transfer, moved)
    amount_limits.require_may_ask(
        actor=actor, money=max(moved or transfer.money, transfer.money), field=transfer_limits.AMOUNT
    )
    transfer.say(moved, ticket=ticket, reason=reason.strip(), by=str(actor))
    return CLOSE.ask(transfer, actor=actor, now=now)


def may_be_answered(transfer: Transfer, *, now: datetime) -> bool:
    """Say whether a provider may still tell what became of an UNKNOWN transfer: it is asked again, or has had no whole day."""
    return transfer.next_query_at is not None or verdicts.is_fresh(transfer.unknown_at, now=now)


def _check_sum(transfer: Transfer, moved: Money) -> None:
    if moved.currency != transfer.currency:
        raise transfer_limits.TransferCurrencyWrong(f"This transfer is in {transfer.currency}.")
    if not moved.is_positive:
        raise transfer_limits.TransferTooSmall("Write the sum that was moved.")


def _ticket(transfer: Transfer, ticket: str) -> str:
    """Return the provider's id of a transfer; raise TicketInvalid for none, and for one of another transfer."""
    text = ticket.strip()
    if not 0 < len(text) <= TICKET_LENGTH:
        raise TicketInvalid("Write the id under which the provider's pages show the transfer.")
    others = Transfer.objects.filter(provider_account_id=transfer.provider_account_id, ticket=text)
    if others.exclude(id=transfer.id).exists():
        raise TicketInvalid("This is the id of another transfer.")
    return text


@transaction.atomic
def decide(*, decided: Decided, now: datetime) -> Transfer:
    """
    End a transfer as other people have agreed: booked with the sum that moved, or failed and owed again.

    What they did not agree to is dropped, and so is what cannot be any more: the provider is asked again, the id is another transfer's,
    or the books refuse it. The audit trail says why, and the transfer stays as it is. A repeat changes nothing, nor does a decision
    after the provider's answer, which dropped what was said. Raises NotFound.
    """
    transfer = transfers.locked(decided.subject_id)
    try:
        with transaction.atomic():
            return CLOSE.decide(transfer, decided=decided, now=now)
    except journals.LimitExceeded as refusal:
        return CLOSE.drop(transfers.locked(decided.subject_id), refusal.detail, now=now)


def _end(transfer: Transfer, maker: Actor, now: datetime) -> None:
    if transfer.verdict == TransferVerdict.MADE:
        transfer.succeed(ticket=transfer.verdict_ticket, at=now, next_query_at=None)
        transfer.save_progress()
        transfers.made(transfer, actor=maker, now=now)
    else:
        transfer.fail(code=NOT_MADE, message=FOUND_OUT, provider_code="", at=now)
        transfer.save_progress()
        transfers.not_made(transfer, actor=maker, now=now)


def _hindrance(transfer: Transfer) -> str:
    """Return why a transfer cannot be booked any more under the id that people told, or an empty text."""
    if transfer.verdict_ticket:
        try:
            _ticket(transfer, transfer.verdict_ticket)
        except TicketInvalid as refusal:
            return refusal.detail
    return ""


def _request(transfer: Transfer) -> NewRequest:
    said = (
        f"{transfer.said_moved} moved as {transfer.verdict_ticket}" if transfer.verdict_ticket else "not made"
    )
    party = transfer.connected_account.party
    return NewRequest(
        kind=TRANSFER_VERDICT,
        subject_id=transfer.id,
        subject_reference=ids.encode("tr", transfer.id),
        payload={
            **transfer_approvals.payload(transfer),
            "verdict": transfer.verdict.lower().replace("_", " "),
            "verdict_amount": transfer.said_moved.text if transfer.verdict_minor is not None else "",
            "verdict_ticket": transfer.verdict_ticket,
            "verdict_reason": transfer.verdict_reason,
        },
        names=transfer_approvals.names(transfer),
        branch_id=transfer.branch_id,
        application_id=transfer.application_id,
        summary=f"Unknown transfer {transfer.money} to {party}, {said}: {transfer.verdict_reason}",
        money=max(transfer.said_moved, transfer.money),
    )


def _changes(transfer: Transfer) -> dict[str, Any]:
    return {
        "verdict": [None, transfer.verdict],
        "provider_reference": [None, transfer.verdict_ticket],
        "amount": [transfer.money.wire(), transfer.said_moved.wire()],
    }


CLOSE = verdicts.Close(
    noun="transfer",
    asked="transfer.verdict_asked",
    left="transfer.verdict_left",
    judged="transfer.judged",
    request=_request,
    changes=_changes,
    may_be_answered=may_be_answered,
    hindrance=_hindrance,
    end=_end,
)
