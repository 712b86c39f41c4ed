"""What the scenarios see of Stripe: each mistake in its adapter, or in how its messages are followed, turns one of them red."""

from collections.abc import Callable
from itertools import count

import pytest
from django_fsm import TransitionNotAllowed

from apps.integrations.ports import NudgeKind, ProviderDeclined
from apps.integrations.stripe import checkout, codes, refunds, webhooks
from apps.integrations.stripe.webhooks import Webhooks
from apps.payments.contracts import RefundStatus
from apps.payments.models import PaymentAttempt
from apps.payments.services import movements, sendings
from tests.contract import returning
from tests.contract.rails import Rail
from tests.contract.test_mutations import book_what_was_asked, drop_the_dedupe, story

pytestmark = pytest.mark.simulator_only


def read_a_500_as_a_refusal(patch: pytest.MonkeyPatch) -> None:
    right = codes.Refusal._verdict

    def verdict(refusal: codes.Refusal) -> object:
        is_open = refusal.status in codes.SERVER_ERRORS
        return (ProviderDeclined, codes.UNKNOWN) if is_open else right(refusal)

    patch.setattr(codes.Refusal, "_verdict", verdict)


def forget_the_key(patch: pytest.MonkeyPatch) -> None:
    """Each sending bears a key of its own, so that a repeated one is another request."""
    numbers = count()
    for adapter in (checkout, refunds):
        patch.setattr(
            adapter, "key", lambda code, deed: {"idempotency_key": f"{code}:{deed}:{next(numbers)}"}
        )


def look_at_no_clock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(webhooks, "TOLERANCE", 10**9)


def prove_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Webhooks, "_prove", lambda *_: None)


def repeat_nothing(patch: pytest.MonkeyPatch) -> None:
    """What was not answered stays so, although Stripe knows the request."""
    patch.setattr(PaymentAttempt, "is_patient", property(lambda _: False))
    patch.setattr("apps.payments.services.polling.next_repeat", lambda **_: None)


def never_look_again(patch: pytest.MonkeyPatch) -> None:
    """A refund that succeeded is taken for gone, whatever is told of it later."""
    patch.setattr(sendings, "may_come_back", lambda _: False)


def book_what_nothing_explains(patch: pytest.MonkeyPatch) -> None:
    nobodys = movements._nobodys
    patch.setitem(movements.FOLLOWED, NudgeKind.NONE, lambda account, row, _, now: nobodys(account, row, now))


def a_refund_without_an_answer(rail: Rail) -> None:
    untold = ({"action": "reset", "processed": True}, "drop_callback")
    case = returning.Case("done, and nobody told", untold, RefundStatus.SUCCEEDED)
    assert returning.played(rail, case, returning.bought(rail), rail.money(returning.PART)) == ""


@pytest.mark.parametrize("rail", ["stripe"], indirect=True)
@pytest.mark.parametrize(
    ("played", "mistake"),
    [
        (story("no clear answer and the money moved"), read_a_500_as_a_refusal),
        (story("no clear answer and the money moved"), forget_the_key),
        (story("no clear answer and nothing moved"), repeat_nothing),
        (story("a message that is not proven"), look_at_no_clock),
        (story("a message that is not proven"), prove_nothing),
        (story("messages come five times at once"), drop_the_dedupe),
        (story("another sum moved"), book_what_was_asked),
        (story("a refund that was given fails later"), never_look_again),
        (story("the list tells of a movement"), book_what_nothing_explains),
        (a_refund_without_an_answer, forget_the_key),
    ],
)
def test_a_mistake_turns_a_scenario_red(
    begun: Rail,
    monkeypatch: pytest.MonkeyPatch,
    played: Callable[[Rail], None],
    mistake: Callable[[pytest.MonkeyPatch], None],
) -> None:
    mistake(monkeypatch)

    with pytest.raises((AssertionError, TransitionNotAllowed)):
        begun.hold(played)
