"""The main job with every fault: nothing is lost, nothing is doubled, and what is not known is said to be so."""

import time
from pathlib import Path

import httpx
import pytest

from apps.integrations.models import ProviderCallback
from apps.kit import ids
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole
from apps.ledger.selectors import balances
from tests.loopback import NO_TLS
from tests.running import PUSH, wait_for

PERSON = "+254712345678"
SUCCESS = {"payment_intent_created": 1, "payment_initiated": 1, "payment_captured": 1, "payment_success": 1}
FAILURE = {"payment_intent_created": 1, "payment_initiated": 1, "payment_failed": 1}


def seen(world, payment_id: str) -> tuple[int, list[str], int]:
    """Sends, the simulator's movements, ledger transactions."""
    world.settle_down()
    return world.sends(payment_id), world.movements(payment_id), len(world.bookings(payment_id))


def script(world, *actions: object, amount: str) -> None:
    """Let the simulator spoil the next push of this sum."""
    match = {"path": PUSH, "body": {"Amount": amount}}
    world.control("POST", "/scripts", {"match": match, "times": 1, "actions": list(actions)})


def test_a_lost_callback_is_met_by_the_poller(world):
    payment_id = world.pay("254700000777", "101.00")

    paid = world.wait_status(payment_id, "succeeded")

    assert seen(world, payment_id) == (1, ["101.00"], 1)
    assert world.callbacks(payment_id) == []
    assert paid["provider_receipt"] == ""
    assert world.webhooks(payment_id) == SUCCESS


def test_a_receipt_that_was_not_known_is_filled_in_by_a_later_callback(world):
    script(world, {"action": "delay_callback", "ms": 40_000}, amount="102")
    payment_id = world.pay(PERSON, "102.00")
    world.decide(payment_id, "approve")

    paid = world.wait_status(payment_id, "succeeded")
    world.tick(60)

    assert paid["provider_receipt"] == ""
    wait_for(lambda: world.payment(payment_id)["provider_receipt"], what="the receipt")
    assert seen(world, payment_id) == (1, ["102.00"], 1)
    assert world.callbacks(payment_id) == ["APPLIED"]
    assert world.webhooks(payment_id) == SUCCESS


def test_a_callback_that_comes_twice_books_once(world):
    payment_id = world.pay("254700000778", "103.00")

    world.wait_status(payment_id, "succeeded")
    wait_for(lambda: len(world.callbacks(payment_id)) == 2, what="the second callback")

    assert seen(world, payment_id) == (1, ["103.00"], 1)
    assert sorted(world.callbacks(payment_id)) == ["APPLIED", "DUPLICATE"]
    assert world.webhooks(payment_id) == SUCCESS


def test_a_callback_before_the_http_answer_is_found_by_its_token(world):
    payment_id = world.pay("254700000779", "104.00")

    world.wait_status(payment_id, "succeeded")

    assert seen(world, payment_id) == (1, ["104.00"], 1)
    assert world.webhooks(payment_id) == SUCCESS


def test_money_after_a_failure_is_a_late_success(world):
    script(
        world,
        {"action": "result", "code": "1037", "ms": 1000},
        {"action": "late_success", "ms": 20_000},
        amount="105",
    )
    payment_id = world.pay(PERSON, "105.00")

    world.wait_status(payment_id, "failed")
    world.tick(30)
    paid = world.wait_status(payment_id, "succeeded")

    assert paid["late"] is True
    assert seen(world, payment_id) == (1, ["105.00"], 1)
    assert world.webhooks(payment_id) == {**SUCCESS, "payment_failed": 1}


def test_a_forged_callback_is_kept_and_changes_nothing(world):
    payment_id = world.pay(PERSON, "106.00")
    prompt = world.prompt_of(payment_id)
    attempt = world.attempts(payment_id)[0]
    hooks = f"{world.treasury.url}/hooks/{ids_hex(world)}"
    paid = {
        "Amount": 106.0,
        "MpesaReceiptNumber": "FORGED0001",
        "TransactionDate": 20261122101010,
        "PhoneNumber": 254712345678,
    }
    items = [{"Name": name, "Value": value} for name, value in paid.items()]
    body = {
        "Body": {
            "stkCallback": {
                "MerchantRequestID": "1-2-3",
                "CheckoutRequestID": prompt["id"],
                "ResultCode": 0,
                "ResultDesc": "ok",
                "CallbackMetadata": {"Item": items},
            }
        }
    }

    unknown_token = httpx.post(f"{hooks}/{ids.token()}/collection", json=body, verify=NO_TLS)
    other_ticket = {
        "Body": {"stkCallback": {**body["Body"]["stkCallback"], "CheckoutRequestID": "ws_CO_OTHER"}}
    }
    world.wait_status(payment_id, "action_required")
    known_token = httpx.post(f"{hooks}/{attempt.callback_token}/collection", json=other_ticket, verify=NO_TLS)
    nonsense = httpx.post(f"{hooks}/{attempt.callback_token}/collection", content=b"<html>", verify=NO_TLS)

    assert (unknown_token.status_code, known_token.status_code, nonsense.status_code) == (200, 200, 200)
    world.settle_down()
    stored = ProviderCallback.objects.select_related("processing")
    kept = [callback.processing.status for callback in stored if b"FORGED0001" in bytes(callback.body)]
    assert kept == ["FORGED", "FORGED"]
    assert world.callbacks(payment_id) == ["FORGED", "MALFORMED"]
    assert world.payment(payment_id)["status"] == "action_required"
    assert seen(world, payment_id) == (1, [], 0)
    world.decide(payment_id, "cancel")
    world.wait_status(payment_id, "failed")
    world.settle_down()
    assert world.webhooks(payment_id) == FAILURE


def ids_hex(world) -> str:
    return world.treasury.demo["organisation_id"].replace("-", "")


def test_a_wrong_sum_goes_to_suspense_for_a_person(world):
    script(world, {"action": "wrong_amount", "amount": "70"}, amount="107")
    payment_id = world.pay(PERSON, "107.00")
    suspense = AccountRef(
        AccountRole.SUSPENSE,
        "KES",
        wait_for(lambda: world.attempts(payment_id), what="the attempt")[0].branch_id,
    )
    before = balances.of(suspense)
    world.decide(payment_id, "approve")

    held = world.wait_status(payment_id, "in_review")

    assert held["received"] == {"amount": "70.00", "currency": "KES"}
    assert seen(world, payment_id) == (1, ["70.00"], 1)
    assert balances.of(suspense) - before == Money(7000, "KES")
    told = world.webhooks(payment_id)
    assert (told["payment_in_review"], told["payment_success"]) == (1, 0)


@pytest.mark.parametrize(
    ("decision", "amount", "code"),
    [("cancel", "108.00", "customer_cancelled"), ("wrong-pin", "109.00", "authentication_failed")],
)
def test_a_payer_who_does_not_pay_is_told_why(world, decision, amount, code):
    payment_id = world.pay(PERSON, amount)
    world.wait_status(payment_id, "action_required")
    world.decide(payment_id, decision)

    failed = world.wait_status(payment_id, "failed")

    assert failed["failure"]["code"] == code
    assert seen(world, payment_id) == (1, [], 0)
    assert world.webhooks(payment_id) == FAILURE


def test_a_time_out_with_money_moved_is_settled_by_its_callback(world):
    payment_id = world.pay("254700000780", "110.00")
    wait_for(lambda: world.sends(payment_id), what="the request")
    world.tick(130)

    world.wait_status(payment_id, "succeeded")

    assert seen(world, payment_id) == (1, ["110.00"], 1)
    assert world.webhooks(payment_id)["payment_success"] == 1


def test_a_time_out_without_ticket_and_callback_stays_unknown(world):
    payment_id = world.pay("254700000783", "111.00")
    wait_for(lambda: world.sends(payment_id), what="the request")
    world.tick(130)

    world.wait_status(payment_id, "unknown")
    time.sleep(6)

    assert world.payment(payment_id)["status"] == "unknown"
    assert seen(world, payment_id) == (1, [], 0)
    assert world.webhooks(payment_id) == {"payment_intent_created": 1}


def test_a_worker_killed_after_sending_sends_nothing_again(world):
    arm(world, "payments.after_send")
    payment_id = world.pay("254700000000", "112.00")

    world.wait_status(payment_id, "succeeded", seconds=120)

    assert seen(world, payment_id) == (1, ["112.00"], 1)
    assert world.webhooks(payment_id)["payment_success"] == 1


def test_a_worker_killed_before_sending_leaves_an_unknown_payment(world):
    arm(world, "payments.before_send")
    payment_id = world.pay("254700000000", "113.00")

    world.wait_status(payment_id, "unknown", seconds=120)

    assert seen(world, payment_id) == (0, [], 0)
    assert world.webhooks(payment_id) == {"payment_intent_created": 1}


def arm(world, point: str) -> None:
    """Let the worker kill itself at the named point, and wait until a new one has taken its place afterwards."""
    Path(world.treasury.variables["TREASURY_FAULT_PATH"], point).touch()
