"""What must be true when a world has come to rest: nothing lost, nothing doubled, the books equal the provider's."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from apps.approvals.contracts import ApprovalStatus
from apps.approvals.models import ApprovalRequest
from apps.events import rendering
from apps.events.models import EventDelivery, OutboxEvent, SandboxRequest, WebhookDelivery, WebhookEndpoint
from apps.integrations.contracts import MPESA
from apps.integrations.models import CallbackProcessing, ProviderAccount, ProviderBalanceReading
from apps.jobs.contracts import JobStatus
from apps.jobs.models import Job
from apps.kit import ids
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Transaction
from apps.ledger.selectors import balances
from apps.ledger.services import verification
from apps.payments.contracts import InboundStatus, IntentStatus, RefundStatus
from apps.payments.models import BulkItem, InboundReceipt, PaymentAttempt, PaymentIntent, Refund
from apps.payments.services import bulks
from apps.payments.services.resolutions import UNASKED
from tests.factories.integrations import PAYPAL
from tests.simulation import (
    books,
    card_truths,
    dispute_truths,
    part_truths,
    partner,
    refunding,
    transfer_truths,
    unasked,
)
from tests.simulation import bulks as bulk_deeds
from tests.simulation.world import LISTENS_TO, RENDERING_LANE, STRIPE, World

MOVING = ("PROCESSING", "ACTION_REQUIRED", "REQUIRES_CAPTURE")
LATER = ("collection-correction:", "collection-completion:", "ledger:reversal:", "dispute-")
"""How the keys of bookings begin that correct another one, by what was told later, or that are compared with disputes."""
Rows = list[dict[str, Any]]
"""The provider's movements, as its statements tell them."""


def broken(world: World) -> list[str]:
    """Return every truth that does not hold, as a sentence."""
    rows, of_cards, of_wallets = (
        [row for number in numbers for row in _statement(world, number)["rows"]]
        for numbers in (world.numbers(), [STRIPE], [PAYPAL])
    )
    found = [*_statement_is_booked([*rows, *of_cards, *of_wallets])]
    online = [*of_cards, *of_wallets]
    found += [*card_truths.broken(world, online), *dispute_truths.broken(world, online)]
    found += [*transfer_truths.broken(world), *part_truths.broken(world)]
    return found + [finding for truth in TRUTHS for finding in truth(world, rows)]


def _statement(world: World, number: str) -> dict[str, Any]:
    found = dict(world.control("GET", f"/statement?shortcode={number}"))
    return found | {
        "rows": [row | {"currency": found.get("currency", "KES").upper()} for row in found["rows"]]
    }


def _grouped(rows: Rows, name: str) -> dict[str, Rows]:
    """Return the movements by what they say under a name; those that say nothing there are left out."""
    found: dict[str, Rows] = {}
    for row in rows:
        if row[name]:
            found.setdefault(row[name], []).append(row)
    return found


def _moved(row: dict[str, Any], name: str) -> Money:
    return Money.parse(row[name], row["currency"])


def _statement_is_booked(rows: Rows) -> Iterator[str]:
    """Each payment of the provider is booked once, whole, with its charge: to its payment, or in suspense; nothing else is."""
    booked = _booked()
    for receipt, found in _grouped(rows, "receipt").items():
        paid = [row for row in found if row["kind"] == "payment"]
        charges = [row for row in found if row["kind"] == "charge"]
        if not paid:
            continue
        ours = booked.pop(receipt, [])
        charged = _moved(charges[0], "withdrawn") if charges else Money.zero(paid[0]["currency"])
        moved = (_moved(paid[0], "paid_in"), charged)
        if len(paid) != 1:
            yield f"{receipt}: the provider has it {len(paid)} times"
        if ours != [moved]:
            yield f"{receipt}: the provider moved {moved[0]} less {moved[1]}, our books have {ours}"
    for receipt, ours in booked.items():
        yield f"{receipt}: our books have {ours}, but the provider has no such payment"


def _booked() -> dict[str, list[tuple[Money, Money]]]:
    """Return sum and fee of everything that is booked, by receipt number."""
    found: dict[str, list[tuple[Money, Money]]] = {}
    having = PaymentAttempt.objects.filter(booked_at__isnull=False, surrendered_at=None)
    for attempt in having.exclude(id__in=_let_go()):
        entry = found.setdefault(attempt.provider_receipt or f"none, {attempt.code}", [])
        entry.append((attempt.received, attempt.fee))
    for inbound in InboundReceipt.objects.known():
        found.setdefault(inbound.receipt, []).append((inbound.money, inbound.fee))
    return found


def _let_go() -> set[UUID]:
    """Return the attempts that carried money back in vain: it waits again, or is of another attempt since."""
    carried = Refund.objects.exclude(attempt__booked_at=None).filter(attempt__provider_receipt="")
    return set(carried.exclude(payment_receipt="").values_list("attempt_id", flat=True))


def _movements_are_explained(world: World, _: Rows) -> Iterator[str]:
    """
    Only what people paid of themselves waits in suspense, or what a prompt brought beside such a payment of the same code, or
    what a person took from its payment, told once; and none of it is of a payment that waits for money of its currency.
    """
    taken = set(
        PaymentAttempt.objects.exclude(surrendered_at=None).values_list("provider_receipt", flat=True)
    )
    made = {each["receipt"]: each for each in unasked.payments(world)}
    waiting_for = {
        (intent.code, intent.currency)
        for intent in PaymentIntent.objects.filter(settled_at=None)
        if not PaymentAttempt.objects.filter(intent=intent).exclude(booked_at=None).exists()
    }
    beside = set(_paid_beside(world, list(made)))
    for inbound in InboundReceipt.objects.waiting():
        typed = made[inbound.receipt]["reference"] if inbound.receipt in made else None
        if inbound.receipt in taken or inbound.receipt in beside:
            continue
        if typed is None:
            yield f"{inbound} waits in suspense, and nobody paid it of himself: {inbound.reason}"
        elif ("".join(filter(str.isalnum, typed.upper())), inbound.currency) in waiting_for:
            yield f"{inbound} waits in suspense, and its payment waits for money: {inbound.reason}"
    told = Counter(OutboxEvent.objects.filter(type="money_unmatched").values_list("aggregate_id", flat=True))
    held = Counter(InboundReceipt.objects.exclude(booked_at=None).values_list("id", flat=True))
    held += world.reviewed.told_again
    for inbound in InboundReceipt.objects.filter(id__in=held):
        held[inbound.id] += Refund.objects.filter(
            status__in=["FAILED", "CANCELLED"], payment_receipt=inbound.receipt, intent__description=UNASKED
        ).count()
    if told != held:
        yield f"money that was put aside {held} does not fit what was told {told}"


def _paid_beside(world: World, receipts: list[str]) -> Iterator[str]:
    """Give the receipts of prompts whose code somebody paid of himself, which was known first."""
    paid = PaymentAttempt.objects.filter(provider_receipt__in=receipts)
    codes = set(paid.values_list("code", flat=True))
    yield from (
        one["receipt"] for one in partner.prompts(world) if one["receipt"] and one["reference"] in codes
    )


def _books_equal_the_provider(world: World, _: Rows) -> Iterator[str]:
    """The balance of each provider account, of every rail, is that of the provider's statement."""
    held = {line.owner_id: line.balance for line in balances.by_role(AccountRole.PROVIDER_BALANCE)}
    for account in ProviderAccount.objects.order_by("short_code"):
        number = account.till_number or account.short_code
        ours = held.get(account.id, Money.zero(account.currency))
        theirs = Money.parse(_statement(world, number)["closing_balance"], account.currency)
        if ours != theirs:
            yield f"our books hold {ours} at {number}, the provider says {theirs}"


def _ledger_is_clean(_: World, __: Rows) -> Iterator[str]:
    verdict = verification.verify()
    yield from (f"ledger: {finding}" for finding in verdict.findings)


def _ledger_is_as_finance_knows(world: World, _: Rows) -> Iterator[str]:
    """Holds and balances are what finance made of them, and at the end of what is closed what they were then."""
    if world.books:
        yield from books.differences(world.books, world.now)


def _booked_once(world: World, __: Rows) -> Iterator[str]:
    """One ledger transaction per collection, refund and deed of finance, and no other but corrections of assumed sums."""
    made = set(Transaction.objects.values_list("idem_key", flat=True))
    without = stayed_in_suspense(world) | world.reviewed.unbooked | _let_go()
    booked = PaymentAttempt.objects.exclude(booked_at=None)
    wanted = {f"collection:{attempt.id}" for attempt in booked if attempt.id not in without}
    told = InboundReceipt.objects.exclude(booked_at=None).exclude(id__in=world.reviewed.untold)
    wanted |= {f"inbound-receipt:{each.id}" for each in told}
    wanted |= set(_moved_by_reviews(world))
    retracted = InboundReceipt.objects.filter(status=InboundStatus.RETRACTED)
    wanted |= {f"inbound-receipt-retraction:{each.id}" for each in retracted}
    wanted |= {f"refund:{refund.id}" for refund in Refund.objects.exclude(refunded_at=None)}
    wanted |= transfer_truths.booked(world)
    wanted |= world.books.keys if world.books else set()
    for key in sorted(wanted - made):
        yield f"{key} is not in the ledger"
    for key in sorted(made - wanted):
        if not key.startswith(LATER):
            yield f"{key} is in the ledger, and nothing says why"


def _moved_by_reviews(world: World) -> Iterator[str]:
    """Give the bookings of what people decided: money that pays after all, and money between the suspense of two branches."""
    yield from (f"collection-acceptance:{attempt_id}" for attempt_id in world.reviewed.accepted)
    branches = dict(InboundReceipt.objects.values_list("id", "branch_id"))
    for attempt in PaymentAttempt.objects.filter(id__in=world.reviewed.closed):
        if branches[world.reviewed.closed[attempt.id]] != attempt.branch_id:
            yield f"collection-surrender:{attempt.id}"
            gone = Refund.objects.filter(attempt=attempt).exclude(refunded_at=None)
            yield from (f"collection-surrender-return:{refund.id}" for refund in gone)


def stayed_in_suspense(world: World) -> set[UUID]:
    """Return the attempts whose money was booked in suspense before it was known to be theirs, and belongs there still."""
    explained = InboundReceipt.objects.exclude(booked_at=None).exclude(attempt=None)
    explained = explained.exclude(id__in=world.reviewed.untold)
    return {
        inbound.attempt.id
        for inbound in explained.exclude(status=InboundStatus.RETRACTED).select_related("attempt")
        if inbound.attempt
        and inbound.attempt.is_in_suspense
        and inbound.attempt.branch_id == inbound.branch_id
    }


def _given_back_once(world: World, rows: Rows) -> Iterator[str]:
    """What went back at the provider is a refund of ours, once, whole; and each refund that succeeded went back."""
    ended = Refund.objects.filter(status=RefundStatus.SUCCEEDED, provider=MPESA)
    made = {refund.payment_receipt: refund for refund in ended}
    for receipt, found in _grouped(rows, "linked_receipt").items():
        refund = made.pop(receipt, None)
        if refund is None:
            yield f"{receipt}: the provider gave {found[0]['withdrawn']} back, our books do not say so"
        elif len(found) != 1 or refund.money != _moved(found[0], "withdrawn"):
            yield f"{receipt}: refunded {refund.money}, the provider says {[row['withdrawn'] for row in found]}"
        elif refund.provider_receipt not in ("", found[0]["receipt"]):
            yield f"{receipt}: refund {refund.provider_receipt}, the provider says {found[0]['receipt']}"
    yield from (f"{receipt}: refunded, but the provider gave nothing back" for receipt in made)
    ours = Counter(Refund.objects.exclude(sent_at=None).values_list("payment_receipt", flat=True))
    theirs = Counter(reversal["original_receipt"] for reversal in refunding.reversals(world))
    for receipt, asked in theirs.items():
        if asked > ours[receipt]:
            yield f"{receipt}: the provider was asked {asked} times to give it back, for {ours[receipt]} refunds"


def _balances_are_true(world: World, _: Rows) -> Iterator[str]:
    """What the provider said last that it holds is what its statement says, and nothing else was read of it."""
    for account in world.accounts():
        stated = world.control("GET", f"/statement?shortcode={account.short_code}")["closing_balance"]
        read = ProviderBalanceReading.objects.filter(account=account).order_by("-read_at").first()
        if read is None or read.total_minor != Money.parse(stated, account.currency).minor:
            yield f"{account.short_code} holds {stated}, and {read and read.total_minor} cents were read"


def _refunds_end(_: World, __: Rows) -> Iterator[str]:
    """No refund is stuck; each end is told once; one that waits for approval has a request that waits."""
    ends = {"SUCCEEDED": "refund_succeeded", "FAILED": "refund_failed", "CANCELLED": "refund_cancelled"}
    waiting = set(
        ApprovalRequest.objects.filter(status=ApprovalStatus.PENDING).values_list("subject_id", flat=True)
    )
    for refund in Refund.objects.all():
        if refund.status in ("REQUESTED", "SENDING", "PENDING"):
            yield f"refund {refund.id} is stuck in {refund.status}"
        if refund.status == "AWAITING_APPROVAL" and refund.id not in waiting:
            yield f"refund {refund.id} waits for an approval that nobody can give"
        if refund.approval_id is None and refund.amount_minor >= refunding.LIMIT_MINOR:
            yield f"refund {refund.id} went without the approval that its rule asks for"
        if refund.status in ends:
            told = OutboxEvent.objects.filter(type=ends[refund.status], aggregate_id=refund.id).count()
            if told != 1:
                yield f"refund {refund.id} is {refund.status} and {ends[refund.status]} was told {told} times"


def _asked_once(world: World, _: Rows) -> Iterator[str]:
    """
    A payer is never asked twice for one payment, unless somebody confirmed it anew after a failure: only what never reached
    the provider is sent again.
    """
    intents = dict(PaymentAttempt.objects.values_list("code", "intent_id"))
    asked = Counter(
        intents.get(prompt["reference"], prompt["reference"])
        for prompt in world.control("GET", "/prompts")["prompts"]
    )
    for intent, count in asked.items():
        if count > 1 + world.asked_again[intent]:
            yield f"payment {intent}: the payer was asked {count} times"


def _told_once(_: World, __: Rows) -> Iterator[str]:
    """Each success has one payment_success, and nothing else has."""
    paid = Counter(PaymentIntent.objects.filter(status=IntentStatus.SUCCEEDED).values_list("id", flat=True))
    told = Counter(OutboxEvent.objects.filter(type="payment_success").values_list("aggregate_id", flat=True))
    if paid != told:
        yield f"payments that succeeded {paid} do not fit payment_success {told}"
    created = Counter(PaymentIntent.objects.exclude(description=UNASKED).values_list("id", flat=True))
    announced = Counter(
        OutboxEvent.objects.filter(type="payment_intent_created").values_list("aggregate_id", flat=True)
    )
    if created != announced:
        yield "a payment was made and not announced, or announced and not made"


def _closed_are_told(world: World, __: Rows) -> Iterator[str]:
    """Each end of a payment is told by an event of its own."""
    for status, event in (
        ("FAILED", "payment_failed"),
        ("CANCELLED", "payment_cancelled"),
        ("EXPIRED", "payment_expired"),
    ):
        for intent_id in PaymentIntent.objects.filter(status=status).values_list("id", flat=True):
            told = OutboxEvent.objects.filter(type=event, aggregate_id=intent_id).count()
            if told != 1 + world.reviewed.ended_again[intent_id]:
                yield f"payment {intent_id} is {status} and {event} was told {told} times"


def _nothing_moves(_: World, __: Rows) -> Iterator[str]:
    """No payment is stuck, and no payment whose money arrived waits for an answer."""
    stuck = PaymentIntent.objects.filter(status__in=MOVING).values_list("id", "status")
    yield from (f"payment {intent_id} is stuck in {status}" for intent_id, status in stuck)


def _unconfirmed_never_moved(world: World, _: Rows) -> Iterator[str]:
    """What waits for the provider's word is exactly what forgers told of, and it is booked nowhere."""
    rows = InboundReceipt.objects.filter(status=InboundStatus.UNCONFIRMED)
    for inbound in rows.exclude(receipt__in=world.forged):
        yield f"{inbound} moved, and waits to be confirmed"
    for inbound in InboundReceipt.objects.filter(receipt__in=world.forged).exclude(id__in=rows):
        yield f"{inbound} never moved, and is {inbound.status}"


def _bulks_end(world: World, _: Rows) -> Iterator[str]:
    """Each bulk ends, says of each of its payments what became of it, and made the payments that it says."""
    for job in Job.objects.all():
        if job.is_live:
            yield f"job {job.id} is {job.status}"
    for job in Job.objects.filter(kind=bulks.KIND):
        said = bulk_deeds.results(world, job)
        if said["waiting"] or (job.status == JobStatus.SUCCEEDED and said["stopped"]):
            yield f"bulk {job.id} is {job.status}: {said}"
        is_counted = job.done or said["created"] or job.status == JobStatus.SUCCEEDED
        if is_counted and job.done != said["created"] + said["refused"]:
            yield f"bulk {job.id} did {job.done}: {said}"
        for item in BulkItem.objects.filter(job=job, intent__isnull=False).select_related("intent"):
            if item.intent.reference != item.reference:
                yield f"{item} of bulk {job.id} made {item.intent.reference}"


def _events_arrived(world: World, _: Rows) -> Iterator[str]:
    """Every event has reached its handlers, every callback has its verdict, every webhook its receiver."""
    left = EventDelivery.objects.exclude(status="DONE")
    if not world.renders:
        left = left.exclude(queue=RENDERING_LANE)
    for handler, status, error in left.values_list("handler", "status", "last_error"):
        yield f"an event is {status} at {handler}: {error}"
    unread = CallbackProcessing.objects.filter(status="RECEIVED").count()
    if unread:
        yield f"{unread} callbacks have no verdict"
    undelivered = WebhookDelivery.objects.exclude(status="DELIVERED").values_list("status", "last_error")
    yield from (f"a webhook is {status}: {error}" for status, error in undelivered)
    partners = WebhookEndpoint.objects.values(
        "application_id"
    )  # what people close is the portal's, and no partner's
    events = OutboxEvent.objects.filter(type__in=LISTENS_TO, application_id__in=partners)
    if WebhookDelivery.objects.count() != events.count():
        yield f"{events.count()} events that the partner listens to made {WebhookDelivery.objects.count()} webhooks"
    accepted = set(
        SandboxRequest.objects.filter(answered_status__lt=300).values_list("webhook_id", flat=True)
    )
    if {ids.encode(rendering.EVENT, event.id) for event in events} != accepted:
        yield "a webhook that is marked as delivered was not accepted by the partner"
    if SandboxRequest.objects.exclude(is_signature_valid=True).exists():
        yield "a webhook arrived with a signature that does not fit"


TRUTHS: tuple[Callable[[World, Rows], Iterator[str]], ...] = (
    _movements_are_explained,
    _books_equal_the_provider,
    _ledger_is_clean,
    _ledger_is_as_finance_knows,
    _booked_once,
    _given_back_once,
    _balances_are_true,
    _refunds_end,
    _asked_once,
    _told_once,
    _closed_are_told,
    _nothing_moves,
    _unconfirmed_never_moved,
    _bulks_end,
    _events_arrived,
)
