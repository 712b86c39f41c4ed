"""Several methods: a payment names all that do, and routing chooses among them, at first and after a failure that is known."""

import pytest
from django.db import IntegrityError, transaction

from apps.integrations.ports import ProviderDeclined, ProviderUnavailable
from apps.integrations.services import gates
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.payments import events
from apps.payments.contracts import AttemptStatus, Choice, IntentStatus, Method
from apps.payments.models import PaymentIntent, RoutingDecision
from apps.payments.models import phone as phones
from apps.payments.services import attempts, choices, intents, limits
from tests.factories import payments
from tests.factories.routing import rule
from tests.payments import cards

NOW = payments.NOW
PHONE_OR_CARD = Choice(Method.MPESA, payments.PHONE, "Njeri Kamau", others=(Method.CARD,))
CARD_OR_PHONE = Choice(Method.CARD, payments.PHONE, "Njeri Kamau", others=(Method.MPESA,))
FAULT = ProviderDeclined("configuration", "Not set up.", provider_code="400", may_fall_back=True)
LARGE = Money(300_000_00, "KES")


@pytest.fixture
def both(acme):
    """Return an account of M-Pesa and one of cards, in shillings, of head office."""
    return payments.account(), cards.account(currency="KES")


def asked(**facts):
    return payments.intent(choice=facts.pop("choice", PHONE_OR_CARD), **facts)


def begin(intent):
    return attempts.begin(intent_id=intent.id, now=NOW)


def methods_of(intent):
    kept = payments.reload(intent.id)
    return kept.method, kept.methods


def test_the_preferred_method_is_asked_and_the_others_stay_ready(both):
    intent = asked()
    attempt = begin(intent)

    decision = RoutingDecision.objects.get(attempt=attempt)
    assert attempt.provider_account == both[0]
    assert decision.candidates == [str(account.id) for account in both]
    assert methods_of(intent) == ("MPESA", ["MPESA", "CARD"])
    assert events.snapshot(payments.reload(intent.id))["methods"] == ["mpesa", "card"]


def test_where_the_preferred_one_is_stopped_its_payer_is_asked_by_the_next(both):
    phone, card = both
    gates.open_circuit(account_id=phone.id, kind="stk_push", actor=SYSTEM, now=NOW, reason="Outage")

    intent = asked()
    attempt = begin(intent)

    assert attempt.provider_account == card
    assert attempt.pay_page is not None
    assert RoutingDecision.objects.get(attempt=attempt).dropped == {str(phone.id): "CIRCUIT_OPEN"}
    assert methods_of(intent) == ("CARD", ["MPESA", "CARD"])


def test_a_rule_of_no_method_chooses_the_rail(both):
    phone, card = both
    made = rule(card, phone, minimum_minor=1000_00, currency="KES")

    attempt = begin(asked())

    assert (attempt.provider_account, RoutingDecision.objects.get(attempt=attempt).rule) == (card, made)
    assert begin(asked(money=Money(999_00, "KES"))).provider_account == phone


@pytest.mark.parametrize(
    "facts",
    [{"money": LARGE}, {"money": Money(10_50, "KES")}, {"is_captured": False}],
    ids=["too large", "not whole", "held back"],
)
def test_a_method_that_cannot_take_it_is_left_out(both, facts):
    intent = asked(**facts)

    assert begin(intent).provider_account == both[1]
    assert methods_of(intent) == ("CARD", ["CARD"])


def test_where_no_method_can_take_it_the_first_says_why_and_nothing_is_written(acme):
    payments.account()

    with pytest.raises(limits.AmountTooLarge) as too_large:
        asked(money=LARGE)
    with pytest.raises(choices.MethodNotAvailable) as unknown:
        asked(choice=Choice(Method.CARD, others=(Method.PAYPAL,)))

    assert "250,000.00" in str(too_large.value)
    assert "by card" in str(unknown.value)
    assert not PaymentIntent.objects.exists()


def test_a_phone_is_needed_as_soon_as_one_method_asks_it(both):
    with pytest.raises(phones.PhoneInvalid):
        asked(choice=Choice(Method.CARD, others=(Method.MPESA,)))


def test_a_failure_that_is_known_leads_to_the_next_method_once(both):
    intent = asked()
    refused = begin(intent)

    attempts.decline(attempt_id=refused.id, refusal=FAULT, now=NOW)
    follower = begin(intent)
    attempts.decline(attempt_id=follower.id, refusal=FAULT, now=NOW)

    assert follower.provider_account == both[1]
    assert RoutingDecision.objects.get(attempt=follower).is_fallback
    assert methods_of(intent)[0] == "CARD"
    assert begin(intent) is None
    assert payments.reload(intent.id).is_unconfirmed, "its payer holds the link to the page"


@pytest.mark.parametrize("how", ["by the payer", "unknown"])
def test_no_other_method_follows_a_refusal_of_the_payer_or_what_nobody_knows(both, how):
    intent = asked()
    attempt = begin(intent)

    if how == "unknown":
        attempts.lose(attempt_id=attempt.id, now=NOW)
    else:
        refusal = ProviderDeclined("payer_cancelled", "Cancelled at the phone.")
        attempts.decline(attempt_id=attempt.id, refusal=refusal, now=NOW)

    assert begin(intent) is None
    assert intent.attempts.count() == 1


def test_what_never_left_goes_on_by_the_next_method(both):
    intent = asked()
    attempt = begin(intent)
    attempts.withdraw(attempt_id=attempt.id, refusal=ProviderUnavailable("provider_unavailable"), now=NOW)

    due = payments.reload(intent.id).next_request_at
    follower = attempts.begin(intent_id=intent.id, now=due)

    assert follower.provider_account == both[1]


def test_money_of_the_method_before_settles_by_that_method(both):
    intent = asked()
    refused = begin(intent)
    attempts.decline(attempt_id=refused.id, refusal=FAULT, now=NOW)
    begin(intent)

    settled = intents.settle(
        attempt_id=refused.id, report=payments.collected(refused), actor=PROVIDER, now=NOW
    )

    assert (settled.method, settled.current_attempt_id) == ("MPESA", refused.id)
    assert settled.status == IntentStatus.SUCCEEDED
    assert payments.reloaded(refused).status == AttemptStatus.SUCCEEDED


def test_a_confirmation_may_name_several_in_place_of_what_was_chosen(both):
    intent = asked(choice=Choice(Method.MPESA, payments.PHONE), is_confirmed=False)

    intents.confirm(
        intent_id=intent.id,
        choice=Choice(Method.CARD, payments.PHONE, others=(Method.MPESA,)),
        actor=SYSTEM,
        now=NOW,
    )

    assert begin(intent).provider_account == both[1]
    assert methods_of(intent) == ("CARD", ["CARD", "MPESA"])


def test_the_database_charges_a_saved_method_by_its_own_method_alone(both):
    intent = asked()

    with pytest.raises(IntegrityError, match="intent_saved_method_alone"), transaction.atomic():
        PaymentIntent.objects.filter(id=intent.id).update(saved_method_id=intent.id)


@pytest.mark.parametrize(("kind", "is_chosen"), [("charge", True), ("checkout", False)])
def test_a_card_gives_way_where_its_page_is_stopped_and_not_where_saved_cards_are(both, kind, is_chosen):
    phone, card = both
    gates.open_circuit(account_id=card.id, kind=kind, actor=SYSTEM, now=NOW, reason="Outage")

    attempt = begin(asked(choice=CARD_OR_PHONE))

    assert attempt.provider_account == (card if is_chosen else phone)
