"""A check is answered at once: by whoever decides, else by the account's default; it is kept, and books nothing."""

import pytest
from django.db import connection
from django.test import Client

from apps.events.models import OutboxEvent
from apps.integrations.contracts import CallbackStatus
from apps.integrations.models import ProviderCallback
from apps.integrations.ports import InboundCheck
from apps.kit import errors
from apps.kit.money import Money
from tests.factories.integrations import provider_account
from tests.integrations.daraja import payload

BODY = payload("c2b_validation.json")
HERE = "tests.integrations.test_answer_check"


def knows_no_such_account(*, report, **_):
    assert (report.receipt, report.money) == ("RKL51ZDR4F", Money(5_00, "KES"))
    return InboundCheck.BAD_ACCOUNT


def refuses(**_):
    raise errors.NotFound("There is no such thing.")


def waits_for_ever(**_):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(60)")


@pytest.fixture
def ask(acme, in_organisation, settings):
    """Return a function that sends a check to an account and returns answer and callback."""

    def send(account=None, body=BODY, *, decider="", token=""):
        settings.TREASURY = {
            **settings.TREASURY,
            "INBOUND_CHECK": decider and f"{HERE}.{decider}",
        }
        path = f"/hooks/{acme.id.hex}/{token or account.callback_token}/check"
        answer = Client().post(path, body, content_type="application/json")
        in_organisation("acme")
        return answer.json(), ProviderCallback.objects.select_related("processing").latest("id")

    return send


def test_the_decision_is_the_answer_and_is_written_down(ask):
    answer, callback = ask(provider_account(), decider="knows_no_such_account")

    assert answer == {"ResultCode": "C2B00012", "ResultDesc": "Rejected"}
    assert (bytes(callback.body), callback.kind) == (BODY, "check")
    assert callback.processing.status == CallbackStatus.APPLIED
    assert callback.processing.note == "Answered BAD_ACCOUNT."
    assert not OutboxEvent.objects.filter(type="provider_callback_received").exists()


@pytest.mark.parametrize(
    ("decider", "note"),
    [
        ("", "by default."),
        ("refuses", "by default: NotFound."),
        ("waits_for_ever", "by default: OperationalError."),
    ],
)
@pytest.mark.parametrize("is_accepted", [True, False])
def test_without_a_decision_the_accounts_default_answers(ask, monkeypatch, decider, note, is_accepted):
    monkeypatch.setattr("apps.integrations.services.checks.BUDGET", "100ms")
    account = provider_account(is_accepted_by_default=is_accepted)

    answer, callback = ask(account, decider=decider)

    said = {"ResultCode": "0", "ResultDesc": "Accepted", "ThirdPartyTransID": callback.id.hex}
    refused = {"ResultCode": "C2B00016", "ResultDesc": "Rejected"}
    assert answer == (said if is_accepted else refused)
    assert callback.processing.note == f"Answered {'ACCEPT' if is_accepted else 'OTHER'} {note}"


def test_what_cannot_be_read_is_kept_and_answered_by_default(ask):
    account = provider_account()

    for body in (b"<html>", b"[]", b'{"TransID": "RKL51ZDR4F"}'):
        answer, callback = ask(account, body, decider="refuses")

        assert answer["ResultCode"] == "0"
        assert callback.processing.status == CallbackStatus.MALFORMED


def test_a_token_of_no_account_is_kept_as_forged_and_answered_like_any_callback(ask):
    answer, callback = ask(token="0" * 32, decider="knows_no_such_account")

    assert answer == {"ResultCode": 0, "ResultDesc": "Accepted"}
    assert callback.processing.status == CallbackStatus.FORGED
