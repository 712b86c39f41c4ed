"""What people say of a transfer of which the provider told another sum: one says it with evidence, another agrees, and it ends so."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.access.selectors import limits as amount_limits
from apps.approvals.contracts import ApprovalStatus, Decided, NewRequest, payload_hash
from apps.approvals.selectors import requests as asked
from apps.approvals.services import requests
from apps.audit.services import records
from apps.disbursements import events
from apps.disbursements.contracts import TRANSFER_VERDICT, TransferStatus, TransferVerdict
from apps.disbursements.models import Transfer
from apps.disbursements.models.order import TICKET_LENGTH
from apps.disbursements.services import transfer_approvals, transfer_limits, transfers
from apps.kit import errors, ids
from apps.kit.actors import SYSTEM, Actor
from apps.kit.money import Money
from apps.ledger.services import journals

ANSWERS_WITHIN = timedelta(days=1)
"""How long a provider may still tell by itself what became of a transfer."""

NOT_MADE = "transfer_not_made"
FOUND_OUT = "The provider told of another sum, and people found that it moved nothing."
"""What partners are told; why somebody decided so is for the audit trail."""


class NotUnknown(errors.DomainError):
    """Only a transfer of which nobody knows is closed by people."""

    code = "transfer_not_unknown"
    title = "Not unknown"


class AnswerMayCome(errors.DomainError):
    """The provider may still tell what became of this transfer: wait for a day, and for the questions that are planned."""

    code = "transfer_answer_may_come"
    title = "An answer may come"
    retryable = True


class VerdictWaits(errors.DomainError):
    """Other people are asked whether this transfer is closed; that is decided or withdrawn first."""

    code = "transfer_verdict_waits"
    title = "Waits for approval"


class VerdictRuleMissing(errors.DomainError):
    """No approval rule says who may agree to the close of an unknown transfer."""

    code = "transfer_verdict_rule_missing"
    title = "Nobody may approve the close"


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
    _require_lost(transfer, now=now)
    if not reason.strip():
        raise transfer_limits.ReversalReasonMissing("Say what shows it.")
    ticket = "" if moved is None else _ticket(transfer, ticket)
    if moved is not None:
        _check_sum(transfer, moved)
    amount_limits.require_may_ask(
        actor=actor, money=max(moved or transfer.money, transfer.money), field=transfer_limits.AMOUNT
    )
    transfer.say(moved, ticket=ticket, reason=reason.strip(), by=str(actor))
    approval = requests.submit(request=_request(transfer), actor=actor, now=now)
    if approval is None:
        raise VerdictRuleMissing("Make an approval rule for the close of unknown transfers first.")
    transfer.verdict_approval_id = approval.id
    transfer.save_progress()
    _audit("transfer.verdict_asked", transfer, actor=actor, now=now, reason=transfer.verdict_reason)
    return transfer


def _require_lost(transfer: Transfer, *, now: datetime) -> None:
    """Raise NotUnknown, AnswerMayCome or VerdictWaits for a transfer of which people cannot say now what became of it."""
    if transfer.status != TransferStatus.UNKNOWN:
        state = transfer.status.lower().replace("_", " ")
        raise NotUnknown(f"This transfer is {state}: only one of which nobody knows is closed by people.")
    if transfer.verdict:
        raise VerdictWaits("Other people have been asked already.")
    if may_be_answered(transfer, now=now):
        raise AnswerMayCome(
            "The provider may still answer. Wait for a day, and for the questions that are planned."
        )


def may_be_answered(transfer: Transfer, *, now: datetime) -> bool:
    """Say whether a provider may still tell what became of an UNKNOWN transfer: it is asked again, or has had no whole day."""
    is_planned = transfer.next_query_at is not None
    return is_planned or transfer.unknown_at is None or now < transfer.unknown_at + ANSWERS_WITHIN


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
    if transfer.verdict_approval_id != decided.request_id or transfer.judged_at is not None:
        return transfer
    why = _hindrance(transfer, decided, now=now)
    if not why:
        maker = asked.maker_of(asked.within(None, None).get(id=decided.request_id))
        try:
            with transaction.atomic():
                return _end(transfer, maker=maker, now=now)
        except journals.LimitExceeded as refusal:
            why, transfer = refusal.detail, transfers.locked(decided.subject_id)
    _audit("transfer.verdict_left", transfer, actor=SYSTEM, now=now, reason=why)
    transfer.unsay()
    transfer.save_progress()
    return transfer


def _end(transfer: Transfer, *, maker: Actor, now: datetime) -> Transfer:
    transfer.judged_at = now
    _audit("transfer.judged", transfer, actor=maker, now=now, reason=transfer.verdict_reason)
    if transfer.verdict == TransferVerdict.MADE:
        transfer.succeed(ticket=transfer.verdict_ticket, at=now, next_query_at=None)
        transfer.save_progress()
        transfers.made(transfer, actor=maker, now=now)
    else:
        transfer.fail(code=NOT_MADE, message=FOUND_OUT, provider_code="", at=now)
        transfer.save_progress()
        transfers.not_made(transfer, actor=maker, now=now)
    return transfer


def _hindrance(transfer: Transfer, decided: Decided, *, now: datetime) -> str:
    """Return why a verdict is not carried out, or an empty text."""
    if decided.status != ApprovalStatus.APPROVED:
        return decided.reason or f"The request is {decided.status.lower()}."
    if decided.payload_hash != payload_hash(_payload(transfer)):
        return transfers.VOID
    if may_be_answered(transfer, now=now):
        return "The provider is asked again meanwhile."
    return _hindrance_of_ticket(transfer)


def _hindrance_of_ticket(transfer: Transfer) -> str:
    """Return why a transfer cannot be booked any more under the id that people told, or an empty text."""
    if transfer.verdict_ticket:
        try:
            _ticket(transfer, transfer.verdict_ticket)
        except TicketInvalid as refusal:
            return refusal.detail
    return ""


def _payload(transfer: Transfer) -> dict[str, str]:
    """Return everything that is approved of the close of a transfer."""
    return {
        **transfer_approvals.payload(transfer),
        "verdict": transfer.verdict.lower().replace("_", " "),
        "verdict_amount": transfer.said_moved.text if transfer.verdict_minor is not None else "",
        "verdict_ticket": transfer.verdict_ticket,
        "verdict_reason": transfer.verdict_reason,
    }


def _request(transfer: Transfer) -> NewRequest:
    said = (
        f"{transfer.said_moved} moved as {transfer.verdict_ticket}" if transfer.verdict_ticket else "not made"
    )
    party = transfer.connected_account.party
    return NewRequest(
        kind=TRANSFER_VERDICT,
        subject_id=transfer.id,
        subject_reference=ids.encode("tr", transfer.id),
        payload=_payload(transfer),
        names=transfer_approvals.names(transfer),
        branch_id=transfer.branch_id,
        application_id=transfer.application_id,
        summary=f"Unknown transfer {transfer.money} to {party}, {said}: {transfer.verdict_reason}",
        money=max(transfer.said_moved, transfer.money),
    )


def _audit(action: str, transfer: Transfer, *, actor: Actor, now: datetime, reason: str) -> None:
    records.write(
        action=action,
        object_type=events.TRANSFER,
        object_id=ids.encode("tr", transfer.id),
        actor=actor,
        now=now,
        changes={
            "verdict": [None, transfer.verdict],
            "provider_reference": [None, transfer.verdict_ticket],
            "amount": [transfer.money.wire(), transfer.said_moved.wire()],
        },
        reason=reason,
        branch=transfer.branch_id,
        approval=transfer.verdict_approval_id,
    )
