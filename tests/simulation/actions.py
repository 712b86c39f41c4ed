"""What may happen next: deeds of partners, payers, workers, clocks and networks, each with its weight."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation import (
    bookkeeping,
    bulks,
    cards,
    deciding,
    disputing,
    partner,
    pay_pages,
    refunding,
    reviewing,
    street,
    transferring,
    unasked,
    wallets,
    workers,
)
from tests.simulation.interruptions import Crash
from tests.simulation.world import Asked, World


@dataclass(frozen=True)
class Action:
    """One kind of deed: how often it is drawn, and what it does; it says what it did, or None if nothing could be done."""

    weight: int
    act: Callable[[World], str | None]


@dataclass(frozen=True)
class Aside:
    """A deed of another process, for a named point."""

    text: str
    act: Callable[[], str]


ACTIONS: dict[str, Action] = {
    "create": Action(8, partner.create),
    "create_unconfirmed": Action(2, partner.create_unconfirmed),
    "create_bulk": Action(2, bulks.create),
    "stop_bulk": Action(2, bulks.stop),
    "create_refused": Action(1, partner.create_refused),
    "repeat": Action(3, partner.repeat),
    "reuse_key": Action(1, partner.reuse_key),
    "confirm": Action(3, partner.confirm),
    "cancel": Action(2, partner.cancel),
    "verify": Action(3, partner.verify),
    "refund": Action(7, refunding.refund),
    "refund_part": Action(1, refunding.refund_part),
    "approve_refund": Action(3, refunding.decide("approve")),
    "refuse_refund": Action(1, refunding.decide("refuse")),
    "verify_refund": Action(2, refunding.verify),
    "replay_webhook": Action(1, partner.replay_webhook),
    "fail_inbox": Action(1, partner.fail_inbox),
    "approve": Action(7, street.answer_phone("approve")),
    "cancel_on_phone": Action(2, street.answer_phone("cancel")),
    "wrong_pin": Action(1, street.answer_phone("wrong-pin")),
    "ignore": Action(1, street.answer_phone("ignore")),
    "page_prompt": Action(4, pay_pages.prompt),
    "page_claim": Action(4, pay_pages.claim),
    "page_picture": Action(3, pay_pages.picture),
    "register": Action(2, unasked.register),
    "pay_unasked": Action(7, unasked.pay),
    "pay_part": Action(14, unasked.pay_part),
    "pay_typo": Action(1, unasked.pay_typo),
    "pay_unknown": Action(2, unasked.pay_unknown),
    "pay_twice": Action(3, unasked.pay_twice),
    "forge_confirmation": Action(1, unasked.forge),
    "forge_large": Action(1, unasked.forge_large),
    "create_card": Action(5, cards.create),
    "create_held": Action(3, cards.create_held),
    "create_of_several": Action(3, cards.create_of_several),
    "pay_page": Action(8, cards.pay_page),
    "leave_page": Action(1, cards.leave_page),
    "capture": Action(3, cards.capture),
    "refund_online_part": Action(5, cards.refund_part),
    "fail_card_refund": Action(2, cards.fail_refund),
    "dispute": Action(4, disputing.dispute),
    "answer_dispute": Action(6, disputing.answer),
    "accept_dispute": Action(2, disputing.accept),
    "appeal_dispute": Action(12, disputing.appeal),
    "decide_dispute": Action(2, disputing.decide),
    "escalate_inquiry": Action(2, disputing.escalate),
    "list_disputes": Action(1, disputing.list_disputes),
    "script_card_fault": Action(4, cards.script_fault),
    "create_wallet": Action(5, wallets.create),
    "create_wallet_held": Action(2, wallets.create_held),
    "agree": Action(7, wallets.agree),
    "decide_wallet": Action(2, wallets.decide),
    "script_wallet_fault": Action(5, wallets.script_fault),
    "connect_merchant": Action(2, transferring.connect),
    "stand_of_merchant": Action(3, transferring.tell_provider),
    "transfer": Action(6, transferring.transfer),
    "reverse_transfer": Action(5, transferring.reverse),
    "script_transfer_fault": Action(4, transferring.script_fault),
    "choose_terms": Action(2, deciding.choose_terms),
    "assign": Action(3, deciding.assign),
    "give_back": Action(3, deciding.give_back),
    "hand_over": Action(2, deciding.hand_over),
    "accept_review": Action(3, reviewing.accept),
    "close_review": Action(3, reviewing.close),
    "replay_callback": Action(3, deciding.replay_callback),
    "replay_waiting": Action(1, deciding.replay_waiting),
    "stop_calls": Action(1, deciding.stop_calls),
    "let_calls_through": Action(2, deciding.let_calls_through),
    "ask_balance": Action(2, deciding.ask_balance),
    "script_fault": Action(8, street.script_fault),
    "restart_simulator": Action(1, street.restart_simulator),
    "work": Action(60, workers.work),
    "beat": Action(5, workers.beat),
    "pull": Action(2, workers.pull),
    "tick": Action(12, workers.tick),
    "receive": Action(18, workers.receive),
    "forge": Action(1, workers.forge),
    "garble": Action(1, workers.garble),
    "place_hold": Action(5, bookkeeping.place),
    "capture_hold": Action(6, bookkeeping.capture),
    "release_hold": Action(2, bookkeeping.release),
    "expire_holds": Action(2, bookkeeping.expire),
    "exchange": Action(3, bookkeeping.exchange),
    "reverse_exchange": Action(1, bookkeeping.reverse_exchange),
    "book_late": Action(3, bookkeeping.book_late),
    "close_period": Action(2, bookkeeping.close),
    "repeat_booking": Action(2, bookkeeping.repeat_booking),
}


ASIDES: dict[str, tuple[str, Callable[[World], str]]] = {
    "relay": ("another relay", lambda world: world.run_job(workers.RELAY)),
    "stop": ("a stop", bulks.stop_aside),
    "capture": ("a capture", bookkeeping.capture_aside),
}
"""What another process does that need not be drawn."""


def step(world: World) -> None:
    """Draw actions until one can act, and write down what it did."""
    names, weights = list(ACTIONS), [action.weight for action in ACTIONS.values()]
    done = None
    while done is None:
        name = world.rng.choices(names, weights)[0]
        try:
            done = ACTIONS[name].act(world)
        except Crash:
            world.recover()
            done = "no answer: the process ended"
    world.hit(f"action:{name}")
    world.note(f"{name}: {done}")
    world.collect_jobs()


def choose_aside(world: World) -> Aside:
    """Draw what another process does at a named point: a job, the relay, a callback, a capture, or a call of the partner."""
    due = world.due_jobs()
    kinds = [
        "relay",
        "relay",
        *(["job"] * 2 if due else []),
        *(["callback"] if world.wire else []),
        *(["cancel"] if world.payments else []),
        *(["stop"] * 2 if bulks.live() else []),
        *(["capture"] * 2 if world.books and world.books.held else []),
    ]
    kind = world.rng.choice(kinds)
    if kind in ASIDES:
        text, act = ASIDES[kind]
        return Aside(text, lambda: act(world))
    if kind == "job":
        message = world.rng.choice(due)
        return Aside(f"job {workers.job_text(message)}", lambda: workers.finish(world, message))
    if kind == "callback":
        message = world.rng.choice(world.wire)
        return Aside(f"callback {message.content['id']}", lambda: workers.arrive(world, message))
    asked = Asked(f"/payments/{world.rng.choice(world.payments)}/cancel", {}, partner.new_key(world))
    return Aside(f"{asked.path} {asked.key}", lambda: partner.try_(world, asked))
