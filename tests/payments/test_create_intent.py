"""Create intent."""

import pytest

from apps.events.models import OutboxEvent
from apps.integrations.services import accounts
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import Choice, IntentStatus, Method
from apps.payments.models import PaymentIntent
from apps.payments.models import phone as phone_number
from apps.payments.services import choices, intents, limits, references
from tests.factories import access, payments
from tests.payments.conftest import told


@pytest.fixture
def open_account(acme):
    return payments.account()


def create(**facts):
    return intents.create(request=payments.wanted(**facts), actor=SYSTEM, now=payments.NOW)


def refused(error, **facts):
    """Create and expect a refusal that leaves nothing; return its field error."""
    with pytest.raises(error) as refusal:
        create(**facts)
    assert not PaymentIntent.objects.exists()
    assert not OutboxEvent.objects.exists()
    return refusal.value.errors[0]


def test_is_confirmed_at_once(open_account):
    intent = create(reference="ORD-1", description="Lunch", metadata={"table": "7"})

    intent = payments.reload(intent.id)
    assert intent.status == IntentStatus.PROCESSING
    assert intent.money == payments.KES_1500
    assert (intent.method, intent.payer_phone, intent.payer_name) == ("MPESA", "+254712345678", "Njeri Kamau")
    assert intent.next_request_at == intent.confirmed_at == payments.NOW
    assert intent.created_by == "system:treasury"
    assert told(intent.id) == ["payment_intent_created"]


def test_waits_for_confirmation_when_told_to(open_account):
    intent = create(is_confirmed=False)

    assert intent.status == IntentStatus.REQUIRES_CONFIRMATION
    assert intent.next_request_at is None
    assert intent.expires_at == payments.NOW + intents.CONFIRM_WITHIN


def test_waits_for_a_method_when_it_has_none(open_account):
    assert create(choice=None, is_confirmed=False).status == IntentStatus.REQUIRES_METHOD


def test_names_the_application_and_branch_of_the_event(open_account):
    intent = create()

    event = OutboxEvent.objects.get()
    assert (event.branch_id, event.application_id) == (intent.branch_id, intent.application_id)


def test_uses_the_account_of_head_office_for_a_branch_without_one(open_account):
    assert create(branch_id=access.branch().id).status == IntentStatus.PROCESSING


@pytest.mark.parametrize(
    ("minor", "error", "code"),
    [
        (1500_50, limits.AmountNotWhole, "amount_not_whole"),
        (9_00, limits.AmountTooSmall, "amount_too_small"),
        (0, limits.AmountTooSmall, "amount_too_small"),
        (-1500_00, limits.AmountTooSmall, "amount_too_small"),
        (250_001_00, limits.AmountTooLarge, "amount_too_large"),
    ],
)
def test_refuses_a_sum_that_the_rail_cannot_collect(open_account, minor, error, code):
    found = refused(error, money=Money(minor, "KES"))

    assert (found.pointer, found.code) == ("/amount", code)


@pytest.mark.parametrize("minor", [10_00, 250_000_00])
def test_takes_the_smallest_and_the_largest_sum(open_account, minor):
    assert create(money=Money(minor, "KES")).amount_minor == minor


@pytest.mark.parametrize(
    "phone", ["", "0812345678", "+255712345678", "071234567", "hello", "\N{FULLWIDTH DIGIT ZERO}712345678"]
)
def test_refuses_what_is_no_kenyan_mobile_number(open_account, phone):
    found = refused(phone_number.PhoneInvalid, choice=Choice(Method.MPESA, phone))

    assert (found.pointer, found.code) == ("/payer/phone", "phone_invalid")


@pytest.mark.parametrize(
    "phone", ["0712 345 678", "712345678", "254712345678", "+254 (712) 345-678", "0712.345.678"]
)
def test_writes_phones_in_one_form(open_account, phone):
    assert create(choice=Choice(Method.MPESA, phone)).payer_phone == "+254712345678"


def test_refuses_a_currency_that_no_account_collects(open_account):
    found = refused(choices.MethodNotAvailable, money=Money(15_00, "USD"))

    assert (found.pointer, found.code) == ("/method", "method_not_available")


def test_refuses_when_the_account_is_disabled(open_account):
    accounts.disable(account_id=open_account.id, actor=SYSTEM, now=payments.NOW)

    refused(choices.MethodNotAvailable)


def test_refuses_to_confirm_without_a_method(open_account):
    assert refused(choices.MethodRequired, choice=None).code == "method_required"


def test_refuses_a_reference_that_the_application_has_used(open_account):
    first = create(reference="ORD-1")

    with pytest.raises(references.DuplicateReference) as refusal:
        create(reference="ORD-1")

    assert str(first.id) not in refusal.value.detail
    assert refusal.value.errors[0].pointer == "/reference"
    assert PaymentIntent.objects.count() == 1
    assert OutboxEvent.objects.count() == 1


def test_lets_another_application_use_the_same_reference(open_account):
    create(reference="ORD-1")
    create(reference="ORD-1", application_id=access.application("till").id)

    assert PaymentIntent.objects.count() == 2


def test_lets_many_intents_have_no_reference(open_account):
    create()
    create()

    assert PaymentIntent.objects.count() == 2
