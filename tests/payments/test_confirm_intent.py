"""Confirm intent."""

import pytest

from apps.audit.models import AuditRecord
from apps.kit import errors, ids
from apps.kit.actors import SYSTEM
from apps.payments.contracts import Choice, IntentStatus, Method
from apps.payments.models import phone as phone_number
from apps.payments.services import choices, intents
from tests.factories import payments

OTHER = Choice(Method.MPESA, "0700 000 001", "Achieng Otieno")


def confirm(intent, choice=None):
    return intents.confirm(intent_id=intent.id, choice=choice, actor=SYSTEM, now=payments.NOW)


def test_starts_the_collection(acme):
    intent = payments.intent(is_confirmed=False)

    confirm(intent)

    found = payments.reload(intent.id)
    assert found.status == IntentStatus.PROCESSING
    assert found.next_request_at == payments.NOW
    assert AuditRecord.objects.filter(action="payment.confirmed").count() == 1


def test_takes_the_method_that_was_missing(acme):
    intent = payments.intent(choice=None, is_confirmed=False)

    assert confirm(intent, OTHER).payer_phone == "+254700000001"


def test_takes_another_payer(acme):
    intent = payments.intent(is_confirmed=False)

    assert confirm(intent, OTHER).payer_name == "Achieng Otieno"


def test_refuses_without_a_method(acme):
    intent = payments.intent(choice=None, is_confirmed=False)

    with pytest.raises(choices.MethodRequired):
        confirm(intent)

    assert payments.reload(intent.id).status == IntentStatus.REQUIRES_METHOD


def test_refuses_a_wrong_phone(acme):
    intent = payments.intent(is_confirmed=False)

    with pytest.raises(phone_number.PhoneInvalid):
        confirm(intent, Choice(Method.MPESA, "12"))

    assert payments.reload(intent.id).status == IntentStatus.REQUIRES_CONFIRMATION


def test_refuses_the_second_time(acme):
    intent = payments.intent()

    with pytest.raises(intents.InvalidState, match="processing"):
        confirm(intent)


def test_refuses_what_does_not_exist(acme):
    with pytest.raises(errors.NotFound):
        intents.confirm(intent_id=ids.new(), actor=SYSTEM, now=payments.NOW)
