"""What the scenarios see of PayPal: each mistake in its adapter, or in how its messages are followed, turns one of them red."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest
from django_fsm import TransitionNotAllowed

from apps.integrations.paypal import codes, webhooks
from apps.integrations.paypal.client import PaypalLine
from apps.integrations.paypal.webhooks import Webhooks
from apps.integrations.ports import ProviderDeclined
from tests.contract.rails import Rail
from tests.contract.test_mutations import drop_the_dedupe, story
from tests.contract.test_stripe_mutations import a_refund_without_an_answer, repeat_nothing

pytestmark = pytest.mark.simulator_only


def read_a_500_as_a_refusal(patch: pytest.MonkeyPatch) -> None:
    right = codes.Refusal._verdict

    def verdict(refusal: codes.Refusal) -> object:
        is_open = refusal.status in codes.SERVER_ERRORS
        return (ProviderDeclined, codes.UNKNOWN) if is_open else right(refusal)

    patch.setattr(codes.Refusal, "_verdict", verdict)


def forget_the_key(patch: pytest.MonkeyPatch) -> None:
    """Each sending bears a key of its own, so that a repeated one is another request."""
    right, numbers = PaypalLine.post, count()

    def post(line: PaypalLine, *told: object, key: str = "") -> object:
        return right(line, *told, key=key and f"{key}:{next(numbers)}")

    patch.setattr(PaypalLine, "post", post)


def look_at_no_clock(patch: pytest.MonkeyPatch) -> None:
    for bound in ("OLDEST", "AHEAD"):
        patch.setattr(webhooks, bound, timedelta(days=365))


def prove_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Webhooks, "_prove", lambda *_: None)


@pytest.mark.parametrize("rail", ["paypal"], indirect=True)
@pytest.mark.parametrize(
    ("played", "mistake"),
    [
        (story("no clear answer and the money moved"), read_a_500_as_a_refusal),
        (story("no clear answer and nothing moved"), repeat_nothing),
        (story("a message that is not proven"), look_at_no_clock),
        (story("a message that is not proven"), prove_nothing),
        (story("messages come five times at once"), drop_the_dedupe),
        (a_refund_without_an_answer, forget_the_key),
        (story("a way to pay is kept"), forget_the_key),
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
