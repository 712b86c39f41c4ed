"""What must be true of payments in parts, and of what paid every other one, when a world has come to rest."""

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from apps.events.models import OutboxEvent
from apps.invoicing.models import Document
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Transaction
from apps.ledger.selectors import balances
from apps.payments.contracts import IntentStatus
from apps.payments.models import InboundReceipt, PaymentAttempt, PaymentIntent
from tests.factories import access
from tests.simulation import transferring, unasked
from tests.simulation.world import World

KINDS = ("first", "another", "last", "late")
"""What a part may be of its payment; of each there must have been one."""

type Paying = dict[UUID, list[PaymentAttempt]]
"""The attempts that paid, by their payment."""


def broken(world: World) -> Iterator[str]:
    """Yield a sentence for each payment that more or less has paid than came, or of which that is told otherwise."""
    paying = _paying()
    corrected = _corrected()
    for intent in PaymentIntent.objects.order_by("id"):
        paid = paying.get(intent.id, [])
        sums = [_applied(one, corrected) for one in paid]
        yield from _stands_as_paid(intent, sums)
        yield from _told_of_each(intent, len(sums))
        yield from _receipts_of_each(intent, paid, corrected)
    yield from _books_hold_what_paid(world, paying, corrected)
    yield from _what_is_due_does_not_wait(world)


def kinds() -> Counter[str]:
    """Count the parts that paid, by what they were of their payment."""
    found: Counter[str] = Counter()
    paying = _paying()
    begun = PaymentIntent.objects.filter(id__in=paying)
    for intent in begun.filter(status__in=(IntentStatus.SUCCEEDED, IntentStatus.PARTIALLY_PAID)):
        count = len(paying[intent.id])
        is_whole = intent.status == IntentStatus.SUCCEEDED
        if count == 1 and is_whole:
            continue
        found["part:first"] += 1
        found["part:late"] += intent.is_late
        found["part:last"] += is_whole
        found["part:another"] += count - 1 - is_whole
    return found


def _paying() -> Paying:
    """Return what paid each payment: attempts whose money is booked, does not wait and was not taken from them."""
    found: Paying = {}
    having = PaymentAttempt.objects.filter(surrendered_at=None, is_in_suspense=False)
    for attempt in having.exclude(booked_at=None).order_by("booked_at", "number"):
        found.setdefault(attempt.intent_id, []).append(attempt)
    return found


def _corrected() -> set[str]:
    """Return the attempts whose sum had been assumed, and was told otherwise when it had paid."""
    keys = Transaction.objects.filter(idem_key__startswith="collection-correction:")
    return {key.partition(":")[2] for key in keys.values_list("idem_key", flat=True)}


def _applied(attempt: PaymentAttempt, corrected: set[str]) -> int:
    """Return what an attempt paid, in minor units: what came, or what that had been assumed to be."""
    return attempt.amount_minor if str(attempt.id) in corrected else int(attempt.received_minor or 0)


def _stands_as_paid(intent: PaymentIntent, sums: list[int]) -> Iterator[str]:
    """What has paid is the sum of what came, never more than was asked for, and its state says whether that is all of it."""
    paid = sum(sums)
    if intent.paid_minor != paid:
        yield f"payment {intent.id} counts {intent.paid_minor} as paid, and {sums} came"
    if paid > intent.amount_minor:
        yield f"payment {intent.id} of {intent.amount_minor} was paid {sums}"
    is_whole = paid == intent.amount_minor or (paid > 0 and not intent.is_captured)
    wanted = IntentStatus.SUCCEEDED if is_whole else IntentStatus.PARTIALLY_PAID if paid else None
    is_paid = intent.status in (IntentStatus.SUCCEEDED, IntentStatus.PARTIALLY_PAID)
    if (intent.status if is_paid else None) != wanted:
        yield f"payment {intent.id} of {intent.amount_minor} was paid {sums}, and is {intent.status}"


def _told_of_each(intent: PaymentIntent, parts: int) -> Iterator[str]:
    """Each part but the last is told of once as such."""
    told = OutboxEvent.objects.filter(type="payment_partially_paid", aggregate_id=intent.id).count()
    if told != parts - (intent.status == IntentStatus.SUCCEEDED):
        yield f"payment {intent.id} is {intent.status} by {parts} sums, and {told} parts were told of"


def _receipts_of_each(
    intent: PaymentIntent, paid: list[PaymentAttempt], corrected: set[str]
) -> Iterator[str]:
    """Each sum that paid has one receipt, of its own sum; those of parts say what was left to pay after each."""
    issued = list(Document.objects.filter(intent_id=intent.id).order_by("-left_minor", "id"))
    wanted = Counter((one.id, _applied(one, corrected)) for one in paid)
    if Counter((one.attempt_id, one.amount_minor) for one in issued) != wanted:
        yield f"payment {intent.id} was paid {dict(wanted)}, its receipts are of {[one.amount_minor for one in issued]}"
    is_in_parts = len(paid) > 1 or intent.status == IntentStatus.PARTIALLY_PAID
    so_far = 0
    for receipt in issued:
        so_far += receipt.amount_minor
        said = (receipt.part_of_minor, receipt.left_minor)
        if said != ((intent.amount_minor, intent.amount_minor - so_far) if is_in_parts else (None, None)):
            yield f"receipt {receipt.number} of {receipt.amount_minor} says {said}, when {so_far} was paid"


def _books_hold_what_paid(world: World, paying: Paying, corrected: set[str]) -> Iterator[str]:
    """What is collected and not applied in the books is what paid, less what of it has gone back and what merchants were owed at first."""
    owed = transferring.OWED
    wanted = Counter({(access.branch().id, owed.currency): -owed.minor * len(world.merchants)})
    for attempt in (one for attempts in paying.values() for one in attempts):
        is_gone = attempt.refunded_minor == attempt.received_minor
        left = 0 if is_gone else _applied(attempt, corrected) - attempt.refunded_minor
        wanted[attempt.branch_id, attempt.received_currency] += left
    booked: Counter[tuple[UUID, str]] = Counter()
    for line in balances.by_role(AccountRole.UNAPPLIED_COLLECTIONS):
        booked[line.branch_id, line.balance.currency] += line.balance.minor
    for branch, currency in sorted(booked.keys() | wanted.keys(), key=str):
        if booked[branch, currency] != (ours := wanted[branch, currency]):
            yield f"{booked[branch, currency]} {currency} is unapplied at branch {branch}, and {ours} has paid"


def _what_is_due_does_not_wait(world: World) -> Iterator[str]:
    """No money that was paid under the code of a payment in parts waits in suspense while so much of that is due."""
    made = {each["receipt"]: each["reference"] for each in unasked.payments(world)}
    decided = world.reviewed.accepted | set(world.reviewed.closed)
    begun = PaymentIntent.objects.filter(status=IntentStatus.PARTIALLY_PAID, cancel_requested_at=None)
    due = {
        one.code: one.amount_minor - one.paid_minor
        for one in begun.exclude(attempts__id__in=decided)
        if one.currency == "KES"
    }
    for inbound in InboundReceipt.objects.waiting():
        code = "".join(filter(str.isalnum, made.get(inbound.receipt, "").upper()))
        if code in due and inbound.amount_minor <= due[code]:
            yield f"{inbound} waits in suspense, and {due[code]} of its payment is due: {inbound.reason}"
