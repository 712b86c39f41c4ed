"""What becomes of a callback: verdicts that stand, and a ladder for those that belong to nothing yet."""

from datetime import timedelta

import pytest
from celery import current_app
from django.db import IntegrityError, connection, transaction
from django_fsm import TransitionNotAllowed

from apps.events.models import OutboxEvent
from apps.integrations import tasks
from apps.integrations.contracts import CallbackStatus
from apps.integrations.models import CallbackProcessing
from apps.integrations.selectors import exchanges
from apps.integrations.services import callbacks
from apps.kit import clock, ids
from tests.factories import access
from tests.factories.integrations import NOW
from tests.integrations.daraja import payload

LADDER = [5, 30, 120, 900]


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
        found.postpone(note="", at=NOW)


def test_the_database_knows_which_states_are_final(callback):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_callbackprocessing SET status = 'APPLIED'")


def test_an_unmatched_callback_is_announced_again_on_the_ladder_and_then_parked(callback):
    now = NOW
    for step, seconds in enumerate(LADDER, start=1):
        callbacks.mark(callback.id, CallbackStatus.UNMATCHED, "no attempt has this ticket", now=now)

        assert callbacks.rematch_due(now=now + timedelta(seconds=seconds - 1)) == 0
        now += timedelta(seconds=seconds)
        assert callbacks.rematch_due(now=now) == 1
        assert announced() == 1 + step
        assert callbacks.rematch_due(now=now + timedelta(days=1)) == 0
        assert not processing().is_parked

    callbacks.mark(callback.id, CallbackStatus.UNMATCHED, "still none", now=now)

    assert processing().is_parked
    assert callbacks.rematch_due(now=now + timedelta(days=1)) == 0
    assert announced() == 5


def test_a_match_on_the_ladder_ends_it(callback):
    callbacks.mark(callback.id, CallbackStatus.UNMATCHED, "?", now=NOW)
    callbacks.rematch_due(now=after(5))

    callbacks.mark(callback.id, CallbackStatus.APPLIED, "found", now=after(6), subject_id=ids.new())

    assert processing().status == "APPLIED"
    assert callbacks.rematch_due(now=after(3600)) == 0


def test_the_sweep_reaches_the_organisation(callback, monkeypatch):
    callbacks.mark(callback.id, CallbackStatus.UNMATCHED, "?", now=NOW)

    with clock.fixed(after(5)):
        tasks.rematch()

    assert announced() == 2


def test_the_tasks_have_names_queues_and_scope(settings):
    rematch, sweep = (current_app.tasks[f"integrations.{name}"] for name in ("rematch", "sweep"))

    assert (rematch.scope, sweep.scope) == ("tenant", "public")
    assert settings.CELERY_TASK_ROUTES[rematch.name] == {"queue": "events"}
    assert settings.CELERY_TASK_ROUTES[sweep.name] == {"queue": "default"}


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
