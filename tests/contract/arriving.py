"""Scenarios of money that comes unasked, and of the lists that tell what nobody told."""

from datetime import timedelta

from apps.integrations.models import ProviderCallback
from apps.kit import ids
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.payments.contracts import CollectionTerms, InboundStatus, IntentStatus, LateMoney
from apps.payments.contracts.listed import ListedMatter
from apps.payments.models import ListedMovement, PaymentIntent, PullCursor
from apps.payments.selectors import attempts
from apps.payments.services import intents
from tests.contract.catalogue import Capability, scenario
from tests.contract.collecting import LOST, PAID, is_paid
from tests.contract.rails import Rail, edited
from tests.factories import payments
from tests.payments.conftest import balance, told
from tests.payments.test_two_connections import at_once

PULL_FAULTS = (
    {"action": "reset"},
    {"action": "status", "status": 500},
    {"action": "html_error"},
    {"action": "malformed_json"},
    {"action": "rate_limit", "code": "429"},
)

IN_PARTS = CollectionTerms(takes_parts=True)

arrives = lambda name: scenario(Capability.INBOUND, name)  # noqa: E731 (an abbreviation)
lists = lambda name: scenario(Capability.STATEMENT, name, Capability.INBOUND)  # noqa: E731 (an abbreviation)
asks = lambda name: scenario(Capability.STATEMENT, name, Capability.WEBHOOK)  # noqa: E731 (an abbreviation)


def paid_so_far(rail: Rail, intent: PaymentIntent) -> tuple[str, int]:
    """Return how a payment stands, and how much has paid it, in minor units."""
    kept = rail.again(intent)
    return kept.status, kept.paid_minor


def receipts(intent: PaymentIntent) -> list[str]:
    """Return the receipts of what paid a payment, in the order in which it came."""
    return [one.provider_receipt for one in attempts.parts(intent.id)]


@arrives("paid under the code of a payment, however it is typed: it pays, and nobody is asked")
def paid_by_code(rail: Rail) -> None:
    for form in ("{}", " {} ", "{}.", "-{}"):
        intent = rail.create(is_confirmed=False)
        made = rail.pay(form.format(intent.code.lower()))
        attempt = rail.attempt(intent)
        assert (rail.again(intent).status, attempt.provider_receipt) == (
            IntentStatus.SUCCEEDED,
            made["receipt"],
        )
    assert rail.sent("collect") == 0


@arrives("paid while the phone is asked too: one payment, the second money is a suspected double")
def paid_beside_the_prompt(rail: Rail) -> None:
    intent = rail.ask()
    first = rail.pay(intent.code)
    rail.rest()
    assert rail.again(intent).status == IntentStatus.SUCCEEDED
    assert len(rail.rows("payment")) == 2
    beside = rail.again(intent).attempts.exclude(provider_receipt=first["receipt"]).get()
    assert (beside.received, beside.is_in_suspense) == (payments.KES_1500, True)


@arrives("one payment is told on two roads: booked once, whichever comes first")
def told_twice(rail: Rail) -> None:
    for is_reversed in (False, True):
        intent = rail.ask()
        rail.let_pass(timedelta(seconds=3))
        came = rail.kept_back()
        assert len(came) == 2
        for callback in reversed(came) if is_reversed else came:
            rail.deliver(callback)
        assert rail.again(intent).status == IntentStatus.SUCCEEDED
        receipt = rail.attempt(intent).provider_receipt
        assert rail.inbound(receipt).status == InboundStatus.MATCHED
    assert len(rail.rows("payment")) == 2


@arrives(
    "paid under the code of a payment that has expired: it pays late, or waits in suspense, as is chosen"
)
def paid_after_it_expired(rail: Rail) -> None:
    for policy in (LateMoney.ACCEPT, LateMoney.SUSPENSE):
        intent = rail.create(is_confirmed=False)
        rail.let_pass(intents.CONFIRM_WITHIN)
        rail.rest()
        assert rail.again(intent).status == IntentStatus.EXPIRED
        with rail.terms(CollectionTerms(late_money=policy)):
            made = rail.pay(intent.code)
        waits = policy is LateMoney.SUSPENSE
        kept, attempt = rail.again(intent), rail.attempt(intent)
        ends = IntentStatus.IN_REVIEW if waits else IntentStatus.SUCCEEDED
        assert (kept.status, kept.is_late, attempt.is_in_suspense) == (ends, True, waits)
        assert (attempt.received, attempt.provider_receipt) == (payments.KES_1500, made["receipt"])
    assert (len(rail.rows("payment")), rail.sent("collect")) == (2, 0)


@arrives("money of nobody: in suspense, with its reason, and told once")
def of_nobody(rail: Rail) -> None:
    before = balance(AccountRole.SUSPENSE)
    for reference in ("RENT", ""):
        inbound = rail.inbound(rail.pay(reference)["receipt"])
        assert (inbound.status, bool(inbound.reason)) == (InboundStatus.SUSPENSE, True)
    assert balance(AccountRole.SUSPENSE) - before == Money(3000_00, "KES")


@arrives("another sum than the payment asks for: in review, and never a success")
def of_another_sum(rail: Rail) -> None:
    for shillings in (1499, 1501):
        intent = rail.create(is_confirmed=False)
        rail.pay(intent.code, shillings)
        attempt = rail.attempt(intent)
        assert (rail.again(intent).status, attempt.is_in_suspense) == (IntentStatus.IN_REVIEW, True)
        assert attempt.received == Money(shillings * 100, "KES")


@arrives("less than is due pays a part where parts are taken, the rest makes it whole: each part is told")
def paid_in_parts(rail: Rail) -> None:
    intent = rail.create(is_confirmed=False)
    with rail.terms(IN_PARTS):
        first = rail.pay(intent.code, 500)
        assert paid_so_far(rail, intent) == (IntentStatus.PARTIALLY_PAID, 500_00)
        rest = rail.pay(intent.code.lower(), 1000)
    assert paid_so_far(rail, intent) == (IntentStatus.SUCCEEDED, 1500_00)
    assert receipts(intent) == [first["receipt"], rest["receipt"]]
    assert told(intent.id) == [PAID[0], "payment_partially_paid", *PAID[2:]]
    assert rail.sent("collect") == 0


@arrives("more than is left of a payment in parts waits for a person: what came before stays its part")
def more_than_is_left(rail: Rail) -> None:
    intent = rail.create(is_confirmed=False)
    with rail.terms(IN_PARTS):
        first = rail.pay(intent.code, 500)
        inbound = rail.inbound(rail.pay(intent.code, 1001)["receipt"])
    assert (inbound.status, inbound.intent_id) == (InboundStatus.SUSPENSE, intent.id)
    assert paid_so_far(rail, intent) == (IntentStatus.PARTIALLY_PAID, 500_00)
    assert receipts(intent) == [first["receipt"]]


@arrives("the same part is told five times at once: it is one part")
def part_told_again(rail: Rail) -> None:
    rail.spoil("pay", {"action": "duplicate_callback", "n": 5})
    intent = rail.create(is_confirmed=False)
    with rail.terms(IN_PARTS):
        stored = rail.pay_unread(intent.code, 500)
        at_once(*[lambda uid=uid: rail.apply(uid) for uid in stored])
    assert sorted(map(rail.verdict, stored)) == ["APPLIED", *["DUPLICATE"] * 4]
    assert paid_so_far(rail, intent) == (IntentStatus.PARTIALLY_PAID, 500_00)
    assert len(receipts(intent)) == 1


@arrives("the same payer pays the same twice: the second waits for a person")
def twice_the_same(rail: Rail) -> None:
    found = [rail.inbound(rail.pay("HOUSE 7")["receipt"]).status for _ in range(2)]
    assert found == [InboundStatus.SUSPENSE, InboundStatus.DUPLICATE_SUSPECTED]


@arrives("the confirmation comes five times at once: one books")
def confirmed_twice(rail: Rail) -> None:
    rail.spoil("pay", {"action": "duplicate_callback", "n": 5})
    intent = rail.create(is_confirmed=False)
    stored = rail.pay_unread(intent.code)
    at_once(*[lambda uid=uid: rail.apply(uid) for uid in stored])
    assert sorted(map(rail.verdict, stored)) == ["APPLIED", *["DUPLICATE"] * 4]
    assert is_paid(rail, intent)


@arrives(
    "a forged confirmation: at no account's address, for another number, or with another sum than was told"
)
def confirmation_forged(rail: Rail) -> None:
    rail.spoil("pay", {"action": "duplicate_callback", "n": 2})
    intent = rail.create(is_confirmed=False)
    true, again = rail.pay_kept_back(intent.code)
    nowhere = {**true, "url": true["url"].replace(rail.account.callback_token, ids.token())}
    assert rail.deliver(nowhere) == "FORGED"
    assert rail.deliver(edited(true, rail.account.short_code, "600001")) == "FORGED"
    assert rail.again(intent).status == IntentStatus.REQUIRES_CONFIRMATION
    assert rail.deliver(true) == "APPLIED"
    assert rail.deliver(edited(again, 1500, 9000)) in ("FORGED", "UNMATCHED")
    assert is_paid(rail, intent)


@arrives("a hidden payer: the money is booked all the same, and no number is guessed")
def payer_hidden(rail: Rail) -> None:
    for form in ("masked", "hashed", "plain"):
        rail.show_payers(form)
        intent = rail.create(is_confirmed=False)
        receipt = rail.pay(intent.code)["receipt"]
        assert rail.again(intent).status == IntentStatus.SUCCEEDED
        assert rail.attempt(intent).phone in ("", f"+{rail.words.payer}")
        assert rail.inbound(receipt).payer != f"+{rail.words.payer}" or form == "plain"


@arrives("to a till, where nothing is typed: the money is of the till's account")
def to_a_till(rail: Rail) -> None:
    inbound = rail.inbound(rail.pay("", business=rail.words.till)["receipt"])
    assert inbound.provider_account_id != rail.account.id
    assert (inbound.status, inbound.branch_id) == (InboundStatus.SUSPENSE, inbound.provider_account.branch_id)


@arrives(
    "asked before the money moves: what the organisation refuses does not move, and no answer is the default"
)
def asked_before(rail: Rail) -> None:
    intent = rail.create(is_confirmed=False)
    with rail.terms(CollectionTerms(refuses_unknown=True, refuses_other_sums=True)):
        assert rail.pay("NOBODYS")["state"] == "failed"
        assert rail.pay(intent.code, 1499)["state"] == "failed"
        assert not rail.rows()
        assert rail.pay(intent.code)["state"] == "paid"
        rail.spoil("pay", {"action": "drop_callback", "of": "validation"})
        unanswered = rail.pay("NOBODYS")
        rail.let_pass(timedelta(seconds=9))
        rail.take()
    assert rail.inbound(unanswered["receipt"]).status == InboundStatus.SUSPENSE
    assert ProviderCallback.objects.filter(kind="check").exists()


@lists("no answer, the money moved and nobody told: the list finds it")
def listed(rail: Rail) -> None:
    rail.spoil("collect", {"action": "reset", "processed": True}, *LOST)
    intent = rail.ask()
    rail.rest()
    assert rail.again(intent).status == IntentStatus.UNKNOWN
    rail.list_movements()
    assert is_paid(rail, intent)
    rail.list_movements()
    assert is_paid(rail, intent)


@lists("the list names no reference: it settles nothing by guess, and books nothing twice")
def listed_without_reference(rail: Rail) -> None:
    rail.spoil("collect", {"action": "reset", "processed": True}, *LOST)
    intent = rail.ask()
    rail.rest()
    rail.spoil("statement", {"action": "partial_result", "missing": ["billreference"]})
    rail.list_movements()
    assert rail.again(intent).status == IntentStatus.UNKNOWN
    rail.list_movements()
    assert is_paid(rail, intent)
    assert rail.inbound(rail.attempt(intent).provider_receipt).status == InboundStatus.MATCHED


@lists("the message of a part is lost: the list finds it, once")
def part_listed(rail: Rail) -> None:
    rail.spoil("pay", "drop_callback")
    intent = rail.create(is_confirmed=False)
    with rail.terms(IN_PARTS):
        made = rail.pay(intent.code, 500)
        assert paid_so_far(rail, intent) == (IntentStatus.REQUIRES_CONFIRMATION, 0)
        for _ in range(2):
            rail.list_movements()
            assert paid_so_far(rail, intent) == (IntentStatus.PARTIALLY_PAID, 500_00)
    assert receipts(intent) == [made["receipt"]]


@lists("the list does not come: what was read stays, and the next reading begins where it did")
def list_fails(rail: Rail) -> None:
    rail.list_movements()
    rail.spoil("pay", "drop_callback")
    made = rail.pay("RENT")
    kept = PullCursor.objects.get(provider_account=rail.account).pulled_until
    for answer in PULL_FAULTS:
        rail.spoil("statement", answer)
        rail.list_movements()
        cursor = PullCursor.objects.get(provider_account=rail.account)
        assert (bool(cursor.failure_code), cursor.pulled_until) == (True, kept)
        rail.forget_circuits()
    rail.list_movements()
    assert rail.inbound(made["receipt"]).status == InboundStatus.SUSPENSE


@lists("the confirmation comes after the list: told twice, booked once")
def confirmed_after_the_list(rail: Rail) -> None:
    rail.spoil("pay", {"action": "delay_callback", "ms": 3_600_000})
    intent = rail.create(is_confirmed=False)
    made = rail.pay(intent.code)
    rail.list_movements()
    assert is_paid(rail, intent)
    rail.let_pass(timedelta(hours=1))
    assert rail.take() == ["DUPLICATE"]
    assert sorted(rail.inbound(made["receipt"]).sources) == ["CONFIRMATION", "PULL"]


@lists("the list leaves a payment out: it stays unknown, for people")
def left_out(rail: Rail) -> None:
    rail.spoil("collect", {"action": "reset", "processed": True}, *LOST, "statement_omit")
    intent = rail.ask()
    rail.rest()
    rail.list_movements()
    assert rail.again(intent).status == IntentStatus.UNKNOWN
    assert rail.attempt(intent).booked_at is None
    rail.unseen = payments.KES_1500 - rail.account.fee(payments.KES_1500)


@lists("the list alone tells of a payment: its money waits in suspense, and pays nothing")
def listed_alone(rail: Rail) -> None:
    rail.list_movements()
    extra = {"action": "statement_extra", "amount": "25.00", "receipt": "SEXTRA0001"}
    rail.spoil("collect", extra)
    intent = rail.ask()
    rail.rest()
    rail.list_movements()
    rail.list_movements()
    assert rail.again(intent).status == IntentStatus.SUCCEEDED
    assert rail.attempt(intent).received == payments.KES_1500
    inbound = rail.inbound("SEXTRA0001")
    assert (inbound.status, inbound.money) == (InboundStatus.SUSPENSE, Money(25_00, "KES"))
    rail.unseen = rail.account.fee(inbound.money)  # the provider took none of this


def catch_up(rail: Rail) -> PullCursor:
    """Read the list until it is read up to now, a stretch at a time."""
    while True:
        rail.list_movements()
        cursor = PullCursor.objects.get(provider_account=rail.account)
        if cursor.failure_code or (
            cursor.pulled_until and rail.now - cursor.pulled_until < timedelta(hours=1)
        ):
            return cursor


@asks("no message came, and the list tells of a payment: the answer to a question is booked, once")
def listed_and_asked(rail: Rail) -> None:
    intent = rail.ask()
    rail.let_pass(timedelta(seconds=3))
    rail.kept_back()
    catch_up(rail)
    rail.rest()
    assert is_paid(rail, intent)
    asked = rail.sent("query")
    catch_up(rail)
    rail.list_movements()
    assert rail.sent("query") == asked
    assert is_paid(rail, intent)
    assert not ListedMovement.objects.filter(receipt=rail.attempt(intent).provider_receipt).exists()


@asks("the list of a rail that can be asked does not come: the next reading begins where this one did")
def asked_list_fails(rail: Rail) -> None:
    kept = catch_up(rail).pulled_until
    for answer in PULL_FAULTS[:4]:
        rail.spoil("statement", answer)
        rail.list_movements()
        cursor = PullCursor.objects.get(provider_account=rail.account)
        assert (bool(cursor.failure_code), cursor.pulled_until) == (True, kept)
        rail.forget_circuits()
    assert catch_up(rail).failure_code == ""


@asks("the list leaves a payment out: the question books it all the same")
def asked_and_left_out(rail: Rail) -> None:
    rail.spoil("collect", "drop_callback", "statement_omit")
    intent = rail.ask()
    rail.rest()
    catch_up(rail)
    attempt = rail.attempt(intent)
    assert (rail.again(intent).status, attempt.received) == (IntentStatus.SUCCEEDED, attempt.money)
    assert (bool(attempt.provider_receipt), rail.rows("payment")) == (True, [])


@asks("the list tells of a movement that is of nothing: told to people once, and booked nowhere by itself")
def listed_of_nothing(rail: Rail) -> None:
    extras = [
        {"action": "statement_extra", "amount": amount, "kind": kind, "details": "Correction"}
        for amount, kind in (("25.00", "payment"), ("3.10", "charge"))
    ]
    rail.spoil("collect", *extras)
    intent = rail.ask()
    rail.rest()
    for _ in range(2):
        catch_up(rail)
        rail.list_movements()
    assert is_paid(rail, intent)
    kept = ListedMovement.objects.open().filter(provider_account=rail.account).order_by("-amount_minor")
    assert [(one.money, one.matter, one.attempt) for one in kept] == [
        (rail.money(25_00), ListedMatter.OTHER, None),
        (rail.money(-3_10), ListedMatter.OTHER, None),
    ]
    rail.unseen = rail.money(21_90)
