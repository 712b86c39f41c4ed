"""Pull transactions: what the provider lists settles what nobody answered, once, and never by guess."""

from datetime import timedelta

import pytest
from celery.signals import before_task_publish

from apps.integrations.models import ProviderAccount, ProviderCall
from apps.integrations.ports import StatementRow
from apps.kit.actors import PROVIDER
from apps.kit.money import Money
from apps.payments.contracts import Choice, IntentStatus, Method
from apps.payments.models import PullCursor, PulledTransaction
from apps.payments.services import attempts, evidence, intents, pulls
from tests.factories import access, payments
from tests.payments.conftest import bookings, books, told
from tests.payments.test_two_connections import at_once

NOW = payments.NOW + timedelta(minutes=20)
PULL = "/pulltransactions/v1/query"


def row(attempt, **facts):
    return StatementRow(
        **{
            "receipt": "NLJ7RT61SV",
            "money": payments.KES_1500,
            "reference": attempt.code,
            "payer": "2547 ***** 678",
            "told_at": "2026-11-24T10:41:00Z",
            "kind": "c2b-pay-bill-debit",
            **facts,
        }
    )


def take(attempt, **facts):
    return evidence.take(account_id=attempt.provider_account_id, row=row(attempt, **facts), now=NOW)


def unmatched(pulled, word):
    assert pulled.attempt_id is None
    assert word in pulled.note


@pytest.fixture
def unknown(acme):
    attempt = payments.sending()
    attempts.lose(attempt_id=attempt.id, now=payments.NOW)
    return payments.reloaded(attempt)


@pytest.fixture
def pulling(rail):
    """Return the rail with an account whose movements are listed."""
    rail.control("POST", "/clock", {"at": payments.NOW.isoformat(), "stopped": True})
    ProviderAccount.objects.update(is_pull_enabled=True, pull_number="0722000000")
    return rail


def paid_without_a_word(rail, suffix="782"):
    """Return an intent that was paid while nobody told us."""
    intent = payments.intent(choice=Choice(Method.MPESA, f"254700000{suffix}"))
    intents.request(intent_id=intent.id, now=payments.NOW)
    rail.tick(3)
    return payments.reload(intent.id)


def pull(rail, now=NOW):
    pulls.pull(account_id=rail.account.id, now=now)


def test_settles_what_was_unknown(unknown):
    pulled = take(unknown)

    intent = payments.reload(unknown.intent_id)
    assert (pulled.attempt_id, pulled.note) == (unknown.id, "")
    assert (intent.status, intent.current_attempt.provider_receipt) == (IntentStatus.SUCCEEDED, "NLJ7RT61SV")
    assert told(intent.id)[-2:] == ["payment_captured", "payment_success"]


def test_takes_a_movement_once(unknown):
    take(unknown)

    assert take(unknown) is None
    assert (PulledTransaction.objects.count(), bookings()) == (1, 1)


def test_fills_in_a_missing_receipt(acme):
    attempt = payments.waiting()
    report = payments.collected(attempt, money=None, receipt="")
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)

    take(attempt)

    found = payments.reloaded(attempt)
    assert (found.provider_receipt, found.is_amount_reported) == ("NLJ7RT61SV", True)
    assert bookings() == 1


def test_corrects_a_sum_that_was_assumed_after_the_movement_was_listed(acme):
    attempt = payments.waiting()
    unmatched(take(attempt, money=Money(77_00, "KES")), "asked for KES")
    report = payments.collected(attempt, money=None, receipt="")
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)

    assert take(attempt, money=Money(77_00, "KES")) is None

    found = payments.reloaded(attempt)
    assert (found.received, found.provider_receipt) == (Money(77_00, "KES"), "NLJ7RT61SV")
    assert PulledTransaction.objects.count() == 1


def test_is_a_late_success_after_a_failure(acme):
    attempt = payments.waiting()
    report = payments.declined(attempt)
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)

    take(attempt)

    assert payments.reload(attempt.intent_id).is_late is True


def test_a_payment_that_is_known_is_matched_and_booked_no_more(acme):
    attempt = payments.waiting()
    report = payments.collected(attempt, receipt="NLJ7RT61SV")
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)

    assert take(attempt, reference="TYPED BY HAND").attempt_id == attempt.id
    assert bookings() == 1


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"reference": "INV-7"}, "Nothing was asked for"),
        ({"reference": ""}, "Nothing was asked for"),
        ({"money": Money(1400_00, "KES")}, "asked for KES"),
    ],
)
def test_nothing_is_booked_by_guess(unknown, facts, word):
    unmatched(take(unknown, **facts), word)

    assert payments.reload(unknown.intent_id).status == IntentStatus.UNKNOWN
    assert bookings() == 0


def test_a_second_payment_under_one_code_is_for_people(acme):
    attempt = payments.waiting()
    report = payments.collected(attempt)
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)

    unmatched(take(attempt, receipt="NLJ7RT61SW"), "came beside it")

    assert bookings() == 1


def test_the_code_of_another_account_is_not_ours(unknown):
    other = payments.account(branch_id=access.branch().id)

    unmatched(evidence.take(account_id=other.id, row=row(unknown), now=NOW), "Nothing was asked for")


def test_nothing_is_kept_when_the_booking_fails(unknown, monkeypatch):
    def broken(**_):
        raise RuntimeError("the database went away")

    monkeypatch.setattr(intents.journals, "post", broken)

    with pytest.raises(RuntimeError):
        take(unknown)

    assert not PulledTransaction.objects.exists()
    assert payments.reload(unknown.intent_id).status == IntentStatus.UNKNOWN


def test_two_readers_take_a_movement_once(committed_acme):
    attempt = payments.sending()
    attempts.lose(attempt_id=attempt.id, now=payments.NOW)

    results = at_once(*[lambda: take(attempt)] * 4)

    assert sum(result is not None for result in results) == 1
    assert (PulledTransaction.objects.count(), bookings()) == (1, 1)


def test_asks_the_simulator_and_settles(pulling):
    intent = paid_without_a_word(pulling)
    assert intent.status == IntentStatus.UNKNOWN

    pull(pulling)

    assert payments.reload(intent.id).status == IntentStatus.SUCCEEDED
    assert books()["PROVIDER_BALANCE"] == pulling.statement()["closing_balance"]
    cursor = PullCursor.objects.get()
    assert (cursor.pulled_until, cursor.registered_at, cursor.leased_until) == (NOW, NOW, None)


def test_registers_once_and_reads_half_an_hour_again(pulling):
    paid_without_a_word(pulling)
    pull(pulling)

    pull(pulling, NOW + timedelta(minutes=15))

    asked = list(
        ProviderCall.objects.filter(kind="pull").order_by("id").values_list("request_body", flat=True)
    )
    assert ProviderCall.objects.filter(kind="pull_register").count() == 1
    assert '"StartDate": "2026-11-22 11:01:00"' in asked[0]
    assert '"StartDate": "2026-11-24 10:31:00"' in asked[1]
    assert PulledTransaction.objects.count() == 1


def test_begins_where_it_began_when_nobody_answered(pulling):
    paid_without_a_word(pulling)
    pulling.script({"action": "html_error"}, path=PULL)

    pull(pulling)
    cursor = PullCursor.objects.get()
    assert (cursor.pulled_until, cursor.leased_until) == (None, None)
    assert cursor.failure_code
    pull(pulling, NOW + timedelta(minutes=15))

    assert PullCursor.objects.get().failure_code == ""
    assert PulledTransaction.objects.count() == 1


def test_reads_only_one_at_a_time(pulling):
    PullCursor.objects.create(provider_account=pulling.account, leased_until=NOW + timedelta(minutes=1))

    pull(pulling)

    assert not ProviderCall.objects.exists()


def test_an_account_that_is_not_listed_is_left_alone(rail):
    pull(rail)

    assert not ProviderCall.objects.exists()


def test_nobody_knowing_is_a_reason_to_read(pulling, django_capture_on_commit_callbacks):
    started = []

    def keep(sender, **_):
        started.append(sender)

    before_task_publish.connect(keep)
    with django_capture_on_commit_callbacks(execute=True):
        paid_without_a_word(pulling)
    before_task_publish.disconnect(keep)

    assert "payments.pull_organisation" in started
