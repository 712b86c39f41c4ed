"""What becomes of a callback: verdicts that stand, and those that wait for people."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django_fsm import TransitionNotAllowed
from structlog.testing import capture_logs

from apps.events.models import OutboxEvent
from apps.integrations.contracts import CallbackStatus
from apps.integrations.models import CallbackProcessing
from apps.integrations.selectors import exchanges
from apps.integrations.services import callbacks
from apps.kit import ids
from tests.factories import access
from tests.factories.integrations import NOW
from tests.integrations.daraja import payload


@pytest.fixture
def callback(acme):
    return store()


def store():
    return callbacks.store(
        token="3f9c00ab3f9c00ab3f9c00ab3f9c00ab",
        kind="stk",
        body=payload("stk_callback_success.json"),
        headers={"Host": "pay.example.test"},
        remote_ip="196.201.214.200",
        now=NOW,
    )


def after(seconds):
    return NOW + timedelta(seconds=seconds)


def announced():
    return OutboxEvent.objects.filter(type="provider_callback_received").count()


def processing():
    return CallbackProcessing.objects.get()


def test_gives_back_what_came_in(callback):
    found = callbacks.get(callback.id)

    assert found == callback
    assert found.body == payload("stk_callback_success.json")
    assert (found.kind, found.received_at, found.remote_ip) == ("stk", NOW, "196.201.214.200")


@pytest.mark.parametrize("verdict", ["APPLIED", "DUPLICATE", "FORGED", "MALFORMED", "IGNORED"])
def test_a_verdict_is_kept_with_its_subject(callback, verdict):
    subject = ids.new()

    callbacks.mark(callback.id, CallbackStatus(verdict), "why", now=after(1), subject_id=subject)

    found = processing()
    assert (found.status, found.note, found.subject_id, found.finished_at) == (
        verdict,
        "why",
        subject,
        after(1),
    )


def test_the_first_verdict_stands(callback):
    callbacks.mark(callback.id, CallbackStatus.APPLIED, "booked", now=after(1), subject_id=ids.new())

    callbacks.mark(callback.id, CallbackStatus.DUPLICATE, "again", now=after(2))
    callbacks.mark(callback.id, CallbackStatus.UNMATCHED, "?", now=after(3))

    assert (processing().status, processing().note) == ("APPLIED", "booked")
    assert processing().finished_at == after(1)


def test_a_verdict_of_a_transaction_that_fails_is_not_kept(callback):
    def apply_and_fail():
        with transaction.atomic():
            callbacks.mark(callback.id, CallbackStatus.APPLIED, now=after(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        apply_and_fail()

    assert processing().status == "RECEIVED"


def test_an_unknown_callback_has_no_verdict(acme):
    with pytest.raises(callbacks.CallbackUnknown):
        callbacks.mark(ids.new(), CallbackStatus.APPLIED, now=NOW)


def test_the_state_changes_by_transition_only(callback):
    found = processing()

    with pytest.raises(AttributeError):
        found.status = "APPLIED"
    found.finish(verdict=CallbackStatus.FORGED, note="", subject_id=None, at=NOW)
    with pytest.raises(TransitionNotAllowed):
        found.set_aside(note="", subject_id=None)


def test_the_database_knows_which_states_are_final(callback):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_callbackprocessing SET status = 'APPLIED'")


def test_an_unmatched_callback_waits_for_people_until_a_verdict_ends_it(callback):
    subject = ids.new()

    with capture_logs() as lines:
        callbacks.mark(callback.id, CallbackStatus.UNMATCHED, "a second payment", now=NOW, subject_id=subject)

    found = processing()
    assert (found.status, found.note, found.subject_id, found.finished_at) == (
        "UNMATCHED",
        "a second payment",
        subject,
        None,
    )
    assert [line["event"] for line in lines] == ["callback_unmatched"]
    assert announced() == 1

    callbacks.mark(callback.id, CallbackStatus.APPLIED, "found", now=after(6))

    assert (processing().status, processing().subject_id) == ("APPLIED", subject)


def test_a_timeline_shows_it_with_a_masked_phone(callback):
    subject = ids.new()
    callbacks.mark(callback.id, CallbackStatus.APPLIED, "booked", now=after(1), subject_id=subject)
    store()

    (fact,) = exchanges.callbacks_of([subject])

    assert (fact.id, fact.status, fact.note) == (callback.id, "APPLIED", "booked")
    assert "254708374149" not in fact.body
    assert "2547*****149" in fact.body
    assert "NLJ7RT61SV" in fact.body


def test_a_member_of_one_branch_sees_no_callback_of_others(callback):
    callbacks.mark(callback.id, CallbackStatus.APPLIED, now=after(1), subject_id=ids.new())
    everywhere = access.member().user
    elsewhere = access.member(email="juma@example.test", branches=(access.branch(),)).user

    assert exchanges.callbacks_visible_to(everywhere).count() == 1
    assert exchanges.callbacks_visible_to(elsewhere).count() == 0
