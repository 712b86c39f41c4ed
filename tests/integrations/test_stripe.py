"""Stripe's adapters over real HTTP against the simulator's face, through our own transport."""

import dataclasses
from typing import Any

import pytest
from django.db import transaction

from apps.integrations.models import ProviderCall
from apps.integrations.ports import (
    CollectionRequest,
    Evidence,
    EvidenceFile,
    MethodStatus,
    NextActionKind,
    Outcome,
    ProviderDeclined,
    ProviderUnavailable,
    ProviderUncertain,
    RefundOutcome,
    RefundRequest,
    SetupRequest,
)
from apps.integrations.services import providers
from apps.kit.money import Money
from tests.factories import integrations
from tests.factories.integrations import NOW, STRIPE, STRIPE_CREDENTIALS

USD_25 = Money(25_00, "USD")
PAGE = "https://pay.example.test/p/1"
GOOD, POOR, WANTS_APPROVAL, DISPUTED = (
    "4242424242424242",
    "4000000000009995",
    "4000002500003155",
    "4000000000000259",
)


@pytest.fixture
def shop(acme, simulator):
    """Return head office's account at Stripe's face, in dollars."""
    return Shop(simulator, integrations.stripe_account(simulator.url))


@dataclasses.dataclass
class Shop:
    """The ports of one account, and what people and banks do meanwhile."""

    simulator: Any
    account: Any

    def __post_init__(self) -> None:
        self.open()

    def open(self, **changes: Any) -> None:
        self._told("PUT", f"/accounts/{STRIPE}", integrations.stripes_side(**changes))

    def port(self, kind: str) -> Any:
        return getattr(providers, kind)(self.account.id, now=NOW)

    def act(self, what: str, handle: str, deed: str, **given: Any) -> Any:
        return self._told("POST", f"/stripe/{what}/{handle}/{deed}", given, refusals=(409,))

    def script(self, *actions: Any, path: str = "/v1/checkout/sessions") -> None:
        match = {"face": "stripe", "path": path}
        self._told("POST", "/scripts", {"match": match, "times": 1, "actions": list(actions)})

    def asked(self, **changes: Any) -> str:
        return self.port("collection").request(order(**changes)).value

    def paid(self, card: str = GOOD, **changes: Any) -> str:
        ticket = self.asked(**changes)
        self.act("sessions", ticket, "pay", card=card)
        return ticket

    def _told(self, method: str, path: str, body: Any, refusals: tuple[int, ...] = ()) -> Any:
        answer = self.simulator.http.request(method, f"/__control{path}", json=body)
        assert answer.is_success or answer.status_code in refusals, answer.text
        return answer.json()


def order(**changes: Any) -> CollectionRequest:
    return CollectionRequest(
        **{
            "money": USD_25,
            "phone": "",
            "code": "K7M2P9QX4T",
            "description": "Lunch",
            "callback_url": "",
            "email": "amina@example.com",
            "return_url": PAGE,
            "cancel_url": PAGE,
            **changes,
        }
    )


def refund(receipt: str, cents: int, **changes: Any) -> RefundRequest:
    return RefundRequest(Money(cents, "USD"), receipt, "R7M2P9QX4T", "", "", **changes)


def test_a_payer_is_sent_to_the_page_and_pays(shop):
    ticket = shop.port("collection").request(order())
    waiting = shop.port("collection").query(ticket.value)

    shop.act("sessions", ticket.value, "pay", card=GOOD)
    report = shop.port("collection").query(ticket.value)

    assert ticket.next_action.kind is NextActionKind.REDIRECT
    assert ticket.next_action.url.startswith(f"{shop.simulator.url}/stripe/pay/cs_")
    assert len(ticket.next_action.url) == 400
    assert (waiting.outcome, waiting.next_action.url) == (Outcome.PENDING, ticket.next_action.url)
    assert (report.outcome, report.ticket, report.money) == (Outcome.COLLECTED, ticket.value, USD_25)
    assert (report.fee, report.settled, report.rate) == (Money(1_03, "USD"), None, None)
    assert report.receipt.startswith("ch_")
    assert report.method_details == {"brand": "visa", "last4": "4242"}
    assert report.occurred_at is not None


def test_every_exchange_is_recorded_without_the_key_and_without_telling_of_this_machine(shop):
    shop.paid()

    call = ProviderCall.objects.get(kind="checkout")
    assert (call.method, call.response_status, call.url) == (
        "POST",
        200,
        f"{shop.account.base_url}/v1/checkout/sessions",
    )
    assert call.request_headers["Idempotency-Key"] == "K7M2P9QX4T:create"
    assert call.request_headers["Stripe-Version"] == "2026-10-28.endive"
    assert not {"User-Agent", "X-Stripe-Client-User-Agent"} & set(call.request_headers)
    assert all(secret not in str(vars(call)) for secret in STRIPE_CREDENTIALS.secrets)
    assert all(secret not in repr(STRIPE_CREDENTIALS) for secret in STRIPE_CREDENTIALS.secrets)


def test_nothing_leaves_inside_a_transaction(shop):
    with pytest.raises(RuntimeError), transaction.atomic():
        shop.asked()

    assert not ProviderCall.objects.exists()


def test_a_request_that_is_asked_again_under_its_code_is_the_same_request(shop):
    first = shop.asked()

    assert shop.asked() == first
    with pytest.raises(ProviderUncertain) as conflict:
        shop.asked(money=Money(26_00, "USD"))
    assert conflict.value.code == "provider_error_unknown_outcome"
    assert shop.asked(code="K7M2P9QX4U") != first


def test_a_refused_card_leaves_the_page_open_and_ends_with_it(shop):
    ticket = shop.asked()

    shop.act("sessions", ticket, "pay", card=POOR)
    tried = shop.port("collection").query(ticket)
    shop.act("sessions", ticket, "expire")
    ended = shop.port("collection").query(ticket)

    assert tried.outcome is Outcome.PENDING
    assert (ended.outcome, ended.reason_code) == (Outcome.DECLINED, "insufficient_funds")
    assert ended.provider_code == "insufficient_funds"


def test_a_converted_payment_tells_what_was_credited_and_by_which_rate(shop):
    shop.open(currency="eur", rates={"usd": "0.92"}, fee_fixed=25)

    report = shop.port("collection").query(shop.paid())

    assert (report.money, report.settled) == (USD_25, Money(23_00, "EUR"))
    assert str(report.rate) == "0.92"
    assert report.fee.currency == "EUR"


def test_a_sum_is_held_back_captured_in_part_or_let_go(shop):
    held = shop.paid(is_captured=False)
    authorised = shop.port("collection").query(held)
    captured = shop.port("capture").capture(held, Money(10_00, "USD"), code="K7M2P9QX4T")
    again = shop.port("capture").release(held, code="K7M2P9QX4T")
    other = shop.paid(is_captured=False, code="K7M2P9QX4U")
    released = shop.port("capture").release(other, code="K7M2P9QX4U")

    assert (authorised.outcome, authorised.money, authorised.receipt) == (Outcome.AUTHORIZED, USD_25, "")
    assert (captured.outcome, captured.money) == (Outcome.COLLECTED, Money(10_00, "USD"))
    assert (again.outcome, again.money) == (Outcome.COLLECTED, Money(10_00, "USD"))
    assert (released.outcome, released.reason_code) == (Outcome.DECLINED, "customer_cancelled")


def test_an_open_page_is_called_back_unless_money_was_faster(shop):
    open_one, paid = shop.asked(), shop.paid(code="K7M2P9QX4U")

    gone = shop.port("capture").release(open_one, code="K7M2P9QX4T")
    kept = shop.port("capture").release(paid, code="K7M2P9QX4U")

    assert (gone.outcome, gone.reason_code) == (Outcome.DECLINED, "expired")
    assert (kept.outcome, kept.money) == (Outcome.COLLECTED, USD_25)


def test_money_goes_back_in_parts_and_a_refund_may_fail_after_it_succeeded(shop):
    receipt = shop.port("collection").query(shop.paid()).receipt
    port, query = shop.port("refund"), shop.port("refund_query")

    first = port.request(refund(receipt, 10_00)).value
    same = port.request(refund(receipt, 10_00)).value
    second = port.request(refund(receipt, 15_00, number=2)).value
    with pytest.raises(ProviderDeclined) as refusal:
        port.request(refund(receipt, 1_00, number=3))
    given, paid = query.query(first), query.query(second)
    shop.act("refunds", second, "fail")
    failed = query.query(second)

    assert first == same
    assert first != second
    assert (given.outcome, given.money, given.payment_receipt) == (
        RefundOutcome.REFUNDED,
        Money(10_00, "USD"),
        receipt,
    )
    assert paid.outcome is RefundOutcome.REFUNDED
    assert refusal.value.code == "already_refunded"
    assert (failed.outcome, failed.reason_code) == (RefundOutcome.DECLINED, "payer_account_restricted")


def test_a_kept_card_is_charged_without_its_holder_and_then_forgotten(shop):
    methods = shop.port("method")
    setup = methods.begin(SetupRequest("S7M2P9QX4T", PAGE, PAGE, "USD", email="amina@example.com"))
    assert len(setup.next_action.url) == 400
    waiting = methods.read(setup.value)
    shop.act("sessions", setup.value, "pay", card=GOOD)
    kept = methods.read(setup.value)

    ticket = shop.asked(saved_method=kept.token, customer=kept.customer)
    report = shop.port("collection").query(ticket)
    methods.forget(kept.token)
    methods.forget(kept.token)

    assert waiting.status is MethodStatus.PENDING
    assert (kept.status, kept.brand, kept.last4) == (MethodStatus.SAVED, "visa", "4242")
    assert kept.expires[:2] == "20"
    assert kept.fingerprint
    assert ticket.startswith("pi_")
    assert (report.outcome, report.money) == (Outcome.COLLECTED, USD_25)
    assert methods.read(kept.token).status is MethodStatus.DECLINED


def test_a_kept_card_whose_bank_says_no_is_declined_for_good(shop):
    methods = shop.port("method")
    setup = methods.begin(SetupRequest("S7M2P9QX4T", PAGE, PAGE, "USD")).value
    shop.act("sessions", setup, "pay", card="4000000000000341")
    kept = methods.read(setup)

    with pytest.raises(ProviderDeclined) as refusal:
        shop.asked(saved_method=kept.token, customer=kept.customer)

    assert (refusal.value.code, refusal.value.provider_code) == ("declined", "generic_decline")


def test_a_dispute_is_read_answered_and_ends(shop):
    receipt = shop.port("collection").query(shop.paid(card=DISPUTED)).receipt
    port = shop.port("dispute")
    [found] = port.list(NOW.replace(year=2020)).reports

    bill = EvidenceFile("receipt", "bill.pdf", "application/pdf", b"%PDF-1.7")
    evidence = Evidence(text="It was eaten.", product="Lunch", files=(bill,))
    told = port.submit(found.ticket, evidence, code="D7M2P9QX4T")
    shop.act("disputes", found.ticket, "win")
    won = port.read(found.ticket)

    assert (found.stage, found.receipt, found.money) == ("NEEDS_RESPONSE", receipt, USD_25)
    assert (found.withdrawn, found.fee, found.reinstated) == (USD_25, Money(15_00, "USD"), None)
    assert found.due_by is not None
    assert told.stage == "UNDER_REVIEW"
    assert (won.stage, won.outcome, won.reinstated) == ("WON", "won", USD_25)


def test_the_key_is_tried(shop):
    shop.port("connection").check()
    shop.open(secret_key="sk_test_another")

    with pytest.raises(ProviderDeclined) as refusal:
        shop.port("connection").check()

    assert (refusal.value.code, refusal.value.message) == (
        "invalid_credentials",
        "Stripe does not accept the account's key.",
    )


@pytest.mark.parametrize(
    ("action", "error", "code"),
    [
        ({"action": "rate_limit"}, ProviderUnavailable, "rate_limited"),
        ({"action": "status", "status": 500}, ProviderUncertain, "provider_error_unknown_outcome"),
        ({"action": "html_error"}, ProviderUncertain, "provider_error_unknown_outcome"),
        ({"action": "empty_body"}, ProviderUncertain, "provider_error_unknown_outcome"),
        ({"action": "malformed_json"}, ProviderUncertain, "provider_error_unknown_outcome"),
        ({"action": "reset"}, ProviderUncertain, "provider_error_unknown_outcome"),
    ],
    ids=lambda value: value.get("action") if isinstance(value, dict) else "",
)
def test_what_goes_wrong_on_the_way_is_told_apart_and_never_repeated(shop, action, error, code):
    shop.script(action)

    with pytest.raises(error) as refusal:
        shop.asked()

    assert (type(refusal.value), refusal.value.code) == (error, code)
    assert ProviderCall.objects.filter(kind="checkout").count() == 1


def test_a_request_without_an_address_to_come_back_to_does_not_leave(shop):
    with pytest.raises(ProviderDeclined) as refusal:
        shop.asked(return_url="")

    assert refusal.value.code == "invalid_request"
    assert not ProviderCall.objects.exists()
