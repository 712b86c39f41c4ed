"""The end of a seed: nothing fails any more, time passes, and everything must come to rest."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Min

from apps.events.models import EventDelivery, WebhookDelivery
from apps.events.models.webhook import WebhookStatus
from apps.jobs.models import Job
from apps.kit import circuits, clock, jobs
from apps.kit.sweep import JOB_GRACE
from apps.payments.contracts import AttemptStatus, IntentStatus, RefundStatus
from apps.payments.models import Dispute, PaymentAttempt, PaymentIntent, Refund
from apps.payments.services import pulls
from apps.simulator.services import callbacks, due
from apps.simulator.services.clock import moment
from tests.simulation import (
    bookkeeping,
    cards,
    deciding,
    disputing,
    partner,
    refunding,
    reviewing,
    street,
    transferring,
    unasked,
    wallets,
    workers,
)
from tests.simulation.world import RENDERING_LANE, Broken, World

ROUNDS = 120
UNTOLD = 0.3
ONE_DAY = 24 * 3600
SOON = timedelta(days=1)
"""What the provider does of itself later than this is not waited for: time runs out of its own, as the last evidence."""


def open_day(world: World) -> None:
    """Begin with payments that have arrived, so that there is something to give back, and to dispute, from the first step on."""
    world.interruptions.is_calm = True
    for suffix in ("000", *world.rng.sample(partner.REFUNDED, 2)):
        with clock.fixed(world.now):
            partner.create(world, payer={"phone": f"0700000{suffix}"}, branch_id=world.branch_ids[0])
    with clock.fixed(world.now):
        cards.create_of_person(world)
        wallets.create_of_person(world)
        transferring.connect(world)
    for deeds in FIRST:
        with clock.fixed(world.now):
            _run_everything(world)
            for deed in deeds:
                if said := deed(world):
                    world.note(f"at first {deed.__name__}: {said}")
        world.tick(3)
    with clock.fixed(world.now):
        _run_everything(world)
    world.interruptions.is_calm = False


def settle(world: World) -> None:
    """Heal all faults, let the plans of queries and retries run out, and use the evidence that is left."""
    world.interruptions.is_calm = True
    world.control("DELETE", "/scripts")
    with clock.fixed(world.now):
        while deciding.let_calls_through(world):
            pass
    _list_without_references(world)
    _come_to_rest(world)
    for gather in EVIDENCE:
        at_rest_since = world.now
        gather(world)
        world.collect_jobs()
        if world.now != at_rest_since or world.broker or world.wire:
            _come_to_rest(world)
    with clock.fixed(world.now):
        bookkeeping.expire(world)


def _come_to_rest(world: World) -> None:
    for _ in range(ROUNDS):
        with clock.fixed(world.now):
            cards.come_to_an_end(world)
            wallets.come_to_an_end(world)
            _run_everything(world)
            waits_until = _next_due(world)
        if waits_until is None:
            return
        world.tick(max(1, int((waits_until - world.now).total_seconds()) + 1))
    raise Broken(f"it does not come to rest: {_waiting(world)}")


def _run_everything(world: World) -> None:
    for name in workers.SWEEPS:
        world.run_job(jobs.Job(name, {}))
    while world.wire or world.due_jobs():
        while world.wire:
            world.deliver(world.wire.pop(0).content)
        for message in world.due_jobs():
            world.broker.remove(message)
            world.run_job(message.content)


def _next_due(world: World) -> datetime | None:
    """Return when the next thing happens by itself, not before now."""
    known = [at for at in _waiting(world).values() if at is not None]
    return max(min(known), world.now) if known else None


def _waiting(world: World) -> dict[str, datetime | None]:
    """Return what waits for its time, and for which."""
    deliveries = EventDelivery.objects.filter(status="PENDING")
    if not world.renders:
        deliveries = deliveries.exclude(queue=RENDERING_LANE)
    intents = PaymentIntent.objects.filter(status=IntentStatus.PROCESSING)
    refunds = Refund.objects.live()
    attempts = PaymentAttempt.objects.all()
    return {
        **deliveries.aggregate(delivery=Min("available_at"), lease=Min("locked_until")),
        **WebhookDelivery.objects.filter(status=WebhookStatus.PENDING).aggregate(
            webhook=Min("next_attempt_at")
        ),
        **attempts.aggregate(query=Min("next_query_at"), order=Min("order_due_at") + JOB_GRACE),
        **PaymentAttempt.objects.filter(status=AttemptStatus.SENDING).aggregate(sending=Min("created_at")),
        **intents.aggregate(request=Min("next_request_at")),
        **refunds.aggregate(refund=Min("next_request_at"), refund_query=Min("next_query_at")),
        **transferring.waiting(),
        **Dispute.objects.aggregate(answer=Min("answer_due_at")),
        **refunds.filter(status=RefundStatus.SENDING).aggregate(refund_sending=Min("sent_at")),
        **Job.objects.filter(finished_at=None).aggregate(work=Min("locked_until")),
        "job": min((message.due_at for message in world.broker), default=None),
        "provider": _due_at_the_provider(world),
    }


def _due_at_the_provider(world: World) -> datetime | None:
    with world.simulator.store.transaction() as tx:
        times = [due.next_at(tx=tx), callbacks.next_due(tx=tx)]
    known = [moment(at=at) for at in times if at is not None]
    return min((at for at in known if at < world.now + SOON), default=None)


def _list_without_references(world: World) -> None:
    """In some worlds the provider does not say at first what its movements were paid for."""
    if world.rng.random() >= UNTOLD:
        return
    missing = {"action": "partial_result", "missing": ["billreference"]}
    world.control("POST", "/scripts", {"match": {"path": street.PULL}, "times": None, "actions": [missing]})
    _list_movements(world)
    world.control("DELETE", "/scripts")


def _list_movements(world: World) -> None:
    with clock.fixed(world.now):
        for account in world.accounts():
            world.run_job(jobs.Job(workers.PULL, {"account_id": str(account.id)}))


def _pull(world: World) -> None:
    """List what the provider knows, once no reader that died holds a cursor any more."""
    world.tick(int(pulls.LEASE.total_seconds()) + 1)
    _list_movements(world)


def _hold_receipts_of_refunds(world: World) -> None:
    """People find in the provider's statement that a refund without an answer was made."""
    with clock.fixed(world.now):
        for refund in Refund.objects.filter(status=RefundStatus.UNKNOWN).order_by("id"):
            receipt = refunding.receipt_of(world, refund)
            if receipt:
                refunding.hold(world, refund, receipt)


def _decide_reviews(world: World) -> None:
    """People look at what is in review still: most of it is accepted or closed, where that can be, some of it as a part from now on."""
    with clock.fixed(world.now):
        if not world.takes_parts and world.chance(0.5):
            deciding.take_parts(world)
        for intent in PaymentIntent.objects.filter(status=IntentStatus.IN_REVIEW).order_by("id"):
            deed = world.rng.choice((reviewing.accept, reviewing.close, reviewing.close, None))
            if deed is not None:
                world.note(f"at the end {deed.__name__}: {deed(world, intent.id)}")


def _ask_for_balances(world: World) -> None:
    """Ask what the provider holds now that nothing moves any more, and no circuit is open any more."""
    world.tick(int(circuits.REST) + 1)
    with clock.fixed(world.now):
        for account in world.accounts():
            world.run_job(jobs.Job(deciding.ASK_BALANCE, {"account_id": str(account.id)}))
    world.collect_callbacks()


def _ask_after_refunds(world: World) -> None:
    """A refund whose money came back without a message is found when it is asked after, a day later."""
    failed = {one["id"] for one in cards.listed(world, "refunds") if one["status"] == "failed"}
    if Refund.objects.filter(status=RefundStatus.SUCCEEDED, ticket__in=failed).exists():
        world.hit("evidence:asked a day later")
        world.tick(ONE_DAY)


FIRST: tuple[tuple[Callable[[World], str | None], ...], ...] = (
    (cards.pay_every_page, transferring.finish_every_account),
    (wallets.agree_to_every_order, transferring.transfer),
    (disputing.dispute_on_every_rail, unasked.begin),
    (disputing.lose_at_first,),
)
"""What follows in a seed's opening, each row once what came before has arrived."""
EVIDENCE: tuple[Callable[[World], None], ...] = (
    _pull,
    _hold_receipts_of_refunds,
    _decide_reviews,
    disputing.let_others_decide,
    _ask_after_refunds,
    disputing.ask_after_disputes,
    disputing.appeal_losses,
    disputing.decide_appeals,
    disputing.ask_after_disputes,
    disputing.let_time_run_out,
    transferring.ask_after_accounts,
    _ask_for_balances,
)
"""What resolves a payment that neither callback nor query has resolved."""
