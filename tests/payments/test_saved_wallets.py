"""Saved wallets: PayPal keeps them by consent, they are charged without their payer, and forgotten for good."""

from datetime import timedelta

import pytest

from apps.integrations.models import ProviderCall
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.payments.contracts import AttemptStatus, IntentStatus, Method
from apps.payments.contracts.saving import SavedMethodStatus
from apps.payments.events.methods import snapshot
from apps.payments.models import SavedMethod
from apps.payments.services import captures, intents, method_tokens, saved_methods
from tests.factories import access, payments
from tests.payments import saving
from tests.payments.conftest import balance, is_untouched, told
from tests.payments.saving import charged, followed, said
from tests.payments.wallets import USD_25

CREATED, DELETED = "VAULT.PAYMENT-TOKEN.CREATED", "VAULT.PAYMENT-TOKEN.DELETED"
TOKENS = "/v3/vault/payment-tokens"


def begun(wallets, **facts) -> SavedMethod:
    return saving.begun(wallets, method=Method.PAYPAL, **facts)


def kept(wallets, funding: str = "balance", **facts) -> SavedMethod:
    """Return one whose payer has agreed on PayPal's page; ``funding`` is what his wallet pays with later."""
    saved = begun(wallets, **facts)
    wallets.act("setups", saved.ticket, "approve", funding=funding)
    return followed(wallets, saved, after=timedelta(minutes=1))


def test_keeps_a_wallet_when_its_payer_has_agreed_and_charges_it_once(wallets):
    saved = begun(wallets)
    assert (saved.status, saved.page != "") == (SavedMethodStatus.PENDING, True)
    assert followed(wallets, saved, after=timedelta(minutes=1)).status == SavedMethodStatus.PENDING
    wallets.act("setups", saved.ticket, "approve", funding="balance")

    saved = followed(wallets, saved, after=timedelta(minutes=1))

    assert (saved.status, saved.page, str(saved)) == (SavedMethodStatus.ACTIVE, "", "PayPal")
    assert said(saved) == ["payment_method_initiated", "payment_method_saved"]
    shown = snapshot(saved)
    assert (shown["card"], shown["wallet"]["brand"], len(shown["wallet"]["fingerprint"])) == (
        None,
        "paypal",
        13,
    )
    [token] = wallets.objects("tokens")
    assert method_tokens.opened(saved).token == token["id"]

    intent = charged(wallets, saved)
    attempt = wallets.query(intent)
    assert (attempt.status, attempt.pay_page, attempt.fee) == (
        AttemptStatus.SUCCEEDED,
        None,
        Money(1_36, "USD"),
    )
    assert balance(AccountRole.PROVIDER_BALANCE, "USD").text == wallets.statement()["closing_balance"]
    assert told(intent.id)[-1] == "payment_success"
    assert ProviderCall.objects.filter(kind="order").count() == 1


def test_one_wallet_is_kept_by_two_consents_and_one_of_them_is_forgotten(wallets):
    first, second = kept(wallets), kept(wallets, application_id=access.application("riders").id)
    assert (second.status, second.fingerprint) == (SavedMethodStatus.ACTIVE, first.fingerprint)

    saved_methods.forget(method_id=second.id, actor=SYSTEM, now=wallets.now)
    assert followed(wallets, second).status == SavedMethodStatus.FORGOTTEN

    assert wallets.query(charged(wallets, first)).status == AttemptStatus.SUCCEEDED


@pytest.mark.parametrize("later", [timedelta(minutes=5), timedelta(hours=4)])
def test_a_token_whose_answer_is_lost_is_found_again_and_made_once(wallets, later):
    saved = begun(wallets)
    wallets.act("setups", saved.ticket, "approve", funding="balance")
    wallets.script({"action": "reset", "processed": True}, path=TOKENS)
    assert followed(wallets, saved, after=timedelta(minutes=1)).status == SavedMethodStatus.PENDING

    wallets.control("POST", "/tick", {"seconds": int(later.total_seconds())})
    saved = followed(wallets, saved, after=later)

    [token] = wallets.objects("tokens")
    assert (saved.status, method_tokens.opened(saved).token) == (SavedMethodStatus.ACTIVE, token["id"])


def test_asks_for_the_page_again_under_its_own_code_as_long_as_paypal_knows_it(wallets):
    setups = "/v3/vault/setup-tokens"
    wallets.script({"action": "reset", "processed": True}, path=setups)
    saved = followed(wallets, begun(wallets), after=timedelta(minutes=5))
    assert saved.status == SavedMethodStatus.PENDING
    assert [one["id"] for one in wallets.objects("setups")] == [saved.ticket]
    wallets.script({"action": "reset", "processed": False}, path=setups)

    lost = followed(wallets, begun(wallets), after=timedelta(hours=3))

    assert (lost.status, lost.failure_code) == (SavedMethodStatus.FAILED, "expired")
    assert len(wallets.objects("setups")) == 1


def test_repeats_a_charge_without_an_answer_under_its_own_code(wallets):
    saved = kept(wallets)
    wallets.script({"action": "reset", "processed": True})

    intent = charged(wallets, saved)
    assert (intent.status, is_untouched()) == (IntentStatus.UNKNOWN, True)
    saved_methods.forget(method_id=saved.id, actor=SYSTEM, now=wallets.now)
    assert followed(wallets, saved).status == SavedMethodStatus.FORGETTING  # its token may be needed again
    wallets.query(intent)

    assert wallets.query(intent).status == AttemptStatus.SUCCEEDED
    assert [row["kind"] for row in wallets.statement()["rows"]].count("payment") == 1
    assert len(wallets.objects("captures")) == 1
    assert followed(wallets, saved, after=timedelta(hours=6)).status == SavedMethodStatus.FORGOTTEN


@pytest.mark.parametrize("funding", ["PAYER_ACTION_REQUIRED", "present"])
def test_asks_the_payer_on_a_page_where_paypal_wants_him(wallets, funding):
    saved = kept(wallets, funding)

    intent = charged(wallets, saved)

    assert (intent.status, intent.saved_method) == (IntentStatus.ACTION_REQUIRED, None)
    assert intent.current_attempt.number == 2
    assert intent.current_attempt.page.startswith(wallets.url)
    assert is_untouched()
    wallets.pay(intent)
    wallets.query(intent)
    intents.carry_out(attempt_id=intent.current_attempt_id, now=wallets.now)
    assert told(intent.id)[-1] == "payment_success"
    assert len(wallets.objects("captures")) == 1


def test_a_lost_charge_that_waits_for_its_payer_asks_him_on_a_page(wallets):
    saved = kept(wallets, "present")
    wallets.script({"action": "reset", "processed": True})
    intent = charged(wallets, saved)
    assert intent.status == IntentStatus.UNKNOWN

    wallets.query(intent)
    intents.request(intent_id=intent.id, now=wallets.now)

    intent = payments.reload(intent.id)
    assert (intent.status, intent.current_attempt.number) == (IntentStatus.ACTION_REQUIRED, 2)
    assert len(wallets.objects("orders")) == 2


def test_a_wallet_without_money_fails_the_payment_at_once(wallets):
    intent = charged(wallets, kept(wallets, "empty"))

    assert (intent.status, intent.failure_code) == (IntentStatus.FAILED, "declined")
    assert told(intent.id)[-1] == "payment_failed"
    assert is_untouched()


@pytest.mark.parametrize(
    ("deed", "status", "is_paid"),
    [("complete", AttemptStatus.SUCCEEDED, True), ("deny", AttemptStatus.FAILED, False)],
)
def test_a_charge_that_paypal_looks_at_first_is_booked_when_it_has(wallets, deed, status, is_paid):
    intent = charged(wallets, kept(wallets, "review"))
    assert (wallets.query(intent).status, is_untouched()) == (AttemptStatus.PENDING, True)

    wallets.act("captures", wallets.objects("captures")[0]["id"], deed)

    assert wallets.query(intent).status == status
    assert is_untouched() is not is_paid


def test_holds_back_a_sum_of_a_kept_wallet_and_takes_a_part(wallets):
    intent = charged(wallets, kept(wallets), is_captured=False)
    attempt = wallets.query(intent)
    assert (attempt.status, attempt.held, is_untouched()) == (AttemptStatus.AUTHORIZED, USD_25, True)

    captures.capture(intent_id=intent.id, money=Money(10_00, "USD"), actor=SYSTEM, now=wallets.now)
    intents.carry_out(attempt_id=attempt.id, now=wallets.now)

    assert payments.reload(intent.id).current_attempt.received == Money(10_00, "USD")
    assert balance(AccountRole.PROVIDER_BALANCE, "USD").text == wallets.statement()["closing_balance"]


def test_forgets_a_wallet_until_paypal_says_so(wallets):
    saved = kept(wallets)
    wallets.script({"action": "reset", "processed": True}, path=f"{TOKENS}/*")

    for _ in range(2):
        saved_methods.forget(method_id=saved.id, actor=SYSTEM, now=wallets.now)
    assert followed(wallets, saved).status == SavedMethodStatus.FORGETTING
    saved = followed(wallets, saved, after=timedelta(hours=1))

    assert (saved.status, bytes(saved.sealed_token)) == (SavedMethodStatus.FORGOTTEN, b"")
    assert said(saved)[-1] == "payment_method_forgotten"
    assert wallets.objects("tokens") == []


def test_a_wallet_that_is_dropped_at_paypal_is_forgotten_here(wallets):
    saved = kept(wallets)
    token = method_tokens.opened(saved).token
    [made] = wallets.messages(CREATED, about=token)
    assert wallets.deliver(made) == "APPLIED"
    assert followed(wallets, saved).status == SavedMethodStatus.ACTIVE
    wallets.act("tokens", token, "drop")
    [message] = wallets.messages(DELETED, about=token)

    assert wallets.deliver(message) == "APPLIED"
    followed(wallets, saved)
    assert followed(wallets, saved).status == SavedMethodStatus.FORGOTTEN
