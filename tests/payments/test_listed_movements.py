"""Lists of rails that can be asked: a row has its payment asked after, the answer decides, and what is nobody's is for people."""

import dataclasses
from datetime import timedelta

import httpx
import pytest

from apps.integrations.ports import Window
from apps.integrations.services import providers
from apps.kit import jobs
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.payments.contracts import InboundStatus, IntentStatus, RefundStatus
from apps.payments.contracts.listed import ListedMatter
from apps.payments.models import Dispute, InboundReceipt, ListedMovement, PaymentAttempt, PullCursor, Refund
from apps.payments.services import intents, movements, pulls, refunds
from tests.factories import access, payments
from tests.loopback import NO_TLS
from tests.payments.cards import CREDENTIALS, USD_25
from tests.payments.conftest import balance, bookings

LATER = timedelta(minutes=20)
"""After which a row that nothing explains has not merely overtaken us."""


@pytest.fixture(params=["cards", "wallets"])
def shop(request):
    """Return a rail that lists its movements, read up to now, in an organisation where people work."""
    rail = request.getfixturevalue(request.param)
    access.portal()
    PullCursor.objects.create(provider_account=rail.account, pulled_until=rail.now)
    return rail


@pytest.fixture
def cards_shop(cards):
    access.portal()
    PullCursor.objects.create(provider_account=cards.account, pulled_until=cards.now)
    return cards


@pytest.fixture
def asked_for(shop, django_capture_on_commit_callbacks):
    """Read the list and return the jobs that this asks for."""

    def read():
        with jobs.held() as held, django_capture_on_commit_callbacks(execute=True):
            assert pull(shop).failure_code == ""
        return {job.name for job in held}

    return read


def pull(rail):
    rail.now += LATER
    pulls.pull(account_id=rail.account.id, clock=lambda: rail.now)
    return PullCursor.objects.get()


def paid(rail):
    """Return the attempt of a payment that is booked."""
    intent = rail.ask()
    rail.pay(intent)
    rail.query(intent)
    intents.carry_out(attempt_id=payments.reload(intent.id).current_attempt_id, now=rail.now)
    return payments.reload(intent.id).current_attempt


def refund_of(attempt, rail):
    return refunds.create(
        intent_id=attempt.intent_id, money=None, reason="Returned", actor=SYSTEM, now=rail.now
    )


def rows(rail):
    window = Window(rail.now - timedelta(hours=1), rail.now + timedelta(hours=1))
    return providers.statement(rail.account.id, now=rail.now).fetch(window).rows


def kept():
    return [(one.matter, one.kind, one.money) for one in ListedMovement.objects.order_by("id")]


def charge_elsewhere(cards):
    """Let another shop of the same account take 40 dollars by card."""
    given = {"amount": 40_00, "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"}
    answer = httpx.post(
        f"{cards.url}/stripe/v1/payment_intents",
        data=given,
        auth=(CREDENTIALS.api_key, ""),
        trust_env=False,
        verify=NO_TLS,
    )
    assert answer.is_success, answer.text


def test_a_listed_payment_that_nobody_told_of_is_asked_after_and_booked_once(cards_shop):
    intent = cards_shop.ask()
    cards_shop.pay(intent)
    PaymentAttempt.objects.update(next_query_at=cards_shop.now + timedelta(days=1))

    assert pull(cards_shop).failure_code == ""

    attempt = payments.reloaded(intent.current_attempt)
    assert (attempt.next_query_at, bookings()) == (
        cards_shop.now,
        0,
    )  # asked after, and not booked from the row
    cards_shop.work()
    assert payments.reload(intent.id).status == IntentStatus.SUCCEEDED
    pull(cards_shop)
    assert (bookings(), kept(), InboundReceipt.objects.count()) == (1, [], 0)


def test_a_payment_whose_handle_was_lost_for_good_is_known_by_its_row(cards_shop):
    cards_shop.script({"action": "reset", "processed": True})
    intent = cards_shop.ask()
    assert payments.reload(intent.id).status == IntentStatus.UNKNOWN
    PaymentAttempt.objects.update(created_at=cards_shop.now - timedelta(hours=25))
    cards_shop.act("sessions", cards_shop.objects("sessions")[0]["id"], "pay", card="4242424242424242")

    pull(cards_shop)
    cards_shop.work()

    attempt = payments.reload(intent.id).current_attempt
    assert (attempt.ticket[:3], attempt.received) == ("pi_", USD_25)
    assert payments.reload(intent.id).status == IntentStatus.SUCCEEDED


def test_money_that_is_nobodys_waits_in_suspense_and_a_payout_is_shown(cards_shop):
    charge_elsewhere(cards_shop)
    pulls.pull(account_id=cards_shop.account.id, clock=lambda: cards_shop.now)
    assert InboundReceipt.objects.count() == 0  # it may have overtaken us

    cards_shop.control("POST", "/tick", {"seconds": 3 * 86_400})
    cards_shop.now += timedelta(days=3)
    httpx.post(
        f"{cards_shop.url}/stripe/v1/payouts",
        data={"amount": 5_00, "currency": "usd"},
        auth=(CREDENTIALS.api_key, ""),
        trust_env=False,
        verify=NO_TLS,
    )
    pull(cards_shop)
    pull(cards_shop)

    inbound = InboundReceipt.objects.get()
    assert (inbound.status, inbound.money, bookings()) == (InboundStatus.SUSPENSE, Money(40_00, "USD"), 1)
    assert kept() == [(ListedMatter.OTHER, "payout", Money(-5_00, "USD"))]


def test_a_fee_that_differs_is_shown_and_changes_nothing(shop):
    attempt = paid(shop)
    before = balance(AccountRole.PROVIDER_BALANCE, "USD")
    row = next(one for one in rows(shop) if one.receipt == attempt.provider_receipt)

    for _ in range(2):
        other = dataclasses.replace(row, fee=Money(9_99, "USD"))
        movements.take(account=shop.account, row=other, now=shop.now)

    line = ListedMovement.objects.get()
    assert (line.matter, line.fee, line.attempt_id) == (
        ListedMatter.FEE_DIFFERS,
        Money(9_99, "USD"),
        attempt.id,
    )
    assert balance(AccountRole.PROVIDER_BALANCE, "USD") == before
    assert payments.reloaded(attempt).fee == row.fee


def test_a_lost_refund_and_an_untold_dispute_are_asked_after(shop, asked_for):
    first, second = paid(shop), paid(shop)
    refund = refund_of(first, shop)
    path = "/v1/refunds" if shop.account.provider == "stripe" else "/v2/payments/captures/*/refund"
    shop.script({"action": "reset", "processed": True}, path=path)
    refunds.request(refund_id=refund.id, now=shop.now)
    Refund.objects.update(next_query_at=shop.now + timedelta(days=9))
    kind = "charges" if shop.account.provider == "stripe" else "captures"
    shop.act(kind, second.provider_receipt, "dispute")

    asked = asked_for()

    lost = Refund.objects.get()
    assert (lost.status, lost.next_query_at) == (RefundStatus.UNKNOWN, shop.now)
    assert {"payments.query_refund"} <= asked
    assert asked & {"payments.read_dispute", "payments.list_disputes_organisation"}
    shop.work()
    assert Refund.objects.get().status == RefundStatus.SUCCEEDED
    assert (Dispute.objects.count(), kept()) == (0, [])
    assert "payments.query_refund" not in asked_for()


def test_a_wallet_payment_that_nobody_told_of_is_asked_after(wallets):
    access.portal()
    PullCursor.objects.create(provider_account=wallets.account, pulled_until=wallets.now)
    attempt = paid(wallets)
    row = next(one for one in rows(wallets) if one.receipt == attempt.provider_receipt)
    other = wallets.ask()
    unknown = dataclasses.replace(
        row, receipt="4XX", nudge=dataclasses.replace(row.nudge, code=other.current_attempt.code)
    )

    movements.take(account=wallets.account, row=unknown, now=wallets.now)

    assert payments.reloaded(other.current_attempt).next_query_at == wallets.now
    assert bookings() == 1


def test_an_unknown_kind_is_shown(cards_shop):
    paid(cards_shop)
    row = rows(cards_shop)[0]
    odd = dataclasses.replace(row, kind="quantum_hold", nudge=dataclasses.replace(row.nudge, kind="NONE"))

    movements.take(account=cards_shop.account, row=odd, now=cards_shop.now)

    assert kept() == [(ListedMatter.OTHER, "quantum_hold", USD_25)]
