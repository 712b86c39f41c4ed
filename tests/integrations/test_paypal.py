"""PayPal's adapters over real HTTP against the simulator's face, through our own transport."""

import dataclasses
import re
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
from tests.factories.integrations import NOW, PAYPAL, PAYPAL_CREDENTIALS

USD_25 = Money(25_00, "USD")
PAGE = "https://pay.example.test/p/1"
CODE, OTHER = "K7M2P9QX4T", "K7M2P9QX4U"
ORDERS = "/v2/checkout/orders"


@pytest.fixture
def shop(acme, simulator):
    """Return head office's account at PayPal's face, in dollars."""
    return Shop(simulator, integrations.paypal_account(simulator.url))


@dataclasses.dataclass
class Shop:
    """The ports of one account, and what payers and PayPal do meanwhile."""

    simulator: Any
    account: Any

    def __post_init__(self) -> None:
        self.open()

    def open(self, **changes: Any) -> None:
        self._told("PUT", f"/accounts/{PAYPAL}", integrations.paypals_side(**changes))

    def port(self, kind: str) -> Any:
        return getattr(providers, kind)(self.account.id, now=NOW)

    def act(self, what: str, handle: str, deed: str, **given: Any) -> Any:
        return self._told("POST", f"/paypal/{what}/{handle}/{deed}", given)

    def script(self, *actions: Any, path: str = ORDERS) -> None:
        match = {"face": "paypal", "path": path}
        self._told("POST", "/scripts", {"match": match, "times": 1, "actions": list(actions)})

    def asked(self, **changes: Any) -> str:
        return self.port("collection").request(order(**changes)).value

    def approved(self, funding: str = "balance", **changes: Any) -> str:
        ticket = self.asked(**changes)
        self.act("orders", ticket, "approve", funding=funding)
        return ticket

    def taken(self, **changes: Any) -> Any:
        ticket = self.approved(**changes)
        return self.port("capture").capture(ticket, USD_25, code=changes.get("code", CODE))

    def _told(self, method: str, path: str, body: Any) -> Any:
        answer = self.simulator.http.request(method, f"/__control{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()


def order(**changes: Any) -> CollectionRequest:
    return CollectionRequest(
        **{
            "money": USD_25,
            "phone": "",
            "code": CODE,
            "description": "Lunch",
            "callback_url": "",
            "email": "amina@example.com",
            "return_url": PAGE,
            "cancel_url": PAGE,
            **changes,
        }
    )


def refund(receipt: str, cents: int, **changes: Any) -> RefundRequest:
    return RefundRequest(Money(cents, "USD"), receipt, CODE, "", "", **changes)


def test_a_payer_agrees_on_the_page_and_nothing_is_taken_before_we_order_it(shop):
    ticket = shop.port("collection").request(order())
    waiting = shop.port("collection").query(ticket.value)

    shop.act("orders", ticket.value, "approve", funding="balance")
    agreed = [shop.port("collection").query(ticket.value) for _ in range(2)]
    report = shop.port("capture").capture(ticket.value, USD_25, code=CODE)
    again = shop.port("capture").capture(ticket.value, USD_25, code=CODE)

    assert ticket.next_action.kind is NextActionKind.REDIRECT
    assert ticket.next_action.url == f"{shop.account.base_url}/checkoutnow?token={ticket.value}"
    assert (waiting.outcome, waiting.next_action.url) == (Outcome.PENDING, ticket.next_action.url)
    assert [(one.outcome, one.money) for one in agreed] == [(Outcome.AUTHORIZED, USD_25)] * 2
    assert (report.outcome, report.ticket, report.money) == (Outcome.COLLECTED, ticket.value, USD_25)
    assert (report.fee, report.settled, report.rate) == (Money(1_36, "USD"), None, None)
    assert report.receipt
    assert report.occurred_at is not None
    assert again == report == shop.port("collection").query(ticket.value)
    assert ProviderCall.objects.filter(kind="capture").count() == 1


def test_every_exchange_is_recorded_without_secrets_and_without_who_pays(shop):
    shop.taken()
    shop.asked(code=OTHER)

    call = ProviderCall.objects.filter(kind="order").earliest("called_at", "id")
    assert (call.method, call.url) == ("POST", f"{shop.account.base_url}{ORDERS}")
    assert call.request_headers["PayPal-Request-Id"] == f"{CODE}:create"
    assert ProviderCall.objects.filter(kind="oauth").count() == 1
    for each in ProviderCall.objects.all():
        assert all(secret not in str(vars(each)) for secret in PAYPAL_CREDENTIALS.secrets)
        assert not {"amina", "otieno"} & set(re.findall("[a-z]+", str(vars(each)).lower()))
        assert "A21AA" not in each.response_body
    assert all(secret not in repr(PAYPAL_CREDENTIALS) for secret in PAYPAL_CREDENTIALS.secrets)


def test_nothing_leaves_inside_a_transaction(shop):
    with pytest.raises(RuntimeError), transaction.atomic():
        shop.asked()

    assert not ProviderCall.objects.exists()


def test_a_request_that_is_asked_again_under_its_code_is_the_same_request(shop):
    first = shop.asked()

    assert shop.asked() == first
    with pytest.raises(ProviderUncertain):
        shop.asked(money=Money(26_00, "USD"))
    assert shop.asked(code=OTHER) != first


def test_a_wallet_that_is_refused_ends_the_order_and_takes_nothing(shop):
    report = shop.taken(funding="empty")

    assert (report.outcome, report.reason_code) == (Outcome.DECLINED, "declined")
    assert report.provider_code == "INSTRUMENT_DECLINED"
    assert shop.port("collection").query(report.ticket).outcome is Outcome.PENDING


def test_a_payment_by_echeck_is_pending_until_it_comes(shop):
    waiting = shop.taken(funding="echeck")
    still = shop.port("capture").capture(waiting.ticket, USD_25, code=CODE)
    [capture] = shop.simulator.http.get("/__control/paypal/captures").json()["captures"]
    shop.act("captures", capture["id"], "complete")
    report = shop.port("collection").query(waiting.ticket)

    assert (waiting.outcome, waiting.provider_code) == (still.outcome, still.provider_code)
    assert (waiting.outcome, waiting.provider_code) == (Outcome.PENDING, "ECHECK")
    assert (report.outcome, report.receipt) == (Outcome.COLLECTED, capture["id"])


def test_a_converted_payment_tells_what_was_credited_and_by_which_rate(shop):
    shop.open(currency="EUR", rates={"USD": "0.92"})

    report = shop.taken()

    assert (report.money, report.fee.currency) == (USD_25, "EUR")
    assert str(report.rate) == "0.92"
    assert report.settled - report.fee == Money(21_75, "EUR")


def test_a_sum_is_held_back_captured_in_part_or_let_go(shop):
    held = shop.approved(is_captured=False)
    authorised = shop.port("collection").query(held)
    captured = shop.port("capture").capture(held, Money(10_00, "USD"), code=CODE)
    again = shop.port("capture").release(held, code=CODE)
    other = shop.approved(is_captured=False, code=OTHER)
    shop.port("collection").query(other)
    released = shop.port("capture").release(other, code=OTHER)

    assert (authorised.outcome, authorised.money, authorised.receipt) == (Outcome.AUTHORIZED, USD_25, "")
    assert (captured.outcome, captured.money) == (Outcome.COLLECTED, Money(10_00, "USD"))
    assert (again.outcome, again.money) == (Outcome.COLLECTED, Money(10_00, "USD"))
    assert (released.outcome, released.reason_code) == (Outcome.DECLINED, "customer_cancelled")
    assert shop.port("collection").query(other).reason_code == "customer_cancelled"


def test_money_goes_back_in_parts_and_an_order_to_give_back_is_known_by_its_number(shop):
    paid = shop.taken()
    receipt, search = paid.receipt, shop.port("refund_search")
    port, query = shop.port("refund"), shop.port("refund_query")

    first = port.request(refund(receipt, 10_00)).value
    same = port.request(refund(receipt, 10_00)).value
    second = port.request(refund(receipt, 15_00, number=2)).value
    with pytest.raises(ProviderDeclined) as refusal:
        port.request(refund(receipt, 1_00, number=3))
    given = query.query(first)
    found = [search.find(refund(receipt, 15_00, number=number, ticket=paid.ticket)) for number in (2, 3)]

    assert first == same
    assert [one and one.value for one in found] == [second, None]
    assert first != second
    assert (given.outcome, given.money, given.payment_receipt) == (
        RefundOutcome.REFUNDED,
        Money(10_00, "USD"),
        receipt,
    )
    assert refusal.value.code == "already_refunded"


def test_a_dispute_is_read_answered_and_ends(shop):
    receipt = shop.taken().receipt
    shop.act("captures", receipt, "dispute", reason="UNAUTHORISED", stage="CHARGEBACK")
    port = shop.port("dispute")
    [found] = port.list(NOW.replace(year=2020)).reports

    bill = EvidenceFile("receipt", "bill.pdf", "application/pdf", b"%PDF-1.7")
    evidence = Evidence(text="It was eaten.", carrier="G4S", tracking_number="T1", files=(bill,))
    told = port.submit(found.ticket, evidence, code="D7M2P9QX4T")
    shop.act("disputes", found.ticket, "win")
    won = port.read(found.ticket)

    assert (found.stage, found.receipt, found.money) == ("NEEDS_RESPONSE", receipt, USD_25)
    assert (found.withdrawn, found.fee, found.reinstated) == (USD_25, Money(20_00, "USD"), None)
    assert found.due_by is not None
    assert told.stage == "UNDER_REVIEW"
    assert (won.stage, won.outcome, won.reinstated) == ("WON", "RESOLVED_SELLER_FAVOUR", USD_25)


def test_a_lost_dispute_is_appealed(shop):
    asked = {"reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED", "stage": "INQUIRY"}
    ticket = shop.act("captures", shop.taken().receipt, "dispute", **asked)["dispute_id"]
    shop.act("disputes", ticket, "lose")
    port, evidence = shop.port("appeal"), Evidence(text="Here is who signed.")
    lost = shop.port("dispute").read(ticket)

    heard = [port.appeal(ticket, evidence, code="D7M2P9QX4T:2") for _ in range(2)]
    shop.act("disputes", ticket, "lose")
    with pytest.raises(ProviderDeclined) as refusal:
        port.appeal(ticket, evidence, code="D7M2P9QX4T:3")
    over = shop.port("dispute").read(ticket)

    assert (lost.stage, lost.may_appeal, lost.withdrawn) == ("LOST", True, USD_25)
    assert [(one.stage, one.may_appeal, one.reinstated) for one in heard] == [
        ("UNDER_REVIEW", False, None)
    ] * 2
    assert (over.stage, over.may_appeal) == ("LOST", False)
    assert (refusal.value.code, refusal.value.provider_code) == (
        "invalid_request",
        "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE"[:32],
    )


def test_a_dispute_is_given_up(shop):
    shop.act("captures", shop.taken().receipt, "dispute", reason="UNAUTHORISED", stage="INQUIRY")
    port = shop.port("dispute")
    [asked] = port.list(NOW.replace(year=2020)).reports

    given_up = port.accept(asked.ticket, code="D7M2P9QX4T")

    assert (asked.stage, asked.withdrawn, given_up.stage, given_up.withdrawn) == (
        "INQUIRY",
        None,
        "ACCEPTED",
        USD_25,
    )


def test_a_kept_wallet_is_charged_without_its_holder_and_then_forgotten(shop):
    methods = shop.port("method")
    setup = methods.begin(SetupRequest("S7M2P9QX4T", PAGE, PAGE, "USD"))
    waiting = methods.read(setup.value)
    shop.act("setups", setup.value, "approve", funding="balance")
    kept = methods.read(setup.value)

    ticket = shop.asked(saved_method=kept.token, return_url="")
    report = shop.port("collection").query(ticket)
    methods.forget(kept.token)
    methods.forget(kept.token)

    assert waiting.status is MethodStatus.PENDING
    assert (kept.status, kept.brand) == (MethodStatus.SAVED, "paypal")
    assert (report.outcome, report.money) == (Outcome.COLLECTED, USD_25)
    assert methods.read(kept.token).status is MethodStatus.DECLINED


def test_the_secrets_are_tried(shop):
    shop.port("connection").check()
    shop.open(client_secret="another")

    with pytest.raises(ProviderDeclined) as refusal:
        shop.port("connection").check()

    assert (refusal.value.code, refusal.value.message) == (
        "invalid_credentials",
        "PayPal does not accept the account's client ID and secret.",
    )


def test_a_token_that_ends_on_the_way_is_fetched_anew_and_the_payer_asked_once(shop):
    shop.asked()
    shop.script("expire_token")

    shop.asked(code=OTHER)

    orders = shop.simulator.http.get("/__control/paypal/orders").json()["orders"]
    assert [len(orders), ProviderCall.objects.filter(kind="oauth").count()] == [2, 2]


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
    assert ProviderCall.objects.filter(kind="order").count() == 1
