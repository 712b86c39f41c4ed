"""The pay page as a payer's browser sees it: his link alone, every state, refusals in words, and nothing of others."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from apps.integrations.contracts import MPESA, ErrorRule, Flow, RegistrationStatus, ShortCodeType
from apps.integrations.models import AddressRegistration, ProviderAccount
from apps.integrations.ports import NextAction, NextActionKind, ProviderDeclined, ProviderUnavailable, Ticket
from apps.integrations.services import accounts, error_rules, gates
from apps.invoicing.models import Document
from apps.kit import clock, ids, rooms
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import InboundStatus, IntentStatus, LateMoney
from apps.payments.models import PaymentAttempt, PaymentIntent
from apps.payments.services import attempts, intents, pay_pages, paybills, reviews, routing
from apps.tenancy.models import Organisation
from tests.factories import payments
from tests.factories.payments import NOW
from tests.payments import cards, wallets
from tests.payments.test_late_money import choose

PHONE = "0712 345 678"
REDIRECT = NextAction(NextActionKind.REDIRECT, "Pay by card.", "https://checkout.example.test/cs_1")


@dataclass
class Payer:
    """A browser with one link, on the host of the organisation that sent it."""

    intent: PaymentIntent
    path: str
    host: str = "acme.testserver"
    language: str = "en"

    def get(self, below: str = "", **query: str):
        return self._inside(self._browser().get(self.path + below, query))

    def post(self, below: str, **body: str):
        return self._inside(self._browser().post(self.path + below, body))

    def text(self) -> str:
        answer = self.get()
        assert answer.status_code == 200
        return " ".join(answer.content.decode().split())

    def attempt(self) -> PaymentAttempt:
        return PaymentAttempt.objects.get(intent=self.intent)

    def _browser(self) -> Client:
        return Client(headers={"host": self.host, "accept-language": self.language})

    def _inside(self, answer):
        connection.set_tenant(self.organisation)
        return answer

    def __post_init__(self) -> None:
        self.organisation = connection.tenant


@pytest.fixture
def payer(acme) -> Iterator[Payer]:
    account = payments.account(short_code="600111")
    AddressRegistration.objects.create(
        account=account,
        status=RegistrationStatus.DONE,
        version=account.inbound_version,
        is_accepted_by_default=True,
        registered_by=str(SYSTEM),
        registered_at=NOW,
    )
    intent = payments.intent(is_confirmed=False, choice=None, description="Table 7")
    opened = pay_pages.make(intent_id=intent.id, actor=SYSTEM, now=NOW)
    with clock.fixed(NOW):
        yield Payer(intent, "/pay/" + opened.url.rpartition("/")[2])


def sent(payer: Payer) -> PaymentAttempt:
    """Have the payer ask for a prompt that is on his phone then."""
    payer.post("/prompt", phone=PHONE)
    attempt = attempts.begin(intent_id=payer.intent.id, now=NOW)
    attempts.accept(attempt_id=attempt.id, ticket=payments.ticket(), now=NOW)
    return attempt


def test_asks_for_the_sum_and_offers_both_ways(payer):
    said = payer.text()

    assert "Acme" in said
    assert "Table 7" in said
    assert "<small>KES</small>1,500.00" in said
    assert "Pay KES 1,500.00" in said
    assert "600111" in said
    assert payer.intent.code in said


def test_a_sum_that_is_only_held_back_is_not_asked_for_where_all_of_it_is_taken(payer):
    PaymentIntent.objects.update(is_captured=False)

    said = payer.text()

    assert "cannot be paid online just now" in said
    assert "Phone that pays" not in said
    assert "Paybill" not in said


@pytest.mark.parametrize("what", ["elsewhere", "pulled", "till"])
def test_shows_no_number_under_which_money_would_be_lost(payer, what):
    account = ProviderAccount.objects.get()
    if what == "till":
        account.short_code_type, account.till_number = ShortCodeType.TILL, "700001"
    else:
        last = AddressRegistration.objects.get()
        last.id, last.status, last._state.adding = ids.new(), RegistrationStatus.ELSEWHERE, True
        last.save(force_insert=True)
        account.is_pull_enabled, account.pull_number = what == "pulled", "254700000001"
    account.save()

    assert ("600111" in payer.text(), "700001" in payer.text()) == (what == "pulled", False)


def test_its_address_stays_with_the_payer(payer):
    answer = payer.get()

    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert (answer["Referrer-Policy"], answer["Cache-Control"]) == ("same-origin", "no-store")
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert b"style=" not in answer.content
    assert b"onclick" not in answer.content


def test_a_prompt_leads_to_waiting_and_a_second_click_to_nothing_else(payer):
    answers = [payer.post("/prompt", phone=PHONE) for _ in range(2)]

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, payer.path)] * 2
    assert payments.reload(payer.intent.id).payer_phone == "+254712345678"
    said = payer.text()
    assert "Enter your PIN on your phone" in said
    assert "0712 ••• 678" in said
    assert "345 678" not in said
    assert 'http-equiv="refresh"' in said
    assert "600111" in said


def test_every_outcome_is_told_in_words(payer):
    attempt = sent(payer)
    assert "Prompt sent" in payer.text()

    attempts.lose(attempt_id=attempt.id, now=NOW)
    assert "We do not know yet" in payer.text()

    intents.settle(attempt_id=attempt.id, report=payments.collected(payer.attempt()), actor=PROVIDER, now=NOW)
    said = payer.text()
    assert "Paid. Thank you" in said
    assert payer.attempt().provider_receipt in said
    assert "Your receipt is being made." in said
    assert Document.objects.count() == 0
    assert payer.get("/receipt.pdf").status_code == 404


def test_a_failure_says_why_and_lets_the_payer_try_again(payer):
    attempt = sent(payer)
    refusal = ProviderDeclined("customer_cancelled", "The payer cancelled the request.", provider_code="1032")
    attempts.decline(attempt_id=attempt.id, refusal=refusal, now=NOW)

    assert "You cancelled on your phone." in payer.text()
    payer.language = "sw"
    assert "Umeghairi kwenye simu yako." in payer.text()
    own = ErrorRule(MPESA, Flow.COLLECTION, "1032", "customer_cancelled", payer_message="Sasa hapana.")
    error_rules.put(rule=own, actor=SYSTEM, now=NOW)
    PaymentIntent.objects.filter(id=payer.intent.id).update(failure_message="Sasa hapana.")
    assert "Sasa hapana." in payer.text()

    assert payer.post("/prompt", phone=PHONE).status_code == 302
    assert payments.reload(payer.intent.id).status == IntentStatus.PROCESSING


def declined(payer: Payer) -> PaymentAttempt:
    """Have the payer's prompt refused on his phone."""
    attempt = sent(payer)
    refusal = ProviderDeclined("insufficient_funds", "The balance is too low.", provider_code="1")
    attempts.decline(attempt_id=attempt.id, refusal=refusal, now=NOW)
    return attempt


def arrived(payer: Payer, attempt: PaymentAttempt, **facts: object) -> None:
    """Have money of an attempt told of."""
    report = payments.collected(payments.reloaded(attempt), **facts)
    intents.settle(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)


def test_the_third_failure_is_told_with_its_reason(payer):
    for _ in range(3):
        declined(payer)
    assert payments.reload(payer.intent.id).status == IntentStatus.FAILED

    said = payer.text()

    assert "It was not paid" in said
    assert "The last try did not work: Your M-Pesa balance is too low. Nothing was taken." in said
    assert "ask Acme for a new link" in said
    assert "cancelled or has expired" not in said
    payer.language = "sw"
    assert "Haikulipwa" in payer.text()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("already_paid", "This has been paid already."),
        ("method_not_available", "The last try did not work: It cannot be paid this way now."),
    ],
)
def test_a_failure_that_is_not_the_payer_s_is_told_as_it_is(payer, code, said):
    payer.post("/prompt", phone=PHONE)
    intent = payments.reload(payer.intent.id)
    intent.fail(code=code, message="For partners.", at=NOW)
    intent.save_progress()

    assert said in payer.text()
    assert "M-Pesa did not take" not in payer.text()


def test_money_of_another_sum_is_told_as_that(payer):
    arrived(payer, sent(payer), money=Money(900_00, "KES"))

    assert "The sum is another one than was asked for." in payer.text()


def test_money_that_comes_late_is_not_said_to_be_another_sum(payer):
    choose(late_money=LateMoney.SUSPENSE)
    for _ in range(3):
        attempt = declined(payer)
    arrived(payer, attempt)

    assert payments.reload(payer.intent.id).status == IntentStatus.IN_REVIEW
    said = payer.text()
    assert "It came after this payment had been closed." in said
    assert "another one than was asked for" not in said

    reviews.close(intent_id=payer.intent.id, reason="Not of this.", actor=SYSTEM, now=NOW)
    said = payer.text()
    assert "Money arrived, and Acme has decided that it does not pay this." in said
    assert "nothing was taken" not in said.lower()


def test_late_money_that_has_gone_back_is_told_as_that(payer):
    choose(late_money=LateMoney.SUSPENSE)
    for _ in range(3):
        attempt = declined(payer)
    arrived(payer, attempt)
    PaymentAttempt.objects.filter(id=attempt.id).update(refunded_minor=payer.intent.amount_minor)

    said = payer.text()

    assert "Your money has gone back" in said
    assert "do not pay again" not in said


def test_money_for_what_was_paid_otherwise_is_not_said_to_be_another_sum(payer):
    order = {"payable_type": "order", "payable_id": "ORD-7"}
    first = payments.waiting(**order)
    intents.record(attempt_id=first.id, report=payments.declined(first), actor=PROVIDER, now=NOW)
    payer = with_link(payments.intent(is_confirmed=False, choice=None, **order))
    attempt = sent(payer)
    arrived(payer, first)
    arrived(payer, attempt)

    assert payments.reload(payer.intent.id).status == IntentStatus.IN_REVIEW
    said = payer.text()
    assert "Acme looks into what it is for; do not pay again." in said
    assert "another one than was asked for" not in said


def test_a_second_page_of_the_same_sum_says_why_it_does_not_ask_at_once(payer):
    sent(payer)
    second = with_link(payments.intent(is_confirmed=False, choice=None))

    answer = second.post("/prompt", phone=PHONE)

    assert answer.status_code == 422
    assert "The same sum was asked of you moments ago." in answer.content.decode()
    assert payments.reload(second.intent.id).status == IntentStatus.REQUIRES_METHOD


def test_a_closed_payment_takes_nothing(payer):
    intents.cancel(intent_id=payer.intent.id, actor=SYSTEM, now=NOW)

    assert "This payment is closed" in payer.text()
    assert "nothing was taken" in payer.text()
    assert payer.post("/prompt", phone=PHONE).status_code == 302
    assert payments.reload(payer.intent.id).status == IntentStatus.CANCELLED


@pytest.mark.parametrize("phone", ["", "0712", "+1 212 555 0100", "<script>alert(1)</script>"])
def test_a_wrong_phone_is_refused_beside_what_was_typed(payer, phone):
    answer = payer.post("/prompt", phone=phone)

    said = answer.content.decode()
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in said
    assert "<script>alert" not in said
    assert payments.reload(payer.intent.id).status == IntentStatus.REQUIRES_METHOD


def test_a_receipt_is_taken_where_nobody_knows(payer):
    attempt = sent(payer)
    attempts.lose(attempt_id=attempt.id, now=NOW)

    assert payer.post("/receipt", receipt="x").status_code == 422
    answer = payer.post("/receipt", receipt="nlj7rt61sv")

    assert "We have asked M-Pesa about this receipt" in answer.content.decode()
    assert payer.attempt().claimed_receipt == "NLJ7RT61SV"


def test_money_under_another_number_is_found_by_its_code(payer):
    held = payments.held(reference="TABLE 7", receipt="NLJ7RT61SV")
    other = payments.held(money=Money(20_00, "KES"), receipt="NLJ7RT61SW")

    for wrong in ("x", "A\0B"):
        assert payer.post("/receipt", receipt=wrong).status_code == 422
    for typed, said in (
        ("nlj7rt61sx", "M-Pesa has not told us of NLJ7RT61SX yet."),
        (other.receipt, f"M-Pesa has not told us of {other.receipt} yet."),
        ("nlj7rt61sv", "Your money has arrived, under another account number."),
        ("nlj7rt61sv", "Your money has arrived, under another account number."),
    ):
        assert said in payer.post("/receipt", receipt=typed).content.decode()

    held.refresh_from_db()
    assert held.reason.count(f"A payer says that it is of {payer.intent.code}.") == 1
    assert held.status == InboundStatus.SUSPENSE


def test_the_number_of_a_card_is_neither_a_phone_nor_a_receipt(payer):
    sent(payer)
    attempts.lose(attempt_id=payer.attempt().id, now=NOW)

    for page, field in (("/prompt", "phone"), ("/receipt", "receipt")):
        assert payer.post(page, **{field: "4242 4242 4242 4242"}).status_code in (302, 422)

    attempt = payer.attempt()
    assert (attempt.claimed_receipt, "4242" in attempt.intent.payer_phone) == ("", False)


def test_the_picture_is_made_once_and_kept(payer, monkeypatch, settings):
    asked = []

    def make(self, *, money, reference, size):
        asked.append((str(money), reference, size))
        if len(asked) == 1:
            raise ProviderUnavailable("provider_unavailable", "busy")
        return b"\x89PNG"

    monkeypatch.setattr("apps.integrations.mpesa.qr.DynamicQr.make", make)
    settings.TREASURY = {**settings.TREASURY, "WAITING_REQUESTS": 1}
    with rooms.ROOM.place():
        assert payer.get("/picture.png").status_code == 404
    assert not asked
    assert payer.get("/picture.png").status_code == 404
    assert payer.get("/picture.png").status_code == 404
    cache.clear()

    answers = [payer.get("/picture.png") for _ in range(2)]

    assert [answer.content for answer in answers] == [b"\x89PNG"] * 2
    assert asked == [("KES 1,500.00", payer.intent.code, paybills.SIDE)] * 2
    assert answers[0]["Content-Type"] == "image/png"
    assert answers[0]["Cache-Control"] == "no-store"
    intents.cancel(intent_id=payer.intent.id, actor=SYSTEM, now=NOW)
    assert payer.get("/picture.png").status_code == 404


def test_its_foot_names_help_and_tax_number_where_there_are_some(payer):
    assert "PIN P051234567X" not in payer.text()
    organisation = Organisation.objects.get(slug="acme")
    organisation.tax_number, organisation.support_contact = "P051234567X", "0709 000 123"
    organisation.save()

    said = payer.text()

    assert "You pay Acme, PIN P051234567X." in said
    assert '<a href="tel:0709000123">0709 000 123</a>' in said


def test_who_types_the_numbers_without_scripts_is_not_interrupted(payer):
    sent(payer)

    said = payer.text()
    by_hand = payer.get(paybill="1").content.decode()

    assert f'content="5;url={payer.path}"' in said
    assert 'href="?paybill=1"' in said
    assert "http-equiv" not in by_hand
    assert '<details class="opt" data-keep="paybill" open>' in by_hand


def test_speaks_kiswahili_and_keeps_the_choice(payer):
    payer.language = "sw"
    assert "Ungependa kulipa vipi?" in payer.text()

    answer = payer.get(language="sw")
    assert (answer.status_code, answer["Location"]) == (302, payer.path)
    assert answer.cookies["django_language"].value == "sw"


@pytest.mark.parametrize("below", ["", "/receipt.pdf"])
def test_a_link_that_is_none_opens_nothing_and_names_nothing(payer, below):
    right, wrong = payer.path, "/pay/" + "0" * 40
    payer.path = wrong
    answer = payer.get(below)

    assert answer.status_code == 404
    assert "This link is no longer good" in answer.content.decode()
    assert "Table 7" not in answer.content.decode()
    assert answer["X-Robots-Tag"] == "noindex, nofollow"

    payer.path, payer.host = right, "zuri.testserver"
    assert payer.get(below).status_code == 404


def test_the_colours_are_the_organisation_s_own(payer):
    payer.path = "/pay/brand.css"
    answer = payer.get()

    assert answer["Content-Type"].startswith("text/css")
    assert "--color-primary-600:#" in answer.content.decode()
    assert "immutable" in answer["Cache-Control"]


@pytest.fixture
def shopper(acme) -> Iterator[Payer]:
    """A payer of USD 25.00, which the branch collects by card alone."""
    cards.account()
    with clock.fixed(NOW):
        yield with_link(payments.intent(is_confirmed=False, choice=None, money=cards.USD_25))


def with_link(intent: PaymentIntent) -> Payer:
    opened = pay_pages.make(intent_id=intent.id, actor=SYSTEM, now=NOW)
    return Payer(intent, "/pay/" + opened.url.rpartition("/")[2])


def on_page(shopper: Payer) -> PaymentAttempt:
    """Have the payer choose the card, and the provider give the address of its page."""
    shopper.post("/by/card")
    attempt = attempts.begin(intent_id=shopper.intent.id, now=NOW)
    attempts.accept(attempt_id=attempt.id, ticket=Ticket("cs_1", REDIRECT), now=NOW)
    return attempt


def test_offers_the_methods_that_collect_now_and_no_other(shopper):
    said = shopper.text()
    assert "Pay USD 25.00 by card" in said
    assert "PayPal" not in said
    assert "Phone that pays" not in said
    account = ProviderAccount.objects.get()

    gates.open_circuit(account_id=account.id, kind="checkout", actor=SYSTEM, now=NOW, reason="Tried out")

    assert "by card" not in shopper.text()
    assert shopper.post("/by/card").status_code == 422
    assert shopper.post("/by/mpesa").status_code == 404


def test_a_charge_that_is_stopped_takes_no_card_off_the_page(shopper):
    account = ProviderAccount.objects.get()
    gates.open_circuit(account_id=account.id, kind="charge", actor=SYSTEM, now=NOW, reason="Tried out")

    assert "Pay USD 25.00 by card" in shopper.text()
    assert on_page(shopper).provider_account == account


def test_two_methods_with_pages_stand_beside_each_other(shopper):
    wallet = wallets.account()
    said = shopper.text()
    assert "Pay USD 25.00 by card" in said
    assert "Pay USD 25.00 with PayPal" in said
    assert said.count(" open>") == 1

    gates.open_circuit(account_id=wallet.id, kind="order", actor=SYSTEM, now=NOW, reason="Tried out")
    said = shopper.text()
    assert ("by card" in said, "with PayPal" in said) == (True, False)
    assert shopper.post("/by/paypal").status_code == 422
    gates.close_circuit(account_id=wallet.id, kind="order", actor=SYSTEM, now=NOW, reason="It answers")

    answer = shopper.post("/by/paypal")

    assert (answer.status_code, answer["Location"]) == (302, f"{shopper.path}?onward=1")
    attempt = attempts.begin(intent_id=shopper.intent.id, now=NOW)
    attempts.accept(attempt_id=attempt.id, ticket=Ticket("order-1", REDIRECT), now=NOW)
    assert attempt.provider_account == wallet
    assert f'content="0;url={REDIRECT.url}"' in shopper.get(onward="1").content.decode()
    assert "Back to the PayPal page" in shopper.text()


def test_an_account_that_was_just_found_not_set_up_right_is_not_offered(payer):
    attempt = sent(payer)
    refusal = ProviderDeclined("configuration", "Not set up.", provider_code="400", may_fall_back=True)
    attempts.decline(attempt_id=attempt.id, refusal=refusal, now=NOW)

    said = payer.text()
    assert payments.reload(payer.intent.id).status == IntentStatus.REQUIRES_CONFIRMATION
    assert "This cannot be paid online just now." in said
    assert "Phone that pays" not in said
    assert "600111" in said

    with clock.fixed(NOW + routing.LEFT_ALONE):
        assert "Phone that pays" in payer.text()
    account = attempt.provider_account
    accounts.change(
        account_id=account.id,
        terms=accounts.AccountTerms(**{name: getattr(account, name) for name in accounts.TERMS}),
        credentials=payments.CREDENTIALS,
        actor=SYSTEM,
        now=NOW + timedelta(seconds=1),
    )
    assert "Phone that pays" in payer.text()


def test_takes_the_payer_to_the_page_of_the_provider_and_back(shopper):
    answer = shopper.post("/by/card")
    assert (answer.status_code, answer["Location"]) == (302, f"{shopper.path}?onward=1")
    assert '<meta http-equiv="refresh" content="2;' in shopper.get(onward="1").content.decode()

    attempt = on_page(shopper)
    onward = shopper.get(onward="1").content.decode()
    assert f'<meta http-equiv="refresh" content="0;url={REDIRECT.url}">' in onward
    planned = PaymentAttempt.objects.get(id=attempt.id).next_query_at

    back = shopper.text()

    assert "Not paid yet" in back
    assert "Back to the card page" in back
    assert planned > NOW
    assert PaymentAttempt.objects.get(id=attempt.id).next_query_at == NOW
    assert PaymentIntent.objects.get().status == IntentStatus.ACTION_REQUIRED
    assert shopper.post("/by/card")["Location"] == f"{shopper.path}?onward=1"
    assert PaymentAttempt.objects.count() == 1


@clock.fixed(NOW)
def test_lets_a_payer_leave_the_page_of_the_provider_for_another_method(acme):
    cards.account(currency="KES")
    shopper = with_link(payments.intent(is_confirmed=False, choice=None))
    attempt = on_page(shopper)
    assert "Pay another way" not in shopper.text()
    payments.account()
    assert "Pay another way" in shopper.text()

    answer = shopper.post("/leave")

    assert (answer.status_code, answer["Location"]) == (302, shopper.path)
    assert PaymentAttempt.objects.get(id=attempt.id).order_due_at == NOW
    said = shopper.text()
    assert "The card page is being closed" in said
    assert REDIRECT.url not in said

    PaymentAttempt.objects.update(order_due_at=None)
    PaymentIntent.objects.update(expires_at=NOW)
    assert "Pay another way" not in shopper.text()
    assert shopper.post("/leave").status_code == 302
    assert PaymentAttempt.objects.get(id=attempt.id).order_due_at is None
