"""What must be true of transfers to merchants when a world has come to rest."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from apps.approvals.contracts import ApprovalStatus
from apps.approvals.models import ApprovalRequest
from apps.disbursements.models import ConnectedAccount, Transfer, TransferReversal
from apps.events.models import OutboxEvent
from apps.ledger.contracts import AccountRole
from apps.ledger.selectors import balances
from tests.factories import access
from tests.simulation import cards, transferring
from tests.simulation.world import World

ENDS = {"SUCCEEDED": "succeeded", "FAILED": "failed", "CANCELLED": "cancelled"}
Bodies = list[dict[str, Any]]


def broken(world: World) -> Iterator[str]:
    """Yield a sentence for each transfer or account of which the provider knows otherwise, or of which too much was done."""
    told = cards.listed(world, "transfers")
    yield from _made_once(told)
    yield from _came_back_once(told)
    yield from _told_once()
    yield from _end()
    yield from _owed(world)
    yield from _accounts_stand_as_told(world)


def booked(world: World) -> set[str]:
    """Return the keys of everything in the ledger that is of a merchant."""
    keys = set(world.merchants.values())
    for transfer in Transfer.objects.all():
        keys.add(f"transfer:{transfer.id}")
        keys |= {f"transfer-success:{transfer.id}"} if transfer.status == "SUCCEEDED" else set()
    came = TransferReversal.objects.filter(status="SUCCEEDED").values_list("id", flat=True)
    return keys | {f"transfer-reversal:{part_id}" for part_id in came}


def _made_once(told: Bodies) -> Iterator[str]:
    """The provider made each transfer that succeeded, once and whole, and no other."""
    theirs: dict[str, Bodies] = {}
    for one in told:
        theirs.setdefault(one["metadata"].get("code"), []).append(one)
    for transfer in Transfer.objects.all():
        found = [(one["id"], one["amount"]) for one in theirs.pop(transfer.code, [])]
        ours = [(transfer.ticket, transfer.amount_minor)] if transfer.status == "SUCCEEDED" else []
        if found != ours:
            yield f"transfer {transfer.code} is {transfer.status}: {ours}, the provider has {found}"
    yield from (f"the provider made transfer {code}, which nobody asked for" for code in theirs)


def _came_back_once(told: Bodies) -> Iterator[str]:
    """The provider took back each part that succeeded, once, and no other."""
    theirs = Counter(
        (one["metadata"].get("code"), one["amount"]) for made in told for one in made["reversals"]["data"]
    )
    succeeded = TransferReversal.objects.filter(status="SUCCEEDED")
    ours = Counter((part.code, part.returned.minor) for part in succeeded)
    if theirs != ours:
        yield f"reversals: ours are {dict(ours)}, the provider's {dict(theirs)}"
    sums = {one["metadata"].get("code"): one["amount_reversed"] for one in told}
    for transfer in Transfer.objects.all():
        if transfer.reversed_minor != sums.get(transfer.code, 0) or transfer.reversing_minor:
            yield f"{transfer}: {transfer.reversed} came back, {transfer.reversing} is on its way; the provider says {sums.get(transfer.code)}"


def _told_once() -> Iterator[str]:
    """Each transfer was announced once, and each end of one, and of a part of it."""
    for transfer in Transfer.objects.all():
        wanted = Counter({"transfer_requested": 1})
        wanted[f"transfer_{ENDS.get(transfer.status)}"] += int(transfer.status in ENDS)
        parts = Counter(transfer.reversals.values_list("status", flat=True))
        wanted["transfer_reversed"] = parts["SUCCEEDED"]
        wanted["transfer_reversal_failed"] = parts["FAILED"]
        about = OutboxEvent.objects.filter(aggregate_id=transfer.id).exclude(type="transfer_unknown")
        told = Counter(about.values_list("type", flat=True))
        if told != wanted:
            yield f"{transfer} is {transfer.status}: {dict(told)} was told, not {dict(wanted)}"


def _end() -> Iterator[str]:
    """No transfer and no part of one is stuck; one that waits for approval has a request that waits."""
    pending = ApprovalRequest.objects.filter(status=ApprovalStatus.PENDING)
    waiting = set(pending.values_list("subject_id", flat=True))
    for order in [*Transfer.objects.all(), *TransferReversal.objects.all()]:
        if order.status not in ENDS and order.id not in waiting:
            yield f"{type(order).__name__} {order} is stuck in {order.status}"
    for transfer in Transfer.objects.filter(amount_minor__gte=transferring.LIMIT_MINOR, approval_id=None):
        yield f"{transfer} went without the approval that its rule asks for"


def _owed(world: World) -> Iterator[str]:
    """Each merchant is owed what was not paid to him, or came back; what waits for people is on its way."""
    paid: Counter[Any] = Counter()
    on_its_way = 0
    for transfer in Transfer.objects.select_related("connected_account"):
        if transfer.status in ("SUCCEEDED", "AWAITING_APPROVAL"):
            paid[transfer.connected_account.party_id] += transfer.amount_minor - transfer.reversed_minor
        on_its_way += transfer.amount_minor if transfer.status == "AWAITING_APPROVAL" else 0
    owed = {line.owner_id: line.balance.minor for line in balances.by_role(AccountRole.MERCHANT_PAYABLE)}
    for party_id in world.merchants:
        if owed[party_id] != (right := transferring.OWED.minor - paid[party_id]):
            yield f"merchant {party_id} is owed {owed[party_id]}, not {right}"
    branch_id = access.branch().id
    lines = balances.by_role(AccountRole.PAYOUTS_IN_TRANSIT)
    booked = sum(line.balance.minor for line in lines if line.branch_id == branch_id)
    if booked != on_its_way:
        yield f"{booked} is on its way to merchants, not {on_its_way}"


def _accounts_stand_as_told(world: World) -> Iterator[str]:
    """Each account was opened once, and stands here as it does at the provider."""
    told = transferring.standings(world)
    opened = Counter(one["metadata"].get("code") for one in cards.listed(world, "accounts"))
    yield from (f"account {code} was opened {n} times" for code, n in opened.items() if n > 1)
    ours = set(ConnectedAccount.objects.values_list("ticket", flat=True))
    yield from (
        f"account {ticket} was opened, and nobody here knows it" for ticket in told if ticket not in ours
    )
    for account in ConnectedAccount.objects.all():
        stands = told.get(account.ticket, "RESTRICTED") if account.ticket else "FAILED"
        if account.status not in (stands, "CLOSED" if stands == "RESTRICTED" else stands):
            yield f"account {account} is {account.status}, the provider says {stands}"
