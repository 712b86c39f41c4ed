"""Reversals: a part of a transfer that is taken back from the party's account, or all that is left of it."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.audit.services import records
from apps.disbursements import events, postings
from apps.disbursements.models import Transfer, TransferReversal
from apps.disbursements.services import orders, transfer_limits, transfers
from apps.events.services import outbox
from apps.integrations.ports import ProviderDeclined, TransferReport
from apps.integrations.services import providers
from apps.kit import errors, ids
from apps.kit.actors import PROVIDER, Actor
from apps.kit.money import Money
from apps.ledger.services import journals


@transaction.atomic
def reverse(
    *,
    transfer_id: UUID,
    money: Money | None,
    reason: str,
    actor: Actor,
    now: datetime,
    nonce: UUID | None = None,
) -> Transfer:
    """
    Ask for a transfer to be taken back: ``money`` of it, or all that is left. The provider is told by a worker after the
    commit; several parts may be on their way at once, together never more than was transferred. What is asked for under a
    ``nonce`` that made a reversal of this transfer changes nothing.

    Raises NotFound, NotReversible, ReversalTooLarge, TransferTooSmall and ReversalReasonMissing, and then nothing is written.
    """
    transfer = transfers.locked(transfer_id)
    if nonce is not None and TransferReversal.objects.filter(transfer=transfer, nonce=nonce).exists():
        return transfer
    wanted = transfer_limits.part_of(transfer, money, reason)
    part = TransferReversal(
        transfer=transfer,
        number=TransferReversal.objects.filter(transfer=transfer).count() + 1,
        code=ids.code(),
        amount_minor=wanted.minor,
        currency=wanted.currency,
        reason=reason.strip(),
        created_by=str(actor),
        created_at=now,
        next_request_at=now,
        nonce=nonce,
    )
    part.save(force_insert=True)
    transfer.hold_reversal(wanted)
    transfer.save_progress()
    records.write(
        action="transfer.reversal_requested",
        object_type=events.TRANSFER,
        object_id=ids.encode("tr", transfer.id),
        actor=actor,
        now=now,
        changes={"reversing": [None, wanted.wire()]},
        reason=part.reason,
        branch=transfer.branch_id,
    )
    orders.start(KIND, part)
    return transfer


def send(*, reversal_id: UUID, now: datetime) -> None:
    """Tell the provider of a reversal whose sending is due; safe to repeat. See ``orders.send``."""
    orders.send(KIND, order_id=reversal_id, now=now)


def query(*, reversal_id: UUID, now: datetime) -> None:
    """Ask after a reversal of which nobody knows whether it was made; safe to repeat. See ``orders.follow``."""
    orders.follow(KIND, order_id=reversal_id, now=now)


def lose(*, reversal_id: UUID, now: datetime) -> None:
    """Say of a reversal whose worker never came back that nobody knows what became of it."""
    orders.lose(KIND, order_id=reversal_id, now=now)


def locked(reversal_id: UUID) -> TransferReversal:
    """Lock the transfer of a reversal, then the reversal, and return it with both linked; inside a transaction. Raises NotFound."""
    found = TransferReversal.objects.filter(id=reversal_id).first()
    if found is None:
        raise errors.NotFound("There is no such reversal.")
    transfer = transfers.locked(found.transfer_id)
    part = TransferReversal.objects.locked().get(id=reversal_id)
    part.transfer = transfer
    return part


def _no_hindrance(_: TransferReversal) -> ProviderDeclined | None:
    return None


def _send(part: TransferReversal, now: datetime) -> TransferReport:
    port = providers.transfer(part.transfer.provider_account_id, now=now, subject_id=part.transfer_id)
    return port.reverse(part.transfer.ticket, part.money, code=part.code)


def _find(part: TransferReversal, now: datetime) -> TransferReport | None:
    port = providers.transfer(part.transfer.provider_account_id, now=now, subject_id=part.transfer_id)
    return port.find_reversal(part.transfer.ticket, code=part.code)


def _takes(part: TransferReversal, money: Money) -> bool:
    """
    Take the sum that the provider says came back: that is what its balance grew by. No more can come back than is left of the
    transfer beside what else is being taken back: a larger sum, or one in another currency, cannot be of this part.
    """
    left = part.money + part.transfer.reversible
    if money.currency != left.currency or not money.is_positive or money > left:
        return False
    part.returned_minor = None if money == part.money else money.minor
    return True


def _succeeded(part: TransferReversal, now: datetime) -> None:
    transfer = part.transfer
    transfer.take_back(part.money, part.returned)
    transfer.save_progress()
    if part.is_contradicted:
        _note_difference(part, now=now)
    outbox.publish(events.about(events.TRANSFER_REVERSED, transfer), now=now)
    journals.post(draft=postings.reversal(part), actor=PROVIDER, now=now)


def _note_difference(part: TransferReversal, *, now: datetime) -> None:
    """Say on the trail that another sum came back than a person asked for."""
    records.write(
        action="transfer.reversal_differs",
        object_type=events.TRANSFER,
        object_id=ids.encode("tr", part.transfer_id),
        actor=PROVIDER,
        now=now,
        changes={"returned": [part.money.wire(), part.returned.wire()]},
        reason=part.reason,
        branch=part.transfer.branch_id,
    )


def _failed(part: TransferReversal, now: datetime) -> None:
    transfer = part.transfer
    transfer.release_reversal(part.money)
    transfer.save_progress()
    outbox.publish(events.about(events.TRANSFER_REVERSAL_FAILED, transfer), now=now)


def _lost(part: TransferReversal, now: datetime) -> None:
    outbox.publish(events.about(events.TRANSFER_UNKNOWN, part.transfer), now=now)


KIND = orders.Kind(
    noun="reversal",
    locked=locked,
    hindrance=_no_hindrance,
    send=_send,
    find=_find,
    succeeded=_succeeded,
    failed=_failed,
    lost=_lost,
    takes=_takes,
    is_asked_on=True,
)
