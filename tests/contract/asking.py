"""Scenarios of questions: after a receipt that a person holds, for what the provider holds, for a picture to pay by."""

import pytest

from apps.integrations.models import ProviderBalanceReading
from apps.integrations.ports import ProviderDeclined, ProviderError, ProviderUnavailable, ProviderUncertain
from apps.integrations.services import balances, providers
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import IntentStatus
from apps.payments.models import PaymentIntent
from apps.payments.services import intents
from tests.contract.catalogue import Capability, scenario
from tests.contract.collecting import LOST, is_paid
from tests.contract.rails import Rail
from tests.factories import payments

PNG = b"\x89PNG\r\n"
UNCLEAR = (ProviderUnavailable, ProviderUncertain)
QUESTION_FAULTS = ({"action": "reset"}, {"action": "status", "status": 500}, {"action": "empty_body"})

asks = lambda name: scenario(Capability.STATUS, name)  # noqa: E731 (an abbreviation)
holds = lambda name: scenario(Capability.BALANCE, name)  # noqa: E731 (an abbreviation)


def lost(rail: Rail) -> tuple[PaymentIntent, str]:
    """Return a payment of which nobody knows that it was paid, and the receipt that its payer holds."""
    rail.spoil("collect", {"action": "reset", "processed": True}, *LOST)
    intent = rail.ask()
    rail.let_pass_seconds(3)
    return intent, rail.rows("payment")[-1]["receipt"]


def verified(rail: Rail, intent: PaymentIntent, receipt: str) -> IntentStatus:
    """Hold a receipt against a payment, and return the state that it has when the answer has come."""
    with clock.fixed(rail.now):
        intents.verify(intent_id=intent.id, receipt=receipt, actor=SYSTEM, now=rail.now)
    rail.work()
    rail.let_pass_seconds(3)
    rail.take()
    return IntentStatus(rail.again(intent).status)


@scenario(
    Capability.CONNECTION,
    "the secrets are tried: right ones pass, and what is wrong is told; nobody is asked for money",
)
def secrets_tried(rail: Rail) -> None:
    port = providers.connection(rail.account.id, now=rail.now)
    port.check()
    for answer, errors in (
        ({"action": "reset"}, UNCLEAR),
        ({"action": "status", "status": 503, "body": ""}, UNCLEAR),
        (rail.words.refusals[0][0], (ProviderDeclined,)),
    ):
        rail.spoil("connection", answer)
        with pytest.raises(errors):
            port.check()
    port.check()
    assert rail.sent("collect") == 0


@asks("a person holds the receipt: it settles the payment that it is of")
def right_receipt(rail: Rail) -> None:
    intent, receipt = lost(rail)
    assert verified(rail, intent, receipt) == IntentStatus.SUCCEEDED
    assert is_paid(rail, intent)


@asks("the receipt of another sum, of another payer, or of nobody: believed by nobody")
def wrong_receipt(rail: Rail) -> None:
    paid, receipt = lost(rail)
    rail.spoil("collect", "reset", times=2)
    other_sum, other_payer = rail.ask(money=Money(900_00, "KES")), rail.ask(payer=rail.words.decides)
    for intent in (other_sum, other_payer):
        for held in (receipt, "NLJ0000001"):
            assert verified(rail, intent, held) == IntentStatus.UNKNOWN
    assert verified(rail, paid, receipt) == IntentStatus.SUCCEEDED


@asks(
    "the question is not answered, or its answer is lost, late or a time-out of the queue: nothing changes, it may be asked again"
)
def question_unanswered(rail: Rail) -> None:
    intent, receipt = lost(rail)
    for action in (*QUESTION_FAULTS, "drop_callback", {"action": "queue_timeout", "ms": 1000}):
        rail.spoil("status", action)
        assert verified(rail, intent, receipt) == IntentStatus.UNKNOWN
        rail.forget_circuits()
    assert verified(rail, intent, receipt) == IntentStatus.SUCCEEDED
    assert is_paid(rail, intent)


def readings(rail: Rail, *actions: object) -> int:
    """Ask for the balance under a fault; return how many readings came of it."""
    before = ProviderBalanceReading.objects.count()
    if actions:
        rail.spoil("balance", *actions)
    with clock.fixed(rail.now):
        balances.request(account_id=rail.account.id, now=rail.now)
    rail.let_pass_seconds(30)
    rail.take()
    rail.forget_circuits()
    return ProviderBalanceReading.objects.count() - before


@holds("told once however often the answer comes, and as the statement says")
def balance_told(rail: Rail) -> None:
    rail.ask()
    rail.rest()
    assert readings(rail) == 1
    newest = ProviderBalanceReading.objects.order_by("-read_at")[0]
    kept = rail.control("GET", f"/statement?shortcode={rail.account.short_code}")
    assert newest.total_minor == Money.parse(kept["closing_balance"], "KES").minor
    assert readings(rail, {"action": "duplicate_callback", "n": 3}) == 1


@holds("the question or its answer goes wrong: nothing is read of it")
def balance_untold(rail: Rail) -> None:
    for action in (
        *QUESTION_FAULTS,
        "drop_callback",
        "partial_result",
        {"action": "queue_timeout", "ms": 5000},
    ):
        assert readings(rail, action) == 0, action


@scenario(Capability.QR, "a picture comes, for a sum and for none; where none comes, it may be asked again")
def picture(rail: Rail) -> None:
    port = providers.qr(rail.account.id, now=rail.now)
    for money in (payments.KES_1500, None):
        assert port.make(money=money, reference=ids.code(), size=300).startswith(PNG)
    for action in QUESTION_FAULTS:
        rail.spoil("qr", action)
        try:
            port.make(money=None, reference=ids.code(), size=300)
        except ProviderError:
            continue
        raise AssertionError(f"{action} was taken for a picture")
    assert port.make(money=None, reference=ids.code(), size=300).startswith(PNG)
