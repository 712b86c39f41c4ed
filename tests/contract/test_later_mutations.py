"""What the scenarios see of ways to pay that are kept, and of disputes: each mistake in a service or an adapter turns some of them red."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django_fsm import TransitionNotAllowed

from apps.integrations.paypal.client import PaypalLine
from apps.integrations.ports import ProviderDeclined, ProviderError, ProviderUncertain
from apps.integrations.stripe import disputes as stripe_disputes
from apps.integrations.stripe import methods as stripe_methods
from apps.payments.contracts import Recorded
from apps.payments.models import Dispute, SavedMethod
from apps.payments.models.disputed_money import Moves
from apps.payments.postings import disputes as postings
from apps.payments.services import (
    dispute_answers,
    dispute_queries,
    disputes,
    method_tokens,
    polling,
    setups,
)
from tests.contract.rails import Rail
from tests.contract.test_mutations import story
from tests.contract.test_paypal_mutations import prove_nothing as prove_no_wallet
from tests.contract.test_stripe_mutations import prove_nothing as prove_no_card
from tests.contract.test_stripe_mutations import read_a_500_as_a_refusal

pytestmark = pytest.mark.simulator_only

RED = (AssertionError, TransitionNotAllowed, ProviderDeclined, Dispute.DoesNotExist)
NEVER = timedelta(days=3650)


def forget_the_key(patch: pytest.MonkeyPatch) -> None:
    """Each sending bears a key of its own, so that a repeated one is another request."""
    numbers, send = count(), PaypalLine.send

    def keyless(line: PaypalLine, *told: Any, key: str = "", **facts: Any) -> object:
        return send(line, *told, key=key and f"{key}:{next(numbers)}", **facts)

    patch.setattr(PaypalLine, "send", keyless)
    for adapter in (stripe_methods, stripe_disputes):
        key = lambda code, deed: {"idempotency_key": f"{code}:{deed}:{next(numbers)}"}  # noqa: E731
        patch.setattr(adapter, "key", key)


def know_every_token_by_one_name(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(method_tokens, "digest", lambda _: "one for all")


def take_no_answer_for_a_refusal(patch: pytest.MonkeyPatch) -> None:
    """Whoever has not agreed yet is taken for one who will not."""
    patch.setattr(setups, "MethodStatus", _Pendings)


class _Pendings:
    PENDING, SAVED = None, setups.MethodStatus.SAVED


def take_a_refusal_for_no_answer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(setups, "ProviderDeclined", ProviderUncertain)


def give_up_whatever_is_refused(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(setups, "ProviderDeclined", ProviderError)


def ask_no_more(patch: pytest.MonkeyPatch) -> None:
    """What was not answered at once is left to messages."""
    patch.setattr(polling, "next_patient", lambda *, initiated_at, now: now + NEVER)  # noqa: ARG005


def tell_again(patch: pytest.MonkeyPatch) -> None:
    """A way to pay that is known to be kept is told of whenever it is asked after."""

    def renew(saved: SavedMethod, _: object) -> None:
        saved.next_query_at = None
        saved.save_progress()
        about = setups.events.methods.about(setups.events.methods.SAVED, saved)
        setups.outbox.publish(about, now=saved.saved_at)

    patch.setattr(setups, "_renew", renew)


def believe_that_it_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """An order to forget counts as carried out whatever is answered."""

    def forget(saved: SavedMethod, now: Any) -> None:
        port = setups.providers.method(saved.provider_account_id, now=now)
        with suppress(ProviderError):
            port.forget(method_tokens.opened(saved).token)
        setups._forgotten(saved.id, now=now)

    patch.setitem(setups.STEPS, setups.SavedMethodStatus.FORGETTING, forget)


def claim_nothing(patch: pytest.MonkeyPatch) -> None:
    """Whoever comes does what is due, whether another one is doing it or not."""
    patch.setattr(setups, "_claimed", lambda method_id, *, now: SavedMethod.objects.get(id=method_id))  # noqa: ARG005
    patch.setattr(dispute_answers, "_claim", _due)


def _due(dispute_id: Any, *, now: Any) -> Dispute:
    dispute = Dispute.objects.get(id=dispute_id)
    dispute.answer_tries = 1
    return dispute


def keep_the_old_token(patch: pytest.MonkeyPatch) -> None:
    """A token that was refused is not replaced."""
    patch.setattr("apps.integrations.services.tokens.CachedTokens.forget", lambda *_: None)


def say_it_again_unasked(patch: pytest.MonkeyPatch) -> None:
    """What was said without an answer is said again without asking whether it came through."""
    patch.setattr(dispute_answers, "_is_fresh", lambda *_, **__: True)


def take_nothing_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dispute_answers, "_refused", lambda *_, **__: None)


def list_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dispute_queries, "read_list", lambda **_: None)


def pass_over_a_failed_list(patch: pytest.MonkeyPatch) -> None:
    """A reading that did not come to its end counts as complete."""
    right = dispute_queries.read_list

    def read_list(*, account_id: Any, now: Any) -> None:
        right(account_id=account_id, now=now)
        dispute_queries._advance(account_id, until=now)

    patch.setattr(dispute_queries, "read_list", read_list)


def book_from_the_beginning(patch: pytest.MonkeyPatch) -> None:
    """Whatever is told books all steps of a dispute anew."""
    right = postings.drafts
    patch.setattr(postings, "drafts", lambda dispute, before: right(dispute, before=Moves()))  # noqa: ARG005


def book_the_first_step_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(disputes, "_facts", lambda _: ())


def open_only_what_is_open(patch: pytest.MonkeyPatch) -> None:
    """A dispute that is over when it is first heard of is passed over."""
    right = disputes.record

    def record(*, report: Any, **facts: Any) -> Recorded:
        is_new = not Dispute.objects.filter(ticket=report.ticket).exists()
        return Recorded.IGNORED if is_new and report.stage == "WON" else right(report=report, **facts)

    patch.setattr(disputes, "record", record)


def look_at_no_clock(patch: pytest.MonkeyPatch) -> None:
    """When a question was asked is nothing to go by."""
    patch.setattr(disputes, "_is_older", lambda *_, **__: False)


def lose_nothing(patch: pytest.MonkeyPatch) -> None:
    """What will not come back stays among what is disputed."""
    patch.setattr(Dispute, "_take_loss", lambda *_: None)


SEEN = {
    "stripe": [
        ("a payer's bank refuses", take_no_answer_for_a_refusal),
        ("the provider refuses at once", take_a_refusal_for_no_answer),
        ("no clear answer to the request for a page", forget_the_key),
        ("too many requests for pages", give_up_whatever_is_refused),
        ("the same request for a page again", forget_the_key),
        ("every message of a way to pay is lost", ask_no_more),
        ("messages of ways to pay overtake", know_every_token_by_one_name),
        ("a question after a way to pay", ask_no_more),
        ("the order to forget is not answered", believe_that_it_is_forgotten),
        ("a worker dies before it asks for a page", forget_the_key),
        ("the job that asks for a page", claim_nothing),
        ("every message of a dispute is lost", list_nothing),
        ("messages of a dispute come five times", book_from_the_beginning),
        ("a dispute is over before", open_only_what_is_open),
        ("an answer that is older", look_at_no_clock),
        ("a message of a dispute that cannot be read", prove_no_card),
        ("questions about a dispute", read_a_500_as_a_refusal),
        ("the list of disputes does not come", pass_over_a_failed_list),
        ("a worker dies while a dispute is recorded", book_the_first_step_alone),
        ("nobody answers a dispute in time", lose_nothing),
        ("evidence without a clear answer", say_it_again_unasked),
        ("a dispute is given up", say_it_again_unasked),
        ("the same evidence again", forget_the_key),
        ("the job that submits evidence", claim_nothing),
        ("a worker dies once evidence", say_it_again_unasked),
        ("a dispute is decided before", take_nothing_back),
    ],
    "paypal": [
        ("a payer agrees", ask_no_more),
        ("messages of a way to pay come five times", tell_again),
        ("the message that a payer has agreed", ask_no_more),
        ("the token expires while a way to pay", keep_the_old_token),
        ("a message of a dispute that cannot be read", prove_no_wallet),
        ("the same evidence again", forget_the_key),
        ("the token expires while a dispute", keep_the_old_token),
        ("an appeal without a clear answer", say_it_again_unasked),
        ("an appeal is refused", take_nothing_back),
        ("an appeal comes when", say_it_again_unasked),
        ("the same appeal again", forget_the_key),
        ("a worker dies once an appeal", say_it_again_unasked),
    ],
}
"""By the rail that plays it: how a scenario is called, and a mistake that it sees."""


@pytest.mark.parametrize(
    ("rail", "named", "mistake"),
    [
        pytest.param(rail, named, mistake, id=f"{rail}: {named}, {mistake.__name__}")
        for rail, seen in SEEN.items()
        for named, mistake in seen
    ],
    indirect=["rail"],
    scope="module",
)
def test_a_mistake_turns_a_scenario_red(
    begun: Rail,
    monkeypatch: pytest.MonkeyPatch,
    named: str,
    mistake: Callable[[pytest.MonkeyPatch], None],
) -> None:
    mistake(monkeypatch)

    with pytest.raises(RED):
        begun.hold(story(named))
