"""What must be true of disputes when a world has come to rest."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db.models import Sum

from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.kit import ids
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Transaction
from apps.ledger.selectors import balances
from apps.payments.models import Dispute, PaymentAttempt
from tests.simulation import dispute_rails
from tests.simulation.dispute_rails import Told
from tests.simulation.world import World

Rows = list[dict[str, Any]]
ENDS = {
    "won": {"WON": "won"},
    "lost": {"LOST": "lost", "ACCEPTED": "lost", "EXPIRED": "lost"},
    "closed": {"PREVENTED": "closed"},
}
"""What a dispute may be here that has ended so at the provider, and what is told of that."""


def broken(world: World, rows: Rows) -> Iterator[str]:
    """Yield a sentence for each dispute of which the provider knows otherwise, or of which too much or too little was done."""
    told = {one.ticket: one for one in dispute_rails.every(world)}
    known = {one.ticket: one for one in Dispute.objects.all()}
    yield from (f"dispute {ticket} is not known here" for ticket in sorted(told.keys() - known.keys()))
    yield from (f"dispute {ticket} was never opened" for ticket in sorted(known.keys() - told.keys()))
    moved = {ticket: _moved(rows, ticket) for ticket in sorted(told.keys() & known.keys())}
    for ticket, sums in moved.items():
        yield from _stands_as_told(known[ticket], told[ticket])
        yield from _moved_once(known[ticket], *sums)
        yield from _told_once(known[ticket], told[ticket].end)
    yield from _books_are_their_sum(known, moved)
    yield from _held()


def _moved(rows: Rows, ticket: str) -> tuple[int, int, int]:
    """Return what the statement says: taken, come back, fee; in minor units."""
    sums: Counter[str] = Counter()
    for row in [row for row in rows if row["receipt"] == ticket]:
        for side in ("withdrawn", "paid_in"):
            sums[f"{row['kind']} {side}"] += Money.parse(row[side], row["currency"]).minor
    return sums["dispute withdrawn"], sums["dispute paid_in"], sums["charge withdrawn"]


def _stands_as_told(dispute: Dispute, told: Told) -> Iterator[str]:
    """It is open on both sides, and waits for us on both or neither, or has ended on both in the same way; and was answered no more often than we said."""
    is_right = (
        dispute.is_open and dispute.is_unanswered == told.is_asked
        if told.is_open
        else dispute.status in ENDS[told.end] and dispute.closed_at is not None
    )
    if not is_right:
        yield f"dispute {dispute} is {dispute.status}, the provider says {told.end or told}"
    if dispute.status == "SUBMITTED" or dispute.is_appealing:
        yield f"the answer to dispute {dispute} is stuck"
    if told.may_appeal and not dispute.is_appealable:
        yield f"dispute {dispute} may be appealed, and nobody knows it here"
    if dispute.money != told.money:
        yield f"dispute {dispute} is about {told.money} at the provider"
    if told.heard > dispute.answer_number:
        yield f"dispute {dispute} was answered {told.heard} times"


def _moved_once(dispute: Dispute, taken: int, back: int, fee: int) -> Iterator[str]:
    """Each step is booked once, with the provider's sums; what does not come back is a loss once it is over, and none while an appeal is looked at."""
    lost = 0 if dispute.is_open else taken - back
    if dispute.moves != (wanted := type(dispute.moves)(taken, fee, back, lost)):
        yield f"dispute {dispute} moved {dispute.moves}, the provider's statement says {wanted}"
    for step, minor in {"withdrawal": taken, "reinstatement": back}.items():
        if (made := _booked(dispute, step)) != (minor > 0):
            yield f"dispute {dispute}: {step} of {minor} was booked {made} times"
    made = _booked(dispute, "loss")
    if made % 2 != (lost > 0) or made > 1 + 2 * appeals(dispute):
        yield f"dispute {dispute}: the loss of {lost} was booked {made} times, for {appeals(dispute)} appeals"


def _booked(dispute: Dispute, step: str) -> int:
    return Transaction.objects.filter(idem_key__startswith=f"dispute-{step}:{dispute.id}:").count()


def appeals(dispute: Dispute) -> int:
    """Return how often its loss was appealed."""
    known_as = ids.encode("dp", dispute.id)
    return AuditRecord.objects.filter(action="dispute.appealed", object_id=known_as).count()


def _told_once(dispute: Dispute, end: str) -> Iterator[str]:
    """Each of these is told once, and a loss as often as it was booked and not taken back."""
    wanted = Counter({"opened": 1})
    wanted["funds_withdrawn"] = int(dispute.withdrawn_minor > 0)
    wanted["funds_reinstated"] = int(dispute.reinstated_minor > 0)
    wanted[ENDS.get(end, {}).get(dispute.status, "nothing")] += int(not dispute.is_open)
    wanted["lost"] = (_booked(dispute, "loss") + 1) // 2
    about = OutboxEvent.objects.filter(aggregate_id=dispute.id)
    names = about.exclude(type__in=("payment_dispute_updated", "payment_dispute_due_soon"))
    told = Counter(name.removeprefix("payment_dispute_") for name in names.values_list("type", flat=True))
    if told != wanted:
        yield f"dispute {dispute}: {dict(told)} was told, not {dict(wanted)}"


def _books_are_their_sum(known: dict[str, Dispute], moved: dict[str, tuple[int, int, int]]) -> Iterator[str]:
    """What is disputed, lost and paid for disputes in the books is what the statement says, less what suspense covers of it."""
    wanted: Counter[tuple[AccountRole, str]] = Counter()
    for ticket, (taken, back, fee) in moved.items():
        dispute = known[ticket]
        role = AccountRole.DISPUTED_PAYMENTS if dispute.is_open else AccountRole.CHARGEBACK_LOSS
        wanted[role, dispute.currency] += taken - back - int(dispute.covered_minor)
        wanted[AccountRole.DISPUTE_FEES, dispute.currency] += fee
    booked: Counter[tuple[AccountRole, str]] = Counter()
    for role in (AccountRole.DISPUTED_PAYMENTS, AccountRole.CHARGEBACK_LOSS, AccountRole.DISPUTE_FEES):
        for line in balances.by_role(role):
            booked[role, line.balance.currency] += line.balance.minor
    for role, currency in sorted(booked.keys() | wanted.keys()):
        if booked[role, currency] != (theirs := wanted[role, currency]):
            yield f"{role} {currency} holds {booked[role, currency]}, the provider's statement says {theirs}"


def _held() -> Iterator[str]:
    """A payment counts as disputed what its disputes hold of it, and one that ended for us, or only asks, holds nothing."""
    disputes = Dispute.objects.exclude(attempt=None)
    sums = dict(disputes.order_by().values_list("attempt_id").annotate(held=Sum("held_minor")))
    for attempt in PaymentAttempt.objects.all():
        if attempt.disputed_minor != sums.get(attempt.id, 0):
            yield f"{attempt} counts {attempt.disputed_minor} as disputed, its disputes {sums.get(attempt.id, 0)}"
    for dispute in disputes.filter(flag=""):
        is_ours = dispute.is_inquiry or dispute.status in ("WON", "PREVENTED")
        if dispute.held_minor != (wanted := 0 if is_ours else dispute.amount_minor):
            yield f"dispute {dispute} holds {dispute.held_minor} of its payment, not {wanted}"
