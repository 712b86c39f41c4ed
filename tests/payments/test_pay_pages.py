"""Pay pages: one link, good for one payment, and prompts that a payer asks for himself."""

from datetime import timedelta

import pytest

from apps.audit.models import AuditRecord
from apps.kit import ids, rate_limits
from apps.kit.actors import SYSTEM
from apps.kit.errors import NotFound
from apps.kit.money import Money
from apps.kit.phones import PhoneInvalid
from apps.payments.contracts import IntentStatus
from apps.payments.models import InboundReceipt, PaymentIntent, PayPage
from apps.payments.services import intents, pay_pages
from apps.payments.services.attempts import InvalidState
from apps.payments.services.pay_pages import PayPageUnknown
from apps.payments.services.payables import REPEATED_WITHIN, DuplicateSuspected
from tests.factories import access, payments
from tests.factories.payments import NOW
from tests.payments.conftest import told
from tests.payments.test_inbound_receipts import RECEIPT, notice, store, take
from tests.payments.test_two_connections import at_once

HERE = "203.0.113.7"
MUTE, PAYS = "0700000032", "0700000000"


def made(**facts) -> tuple[PaymentIntent, str]:
    """Return an intent that waits for its payer, and the secret of its page."""
    intent = payments.intent(is_confirmed=False, choice=None, **facts)
    opened = pay_pages.make(intent_id=intent.id, actor=SYSTEM, now=NOW)
    return intent, opened.url.rpartition("/")[2]


def asked(secret: str, phone: str = PAYS, now=NOW, source: str = HERE) -> PaymentIntent:
    return pay_pages.prompt(secret=secret, phone=phone, source=source, now=now)


def test_the_link_is_told_once_and_its_digest_kept(acme):
    payments.account()
    intent, secret = made()

    page = PayPage.objects.get()
    assert (page.intent_id, page.branch_id, page.application_id) == (
        intent.id,
        intent.branch_id,
        intent.application_id,
    )
    assert secret not in str(PayPage.objects.values().get())
    assert pay_pages.find(secret=secret, now=NOW) == intent
    record = AuditRecord.objects.get(action="payment.pay_page_made")
    assert secret not in str(record.changes)


def test_another_link_and_its_end_close_the_one_before(acme):
    payments.account()
    intent, first = made()
    second = pay_pages.make(intent_id=intent.id, actor=SYSTEM, now=NOW).url.rpartition("/")[2]

    with pytest.raises(PayPageUnknown):
        pay_pages.find(secret=first, now=NOW)
    assert pay_pages.find(secret=second, now=NOW) == intent
    with pytest.raises(PayPageUnknown):
        pay_pages.find(secret=second, now=intent.expires_at)

    pay_pages.revoke(intent_id=intent.id, now=NOW)
    for wrong in (second, "", "0" * 40, "../../etc", "Ünïcode"):
        with pytest.raises(PayPageUnknown):
            pay_pages.find(secret=wrong, now=NOW)


def test_only_an_open_payment_has_one(acme):
    payments.account()
    intent = payments.intent(is_confirmed=False, choice=None)
    intents.cancel(intent_id=intent.id, actor=SYSTEM, now=NOW)

    with pytest.raises(InvalidState):
        pay_pages.make(intent_id=intent.id, actor=SYSTEM, now=NOW)
    with pytest.raises(NotFound):
        pay_pages.make(intent_id=ids.new(), actor=SYSTEM, now=NOW)
    assert not PayPage.objects.exists()


def test_stays_inside_its_organisation(acme, in_organisation):
    payments.account()
    _intent, secret = made()
    in_organisation("zuri")

    with pytest.raises(PayPageUnknown):
        pay_pages.find(secret=secret, now=NOW)


def test_a_second_click_asks_for_nothing(acme):
    payments.account()
    intent, secret = made()

    for _ in range(2):
        assert asked(secret).status == IntentStatus.PROCESSING

    kept = payments.reload(intent.id)
    assert (kept.payer_phone, kept.confirmed_at) == ("+254700000000", NOW)
    assert AuditRecord.objects.filter(action="payment.confirmed").count() == 1


def test_a_wrong_phone_leaves_everything_as_it_was(acme):
    payments.account()
    intent, secret = made()

    with pytest.raises(PhoneInvalid):
        asked(secret, phone="0700")

    assert payments.reload(intent.id).status == IntentStatus.REQUIRES_METHOD


def test_a_prompt_that_fails_can_be_asked_for_again_three_times_in_all(rail):
    intent, secret = made()

    for number in (1, 2, 3):
        asked(secret, phone=MUTE)
        intents.request(intent_id=intent.id, now=NOW)
        rail.tick(3)
        rail.deliver()
        kept = payments.reload(intent.id)
        assert kept.attempts.count() == number
        if number < 3:
            assert (kept.status, kept.failure_code) == (
                IntentStatus.REQUIRES_CONFIRMATION,
                "customer_cancelled",
            )
            assert told(intent.id) == ["payment_intent_created", *["payment_initiated"] * number]

    assert payments.reload(intent.id).status == IntentStatus.FAILED
    assert told(intent.id)[-1] == "payment_failed"


def test_the_second_prompt_is_paid(rail):
    intent, secret = made()
    asked(secret, phone=MUTE)
    intents.request(intent_id=intent.id, now=NOW)
    rail.tick(3)
    rail.deliver()
    asked(secret, phone=PAYS)
    assert payments.reload(intent.id).failure_code == ""
    intents.request(intent_id=intent.id, now=NOW)
    rail.tick(3)
    rail.deliver()

    kept = payments.reload(intent.id)
    assert (kept.status, kept.is_late) == (IntentStatus.SUCCEEDED, False)
    assert pay_pages.find(secret=secret, now=kept.expires_at + timedelta(days=1)).is_settled


def test_another_payment_of_the_same_sum_asks_the_same_phone_in_two_minutes(acme):
    payments.account()
    first, second = made(), made()
    asked(first[1])

    with pytest.raises(DuplicateSuspected):
        asked(second[1])
    kept = payments.reload(second[0].id)
    assert (kept.status, kept.payer_phone) == (IntentStatus.REQUIRES_METHOD, "")
    assert asked(second[1], phone="0700000001").status == IntentStatus.PROCESSING

    third = made()
    assert asked(third[1], now=NOW + REPEATED_WITHIN).status == IntentStatus.PROCESSING


def test_two_pages_clicked_at_once_prompt_one_phone_once(committed_acme):
    payments.account()
    secrets = [made()[1], made()[1]]

    def ask(secret):
        try:
            return asked(secret).status
        except DuplicateSuspected:
            return "refused"

    results = at_once(lambda: ask(secrets[0]), lambda: ask(secrets[1]))

    assert sorted(results) == [IntentStatus.PROCESSING, "refused"]


def test_without_a_page_a_failure_is_the_end(rail):
    intent = payments.intent()
    intents.request(intent_id=intent.id, now=NOW)
    rail.decide("cancel")
    rail.deliver()

    assert payments.reload(intent.id).status == IntentStatus.FAILED


def test_few_prompts_for_one_phone_and_few_deeds_from_one_place(acme):
    payments.account()
    for number in range(pay_pages.PROMPTS_PER_PHONE_AND_HOUR):
        asked(made(money=Money(number * 100 + 100_00, "KES"))[1])
    with pytest.raises(rate_limits.RateLimited, match="This phone"):
        asked(made()[1], source="203.0.113.8")

    secret = made()[1]
    for _ in range(pay_pages.DEEDS_PER_SOURCE_AND_MINUTE):
        pay_pages.claim(secret=secret, receipt="NLJ7RT61SV", source="203.0.113.9", now=NOW)
    with pytest.raises(rate_limits.RateLimited, match="Too many tries"):
        pay_pages.claim(secret=secret, receipt="NLJ7RT61SV", source="203.0.113.9", now=NOW)


def test_only_a_prompt_that_is_asked_for_counts(acme):
    payments.account()
    asked(made()[1])
    for place in range(pay_pages.PROMPTS_PER_PHONE_AND_HOUR):
        with pytest.raises(DuplicateSuspected):
            asked(made()[1], source=f"203.0.113.{10 + place}")

    for number in range(1, pay_pages.PROMPTS_PER_PHONE_AND_HOUR):
        asked(made(money=Money(number * 100 + 100_00, "KES"))[1])
    with pytest.raises(rate_limits.RateLimited, match="This phone"):
        asked(made(money=Money(99_00, "KES"))[1])


@pytest.mark.parametrize("is_alike", [True, False])
def test_money_that_another_account_of_the_store_was_told_of_is_held_for_who_claims_it(acme, is_alike):
    paybill, till = store()
    told_at = till if is_alike else payments.account(branch_id=access.branch().id)
    paybill.is_pull_enabled, paybill.pull_number = True, "0722000000"
    paybill.save()
    access.portal()
    take(notice("HOUSE 7"), told_at)
    intent, secret = made()

    claimed = pay_pages.claim(secret=secret, receipt=RECEIPT, source=HERE, now=NOW)

    assert claimed == (pay_pages.Claim.HELD if is_alike else pay_pages.Claim.UNSEEN)
    assert InboundReceipt.objects.get().is_claimed_for(intent.code) is is_alike
