"""Confirmations: large money that comes unasked is booked once the provider has confirmed it, and is never lost."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from apps.integrations.contracts import AccountTerms
from apps.integrations.models import ProviderAccount
from apps.integrations.ports import CollectionReport, Outcome
from apps.integrations.services import accounts, gates
from apps.kit import jobs
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import InboundSource, InboundStatus, IntentStatus, Recorded
from apps.payments.models import InboundReceipt
from apps.payments.services import confirmations, resolutions, reviews, sweeps
from tests.factories import access, payments
from tests.integrations.daraja import certified
from tests.payments.conftest import bookings, books, deliver, is_untouched, told
from tests.payments.test_inbound_receipts import HELD, PAID, notice, stk, take
from tests.payments.test_two_connections import at_once

NOW = payments.NOW + timedelta(seconds=30)
PHONE = "254712345678"


@pytest.fixture
def account(acme):
    return watched()


def watched(**facts):
    """Return an account that asks about everything from KES 1,000.00 on; nobody checks its certificate here."""
    access.portal()
    found = payments.account(**facts)
    found.confirm_from_minor = 1_000_00
    found.save(update_fields=["confirm_from_minor"])
    return found


def told_of(account, reference="", **facts):
    return take(notice(reference, **facts), account)[1]


def answer(inbound, *, now=NOW, **facts):
    report = CollectionReport(
        **{
            "ticket": "AG_1",
            "outcome": Outcome.COLLECTED,
            "money": inbound.money,
            "receipt": inbound.receipt,
            **facts,
        }
    )
    return confirmations.record(inbound_id=inbound.id, report=report, now=now)


def test_it_is_booked_once_it_is_confirmed_and_once_only(account):
    intent = payments.intent()

    inbound = told_of(account, intent.code)
    assert (inbound.status, is_untouched()) == (InboundStatus.UNCONFIRMED, True)
    assert told(inbound.id) == ["money_unconfirmed"]
    assert take(notice(intent.code), account)[0] == Recorded.DUPLICATE

    assert [answer(inbound), answer(inbound)] == [Recorded.APPLIED, Recorded.DUPLICATE]
    inbound.refresh_from_db()
    assert (inbound.status, payments.reload(intent.id).status) == (
        InboundStatus.MATCHED,
        IntentStatus.SUCCEEDED,
    )
    assert (bookings(), books()) == (1, PAID)


def test_however_late_it_is_confirmed_it_is_the_receipt_of_a_payment_booked_without_one(account):
    attempt = payments.waiting()
    inbound = told_of(account)
    stk(attempt, receipt="", money=None)

    answer(inbound, now=NOW + timedelta(hours=25))

    inbound.refresh_from_db()
    assert (inbound.status, inbound.attempt_id) == (InboundStatus.MATCHED, attempt.id)
    assert (payments.reloaded(attempt).provider_receipt, books()) == (inbound.receipt, PAID)


def test_what_nobody_explains_waits_in_suspense_after_it_is_confirmed(account):
    inbound = told_of(account, "HOUSE 7")

    answer(inbound)

    inbound.refresh_from_db()
    assert (inbound.status, inbound.reason) == (InboundStatus.SUSPENSE, "No payment has this reference.")
    assert books() == HELD


def test_smaller_money_and_what_a_list_tells_is_believed_at_once(account):
    small = told_of(account, "RENT", money=Money(999_00, "KES"), receipt="SKH0000002")
    _, listed = take(notice("RENT 2", receipt="SKH0000003"), account, InboundSource.PULL)
    unconfirmed = told_of(account, "RENT 3")
    take(notice("RENT 3"), account, InboundSource.PULL)

    unconfirmed.refresh_from_db()
    assert {one.status for one in (small, listed, unconfirmed)} == {InboundStatus.SUSPENSE}


@pytest.mark.parametrize(
    ("facts", "recorded", "is_asked_again"),
    [
        ({"outcome": Outcome.PENDING, "money": None, "receipt": ""}, Recorded.IGNORED, True),
        ({"receipt": "SKH0000009"}, Recorded.IGNORED, True),
        ({"money": Money(1_00, "KES")}, Recorded.APPLIED, False),
        ({"outcome": Outcome.DECLINED, "money": None, "reason_code": "declined"}, Recorded.APPLIED, False),
    ],
)
def test_what_is_not_confirmed_is_booked_nowhere_and_stays_in_sight(account, facts, recorded, is_asked_again):
    inbound = told_of(account)

    assert answer(inbound, **facts) == recorded

    inbound.refresh_from_db()
    assert (inbound.status, is_untouched()) == (InboundStatus.UNCONFIRMED, True)
    assert (inbound.next_confirm_at is not None) is is_asked_again
    assert InboundReceipt.objects.held().get() == inbound
    assert told(inbound.id) == ["money_unconfirmed"] * (1 if is_asked_again else 2)
    with pytest.raises(resolutions.NotWaiting):
        resolutions.give_back(inbound_id=inbound.id, reason="He called.", actor=SYSTEM, now=NOW)
    confirmations.ask_again(inbound_id=inbound.id, reason="He called.", actor=SYSTEM, now=NOW)
    answer(inbound)
    assert books() == HELD
    with pytest.raises(resolutions.NotWaiting):
        confirmations.ask_again(inbound_id=inbound.id, reason="He called.", actor=SYSTEM, now=NOW)


def test_what_an_attempt_was_told_of_is_asked_about_no_more(account):
    attempt = payments.waiting()
    inbound = told_of(account, attempt.code)
    confirmations.record(
        inbound_id=inbound.id,
        report=CollectionReport(ticket="", outcome=Outcome.DECLINED, reason_code="declined"),
        now=NOW,
    )

    stk(attempt)

    inbound.refresh_from_db()
    assert (inbound.status, inbound.attempt_id) == (InboundStatus.MATCHED, attempt.id)
    assert inbound.next_confirm_at is None
    assert (bookings(), books()) == (1, PAID)


@pytest.mark.parametrize("is_answered", [True, False])
def test_what_an_attempt_has_in_another_sum_is_left_to_people_and_asked_about_no_more(account, is_answered):
    attempt = payments.waiting()
    inbound = told_of(account, attempt.code)
    stk(attempt, money=Money(1_400_00, "KES"))
    before = books()

    if is_answered:
        body = {
            "Result": {
                "ResultType": 0,
                "ResultCode": 0,
                "ResultDesc": "ok",
                "ConversationID": "AG_1",
                "TransactionID": "NLR0000000",
                "ResultParameters": {
                    "ResultParameter": [
                        {"Key": "ReceiptNo", "Value": inbound.receipt},
                        {"Key": "Amount", "Value": 1500.0},
                        {"Key": "TransactionStatus", "Value": "Completed"},
                    ]
                },
            }
        }
        assert deliver(inbound.callback_token, "status", body) == "UNMATCHED"
    else:
        confirmations.ask(inbound_id=inbound.id, now=NOW)

    inbound.refresh_from_db()
    assert (inbound.status, inbound.next_confirm_at) == (InboundStatus.UNCONFIRMED, None)
    assert inbound.reason.startswith(f"{attempt.code}: ")
    assert payments.reloaded(attempt).unexplained_receipt == inbound.receipt
    assert (told(attempt.intent_id)[-1], told(inbound.id)[1:]) == ("payment_in_review", ["money_unconfirmed"])
    assert books() == before
    with pytest.raises(resolutions.DoesNotFit):
        reviews.close(intent_id=attempt.intent_id, reason="He called.", actor=SYSTEM, now=NOW)


def test_a_person_is_told_once_the_last_question_has_no_answer(account):
    inbound = told_of(account)
    InboundReceipt.objects.filter(id=inbound.id).update(confirm_tries=len(confirmations.ASKED_AGAIN) + 1)

    confirmations.ask(inbound_id=inbound.id, now=NOW)

    inbound.refresh_from_db()
    assert (inbound.next_confirm_at, inbound.reason) == (None, confirmations.SILENT)
    assert told(inbound.id) == ["money_unconfirmed"] * 2


def test_nothing_is_kept_when_the_booking_fails(account, monkeypatch):
    def broken(**_):
        raise RuntimeError("the database went away")

    inbound = told_of(account)
    monkeypatch.setattr("apps.ledger.services.journals.post", broken)

    with pytest.raises(RuntimeError):
        answer(inbound)

    assert InboundReceipt.objects.get().status == InboundStatus.UNCONFIRMED


def test_two_answers_at_once_are_booked_once(committed_acme):
    inbound = told_of(watched())

    results = at_once(*[lambda: answer(inbound)] * 3)

    assert sorted(results) == [Recorded.APPLIED, Recorded.DUPLICATE, Recorded.DUPLICATE]
    assert books() == HELD


def test_the_provider_is_asked_and_its_answer_books_it(rail):
    access.portal()
    rail.account.confirm_from_minor = 1_000_00
    rail.account.save(update_fields=["confirm_from_minor"])
    sent = {
        "shortcode": rail.account.short_code,
        "msisdn": PHONE,
        "amount": "1500.00",
        "reference": "HOUSE 7",
        "pin": "right",
    }
    receipt = rail.control("POST", "/payments", sent).json()["receipt"]
    inbound = told_of(rail.account, "HOUSE 7", receipt=receipt)
    deed = {"account_id": rail.account.id, "kind": "transaction_status", "actor": SYSTEM, "now": NOW}
    gates.open_circuit(**deed, reason="Outage")

    confirmations.ask(inbound_id=inbound.id, now=NOW)
    inbound.refresh_from_db()
    assert (inbound.confirm_tries, inbound.next_confirm_at) == (0, NOW + timedelta(seconds=30))

    gates.close_circuit(**deed, reason="Over")
    later = NOW + timedelta(minutes=2)
    with jobs.held() as held:
        sweeps.do(deed="confirm", row_id=inbound.id, now=later)
    assert [job.name for job in held] == ["payments.confirm_money"]
    confirmations.ask(inbound_id=inbound.id, now=later)
    inbound.refresh_from_db()
    assert (inbound.confirm_tries, inbound.next_confirm_at) == (1, later + timedelta(minutes=2))
    rail.tick(1)
    assert rail.deliver() == ["APPLIED"]
    inbound.refresh_from_db()
    assert (inbound.receipt, inbound.status, books()) == (receipt, InboundStatus.SUSPENSE, HELD)


def test_an_account_asks_only_where_it_can(acme):
    found = payments.account()
    terms = AccountTerms(
        **{
            **{name: getattr(found, name) for name in AccountTerms.__dataclass_fields__},
            "confirm_from_minor": 1_000_00,
        }
    )

    with pytest.raises(accounts.AccountTermsInvalid) as refusal:
        accounts.change(account_id=found.id, terms=terms, actor=SYSTEM, now=NOW)

    assert [error.pointer for error in refusal.value.errors] == ["/confirm_from"]


@pytest.mark.parametrize("missing", ["initiator", "initiator_password"])
def test_an_account_asks_only_in_the_name_of_an_initiator(acme, missing):
    certificate = certified(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    found = payments.account(certificate=certificate)
    terms = {name: getattr(found, name) for name in AccountTerms.__dataclass_fields__}
    asking = AccountTerms(**{**terms, "confirm_from_minor": 1_000_00})
    without = replace(payments.CREDENTIALS, **{missing: ""})

    with pytest.raises(accounts.AccountTermsInvalid) as refusal:
        accounts.change(account_id=found.id, terms=asking, credentials=without, actor=SYSTEM, now=NOW)
    assert [error.pointer for error in refusal.value.errors] == ["/confirm_from"]

    accounts.change(
        account_id=found.id, terms=AccountTerms(**terms), credentials=without, actor=SYSTEM, now=NOW
    )
    with pytest.raises(accounts.AccountTermsInvalid):
        accounts.change(account_id=found.id, terms=asking, actor=SYSTEM, now=NOW)
    accounts.change(
        account_id=found.id, terms=asking, credentials=payments.CREDENTIALS, actor=SYSTEM, now=NOW
    )
    assert ProviderAccount.objects.get().confirm_from == Money(1_000_00, "KES")
