"""Scenarios of rails that hold a sum back, or tell later what became of a refund."""

from datetime import timedelta

from apps.kit import clock
from apps.kit.actors import SYSTEM
from apps.payments.contracts import IntentStatus, RefundStatus
from apps.payments.models import PaymentIntent
from apps.payments.services import captures, intents
from tests.contract.catalogue import Capability, scenario
from tests.contract.collecting import is_unpaid
from tests.contract.rails import Rail
from tests.contract.returning import asked, bought, gone

PART, REST = 1000_00, 500_00
FORGOTTEN = timedelta(hours=26)
"""After this no rail knows a request by its key, and nothing can come of it."""

holds_back = lambda name: scenario(Capability.CAPTURE, name)  # noqa: E731 (an abbreviation)


def authorised(rail: Rail) -> PaymentIntent:
    """Return a payment whose sum is held back."""
    before = rail.rows()
    intent = rail.ask(is_captured=False)
    rail.let_pass_seconds(3)
    rail.take()
    assert rail.again(intent).status == IntentStatus.REQUIRES_CAPTURE
    assert rail.rows() == before
    return intent


@holds_back("a sum is held back: a part of it is taken, once, and the rest is let go")
def captured(rail: Rail) -> None:
    intent = authorised(rail)
    for _ in range(2):
        with clock.fixed(rail.now):
            captures.capture(intent_id=intent.id, money=rail.money(PART), actor=SYSTEM, now=rail.now)
    rail.rest()
    assert rail.attempt(intent).received == rail.money(PART)
    assert [row["paid_in"] for row in rail.rows("payment")] == [rail.money(PART).text]


@holds_back("the order to take a part is not answered: taken once, whether it was carried out or not")
def captured_unanswered(rail: Rail) -> None:
    for is_processed in (True, False):
        rail.spoil("capture", {"action": "reset", "processed": is_processed}, "drop_callback")
        intent = authorised(rail)
        with clock.fixed(rail.now):
            captures.capture(intent_id=intent.id, money=rail.money(PART), actor=SYSTEM, now=rail.now)
        rail.rest()
        assert (rail.attempt(intent).received, rail.attempt(intent).is_booked) == (rail.money(PART), True)
    assert [row["paid_in"] for row in rail.rows("payment")] == [rail.money(PART).text] * 2
    assert rail.sent("capture") > 2


@holds_back("a sum is held back and the payment is cancelled: it is let go, and nothing moved")
def let_go(rail: Rail) -> None:
    intent = authorised(rail)
    with clock.fixed(rail.now):
        intents.cancel(intent_id=intent.id, actor=SYSTEM, now=rail.now)
    rail.rest()
    assert is_unpaid(rail, intent, IntentStatus.CANCELLED)


@scenario(Capability.REFUND_QUERY, "a refund that is on its way fails: the money is ours again")
def refund_fails(rail: Rail) -> None:
    rail.spoil("refund", {"action": "late_failure", "ms": 5000})
    refund = asked(rail, bought(rail))
    rail.rest()
    rail.rest(seconds=10)
    refund.refresh_from_db()
    assert refund.status == RefundStatus.FAILED or refund.came_back_at is not None
    assert gone(rail) == 0


@scenario(
    Capability.TURN_BACK,
    "a refund that was given fails later: the money is ours again, and is booked so",
    Capability.REFUND_QUERY,
)
def refund_fails_later(rail: Rail) -> None:
    refund = asked(rail, bought(rail))
    rail.rest()
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED
    rail.words.fail_refund(rail, refund.ticket)
    rail.rest()
    refund.refresh_from_db()
    assert refund.came_back_at is not None


@scenario(
    Capability.REFUND_SEARCH,
    "a refund without answer or message is found when its request is forgotten, or was not made",
)
def refund_found(rail: Rail) -> None:
    intent = bought(rail)
    rail.spoil("refund", {"action": "reset", "processed": True}, "drop_callback")
    rail.spoil("refund", {"action": "reset"})
    made, lost = (asked(rail, intent, rail.money(minor)) for minor in (PART, REST))
    rail.let_pass(FORGOTTEN)
    rail.spoil("refund", {"action": "status", "status": 500}, times=2)
    rail.rest()
    for refund, ends in ((made, RefundStatus.SUCCEEDED), (lost, RefundStatus.FAILED)):
        refund.refresh_from_db()
        assert refund.status == ends
    assert len(rail.rows("reversal")) == 1
    assert rail.sent("refund") == 2
