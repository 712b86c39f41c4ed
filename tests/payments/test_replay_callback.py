"""Replay callback: what is stored is read again by the same road, and has its effect once."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django_fsm import TransitionNotAllowed

from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.integrations.contracts import CallbackStatus
from apps.integrations.models import CallbackProcessing, ProviderAccount, ProviderCallback
from apps.integrations.services import callbacks as inbox
from apps.integrations.services import providers, replays
from apps.jobs.models import Job
from apps.kit import ids
from apps.kit.actors import person
from apps.ledger.models import Entry, Transaction
from apps.payments.contracts import AttemptStatus, IntentStatus
from apps.payments.models import InboundReceipt, PaymentAttempt, PaymentIntent, Refund
from tests import dialogs
from tests.factories import access, jobs, payments, refunds
from tests.payments.conftest import bookings, deliver, is_untouched, told
from tests.payments.test_apply_callback import SAID, reversal, stk
from tests.payments.test_inbound_receipts import c2b
from tests.payments.test_two_connections import at_once

NOW = payments.NOW + timedelta(minutes=5)
LIST = "/portal/integrations/providercallback/"
WHY = "The adapter has been mended"
BOOKS = (Transaction, Entry, PaymentIntent, PaymentAttempt, InboundReceipt, Refund, OutboxEvent)


def stored(token, kind, body):
    deliver(token, kind, body)
    return ProviderCallback.objects.latest("id")


def unread(monkeypatch, receipt="NLJ7RT61SV"):
    """Return a waiting attempt and a true callback of it that our adapter did not understand when it came."""
    attempt = payments.waiting()
    with monkeypatch.context() as broken:
        broken.setitem(providers.PORTS, "mpesa", {})
        callback = stored(attempt.callback_token, "collection", stk(attempt.ticket, receipt=receipt))
    assert verdict(callback) == CallbackStatus.MALFORMED
    return attempt, callback


def set_aside(callback):
    """Let a callback wait for people."""
    processing = CallbackProcessing.objects.get(callback_id=callback.id)
    processing.reopen()
    processing.save()
    inbox.mark(callback.id, CallbackStatus.UNMATCHED, "Nobody knows.", now=NOW)


def verdict(callback):
    return CallbackProcessing.objects.get(callback_id=callback.id).status


def replay(callback, by=None):
    return replays.replay(callback_id=callback.id, actor=by or person(ids.new()), now=NOW, reason=WHY)


def rows():
    return {model: list(model.objects.order_by("pk").values()) for model in BOOKS}


@pytest.fixture
def enter(acme, in_organisation):
    """Return a function that signs a member in and comes back to the organisation after each request."""

    def sign_in(role="owner"):
        client = Client(HTTP_HOST="acme.testserver", headers={"hx-request": "true"})
        client.force_login(access.member(role).user, backend="apps.access.backend.MembershipBackend")

        def request(method, path, data=None):
            answer = getattr(client, method)(path, data or {})
            in_organisation("acme")
            return answer

        return request

    return sign_in


def test_ten_replays_of_all_that_came_change_nothing(acme):
    access.portal()
    paid, failed, doubled = payments.waiting(), payments.waiting(), payments.waiting()
    deliver(paid.callback_token, "collection", stk(paid.ticket))
    deliver(paid.callback_token, "collection", stk(paid.ticket))
    deliver(failed.callback_token, "collection", stk(failed.ticket, 1032))
    deliver(doubled.callback_token, "collection", stk(doubled.ticket, receipt="NLJ7RT61AA"))
    deliver(doubled.callback_token, "collection", stk(doubled.ticket, receipt="NLJ7RT61BB"))
    deliver(paid.callback_token, "collection", b"{")
    given = refunds.pending()
    deliver(given.callback_token, "refund", reversal(given))
    account = ProviderAccount.objects.order_by("id").first()
    for reference, receipt in (("nobody knows", "SKH1XY7PQ2"), (payments.intent().code, "SKH1XY7PQ3")):
        deliver(account.callback_token, "c2b", c2b(reference, account, TransID=receipt))
    deliver(account.callback_token, "weather", {})
    came = list(ProviderCallback.objects.order_by("id"))
    before, verdicts = rows(), {callback.id: verdict(callback) for callback in came}
    assert {*verdicts.values()} == {"APPLIED", "DUPLICATE", "UNMATCHED", "MALFORMED", "IGNORED"}

    for _ in range(10):
        for callback in came:
            replay(callback)

    assert rows() == before
    assert {callback.id: verdict(callback) for callback in came} == verdicts


def test_what_an_adapter_did_not_understand_is_applied_once_it_does(acme, monkeypatch):
    attempt, callback = unread(monkeypatch)
    amina = person(ids.new())

    found = replay(callback, amina)
    replay(callback, amina)

    assert (found.status, found.finished_at, found.subject_id) == ("APPLIED", NOW, attempt.id)
    assert payments.reload(attempt.intent_id).status == IntentStatus.SUCCEEDED
    assert (bookings(), told(attempt.intent_id)) == (1, SAID)
    first, second = AuditRecord.objects.filter(action="provider_callback.replayed").order_by("id")
    assert (first.changes, second.changes) == (
        {"status": ["MALFORMED", "APPLIED"]},
        {"status": ["APPLIED", "APPLIED"]},
    )
    assert (first.person, first.reason, first.object_id) == (amina.person, WHY, str(callback.id))


def test_what_is_forged_or_was_a_question_is_refused(acme):
    attempt = payments.waiting()
    account = ProviderAccount.objects.get()
    forged = stored(ids.token(), "collection", stk(attempt.ticket))
    question = stored(account.callback_token, "check", c2b(attempt.code, account))
    before = rows()

    with pytest.raises(replays.CallbackForged):
        replay(forged)
    with pytest.raises(replays.CallbackAnswered):
        replay(question)
    with pytest.raises(inbox.CallbackUnknown):
        replays.replay(callback_id=ids.new(), actor=person(ids.new()), now=NOW, reason=WHY)

    assert (verdict(forged), rows()) == ("FORGED", before)
    assert not AuditRecord.objects.filter(action="provider_callback.replayed").exists()


def test_nothing_is_kept_while_the_credentials_cannot_be_opened(acme, monkeypatch):
    attempt, callback = unread(monkeypatch)
    ProviderAccount.objects.update(sealed_credentials=b"sealed with a key that is gone")

    with pytest.raises(replays.CallbackSealed):
        replay(callback)

    assert verdict(callback) == "MALFORMED"
    assert payments.reloaded(attempt).status == AttemptStatus.ACTION_REQUIRED
    assert is_untouched()


def test_two_people_at_once_book_it_once(committed_acme, monkeypatch):
    attempt, callback = unread(monkeypatch)

    found = at_once(*[lambda: replay(callback)] * 4)

    assert [one.status for one in found] == ["APPLIED"] * 4
    assert (bookings(), told(attempt.intent_id)) == (1, SAID)


def test_a_job_replays_all_that_waits_and_stops_at_none(acme, monkeypatch):
    access.portal()
    owner = access.member("owner").user
    waiting = []
    for receipt in ("NLJ7RT61AA", "NLJ7RT61AA", "NLJ7RT61BB"):
        _, callback = unread(monkeypatch, receipt)
        set_aside(callback)
        waiting.append(callback)

    job = replays.start(caller=owner, actor=person(owner.id), now=NOW, reason=WHY)
    instants = iter(NOW + timedelta(seconds=second) for second in range(1, 99))
    jobs.work(job, now=NOW, read_clock=instants.__next__)

    job = jobs.reloaded(job)
    assert (job.status, job.done, job.failed, job.total) == ("SUCCEEDED", 3, 0, 3)
    read_at = [CallbackProcessing.objects.get(callback_id=callback.id).finished_at for callback in waiting]
    assert NOW < read_at[0] < read_at[1] < read_at[2]
    assert [verdict(callback) for callback in waiting] == ["APPLIED", "FORGED", "APPLIED"]
    said = AuditRecord.objects.filter(action="provider_callback.replayed")
    assert {(one.person, one.reason) for one in said} == {(str(owner.id), WHY)}
    with pytest.raises(replays.NothingWaits):
        replays.start(caller=owner, actor=person(owner.id), now=NOW, reason=WHY)


def stuck(**_):
    """Read a callback whose payment is in a state that knows no way on."""
    raise TransitionNotAllowed("no way from here")


def test_a_job_leaves_what_cannot_go_on_to_people(acme, monkeypatch, settings):
    access.portal()
    owner = access.member("owner").user
    _, callback = unread(monkeypatch)
    set_aside(callback)
    settings.TREASURY = {**settings.TREASURY, "CALLBACK_READER": f"{__name__}.stuck"}

    job = replays.start(caller=owner, actor=person(owner.id), now=NOW, reason=WHY)
    jobs.work(job, now=NOW)

    job = jobs.reloaded(job)
    assert (job.status, job.done, job.failed) == ("SUCCEEDED", 1, 1)
    assert verdict(callback) == CallbackStatus.UNMATCHED


def test_a_person_replays_callbacks_from_the_portal(enter, monkeypatch):
    access.portal()
    request = enter()
    (first, one), (second, other) = unread(monkeypatch), unread(monkeypatch, "NLJ7RT61BB")
    url = f"{LIST}{one.id}/do/replay/"

    done = request("post", url, {**dialogs.hidden(request("get", url)), "reason": WHY})

    assert (done.status_code, payments.reload(first.intent_id).status) == (204, IntentStatus.SUCCEEDED)
    many = f"{LIST}do/replay/?_selected_action={one.id}&_selected_action={other.id}"
    asked = {**dialogs.hidden(request("get", many)), "reason": WHY}
    assert request("post", many, asked).status_code == 204
    assert payments.reload(second.intent_id).status == IntentStatus.SUCCEEDED
    assert bookings() == 2
    url = f"{LIST}do/replay-waiting/"
    stored(first.callback_token, "collection", stk(first.ticket, receipt="NLJ7RT61ZZ"))
    started = request("post", url, {**dialogs.hidden(request("get", url)), "reason": WHY})
    assert started.headers["HX-Redirect"] == reverse("portal-job", args=[Job.objects.get().id])
    assert "?status=UNMATCHED" in request("get", LIST).content.decode()


def test_who_only_looks_replays_nothing(enter, monkeypatch):
    _, callback = unread(monkeypatch)
    request = enter("auditor")

    assert request("get", f"{LIST}{callback.id}/do/replay/").status_code == 403
    assert request("get", f"{LIST}do/replay-waiting/").status_code == 403
    assert verdict(callback) == "MALFORMED"
