"""Put things right: what an operator does at night has the effect that its words promise, and no other."""

from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.db import connection

from apps.access.models import ApiKey, Membership
from apps.access.services import api_keys
from apps.accounts.services import entry_links, users
from apps.approvals.contracts import ApprovalStatus
from apps.audit.models import AuditRecord
from apps.events.models import EventDelivery, WebhookDelivery, WebhookEndpoint
from apps.events.services import relay, webhook_endpoints
from apps.integrations.models import CallbackProcessing, ProviderAccount
from apps.integrations.services import accounts, callbacks, providers
from apps.jobs.contracts import JobStatus
from apps.kit import clock, ids
from apps.kit.actors import PROVIDER, SYSTEM
from apps.payments.contracts import IntentStatus, RefundStatus
from apps.payments.models import PaymentAttempt
from apps.payments.services import attempts, choices, intents, refunds
from apps.portal.selectors import words
from apps.tenancy.models import DataKey
from tests.factories import access, approvals, integrations, jobs, payments
from tests.factories import events as factory
from tests.factories import refunds as giving_back
from tests.operations.operate import AT, OPERATOR, REASON, change, operate
from tests.operations.stage import TENANT, dead_letter, given_up, unmatched
from treasury.operations import parsing


@pytest.fixture
def do(acme):
    """Return a function that does a command from outside of acme, and enters it again."""

    def run(*asked: str):
        connection.set_schema_to_public()
        done = change(*asked, *TENANT)
        connection.set_tenant(acme)
        return done

    return run


def test_requeue_runs_every_dead_delivery_of_a_handler(do):
    first, second = dead_letter(), dead_letter()

    done = do("outbox", "requeue", "--handler", first.handler)
    while relay.run_due(queue="events", now=AT):
        pass

    assert "2 deliveries to tests.events.handlers.write run again." in done.out
    rows = EventDelivery.objects.filter(id__in=[first.id, second.id])
    assert set(rows.values_list("status", flat=True)) == {"DONE"}


def test_replay_reads_what_waits_again(do):
    stored = unmatched()

    done = do("callback", "replay", "--waiting")

    assert "1 read again." in done.out
    assert callbacks.get(stored.id).body == b"{}"
    assert CallbackProcessing.objects.get().status == "MALFORMED"
    assert AuditRecord.objects.get(action="provider_callback.replayed").reason == REASON
    assert do("callback", "replay").code == 2


@pytest.mark.parametrize("more", [(), ("x", "--handler", "y")])
def test_requeue_wants_one_delivery_or_one_handler(do, more):
    done = do("outbox", "requeue", *more)

    assert (done.code, "--handler" in done.err) == (2, True)


def test_skip_says_what_is_given_up(do):
    row = dead_letter()

    assert do("outbox", "skip", str(row.id)).code == 0

    row.refresh_from_db()
    assert row.status == "SKIPPED"
    assert AuditRecord.objects.get(action="event_delivery.skipped").reason == REASON


def test_a_delivery_that_is_not_dead_is_refused(do):
    row = dead_letter()
    do("outbox", "skip", str(row.id))

    done = do("outbox", "skip", str(row.id))

    assert (done.code, done.out) == (2, "")
    assert f"DELIVERY {row.id}: This delivery is skipped, not dead." in done.err


def test_retry_sends_all_that_one_endpoint_did_not_take(do):
    row = given_up()
    other = WebhookEndpoint.objects.get()

    done = do("webhook", "retry", "--endpoint", ids.encode("whe", other.id))

    row.refresh_from_db()
    assert (done.code, row.status, row.next_attempt_at) == (0, "PENDING", AT)
    assert WebhookDelivery.objects.count() == 1


def test_an_endpoint_is_closed_and_opened(do):
    endpoint = factory.endpoint().endpoint
    name = ids.encode("whe", endpoint.id)

    assert do("endpoint", "close", name).code == 0
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.disabled_reason) == ("DISABLED", REASON)
    assert do("endpoint", "close", name).code == 2

    assert do("endpoint", "open", name).code == 0
    endpoint.refresh_from_db()
    assert endpoint.status == "ENABLED"


def test_an_endpoint_is_closed_for_a_long_reason_which_the_trail_keeps_whole(acme, in_organisation):
    endpoint, reason = factory.endpoint().endpoint, "The partner moves. " * 20
    name = ids.encode("whe", endpoint.id)

    assert operate("endpoint", "close", name, *TENANT, "--as", OPERATOR, "--reason", reason).code == 0
    in_organisation("acme")

    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == reason[:200]
    assert AuditRecord.objects.get(action="webhook_endpoint.disabled").reason == reason.strip()


def test_a_closed_provider_account_refuses_new_payments_by_name(do):
    account = payments.account()

    done = do("provider", "close", account.number)

    assert "New payments of HQ are refused: method_not_available." in done.out
    with pytest.raises(choices.MethodNotAvailable):
        intents.create(request=payments.wanted(), actor=SYSTEM, now=payments.NOW)


def test_a_closed_account_of_a_branch_leaves_its_payments_to_head_office(do):
    payments.account()
    branch = access.branch()
    own = payments.account(branch_id=branch.id)

    done = do("provider", "close", own.number)

    assert "New payments of NBO-CBD go to M-Pesa paybill (" in done.out
    assert intents.create(request=payments.wanted(branch_id=branch.id), actor=SYSTEM, now=payments.NOW).id


def test_a_closed_account_still_books_what_is_under_way(do):
    attempt = payments.waiting()
    paid = giving_back.paid()
    refund = giving_back.pending(paid)
    for account in ProviderAccount.objects.all():
        do("provider", "close", account.number)

    intents.record(
        attempt_id=attempt.id, report=payments.collected(attempt), actor=PROVIDER, now=payments.NOW
    )
    refunds.record(
        refund_id=refund.id, report=giving_back.given_back(refund), actor=PROVIDER, now=payments.NOW
    )

    assert payments.reload(attempt.intent_id).status == IntentStatus.SUCCEEDED
    assert giving_back.reloaded(refund).status == RefundStatus.SUCCEEDED
    assert providers.collection(attempt.provider_account_id, now=payments.NOW) is not None
    assert providers.refund(paid.provider_account_id, now=payments.NOW) is not None


def test_a_closed_account_lets_what_waits_to_be_sent_fail_and_says_why(do):
    intent = payments.intent()
    do("provider", "close", ProviderAccount.objects.get().number)

    intents.request(intent_id=intent.id, now=payments.NOW)

    intent = payments.reload(intent.id)
    assert (intent.status, intent.failure_code) == (IntentStatus.FAILED, "method_not_available")
    assert PaymentAttempt.objects.exists() is False


def test_an_account_opens_again(do):
    account = integrations.provider_account()
    accounts.disable(account_id=account.id, actor=SYSTEM, now=payments.NOW)

    assert do("provider", "open", str(account.id)).code == 0

    account.refresh_from_db()
    assert account.is_enabled is True


def test_a_payment_is_asked_about_at_once(do):
    attempt = payments.waiting(now=AT)
    assert attempt.next_query_at > AT

    done = do("payment", "verify", ids.encode("pi", attempt.intent_id))

    assert done.code == 0
    assert payments.reloaded(attempt).next_query_at == AT


def test_a_payment_that_was_not_asked_about_in_its_time_is_asked_and_not_given_up(do):
    attempt = payments.waiting(now=AT - timedelta(hours=2))

    assert do("payment", "verify", ids.encode("pi", attempt.intent_id)).code == 0

    assert attempts.claim_query(attempt_id=attempt.id, now=AT) is not None
    assert payments.reloaded(attempt).status == attempt.status


def test_a_payment_of_which_nobody_knows_is_asked_about_again_however_late(do):
    attempt = payments.waiting()
    attempts.lose(attempt_id=attempt.id, now=payments.NOW)
    assert attempts.claim_query(attempt_id=attempt.id, now=AT).next_query_at is None
    name = ids.encode("pi", attempt.intent_id)

    assert do("payment", "verify", name).code == do("payment", "verify", name).code == 0

    assert attempts.claim_query(attempt_id=attempt.id, now=AT) is not None
    assert payments.reloaded(attempt).status == "UNKNOWN"
    assert AuditRecord.objects.filter(action="payment.query_requested").count() == 2


def test_a_payment_is_verified_by_a_receipt(do):
    attempt = payments.waiting()

    done = do("payment", "verify", attempt.code, "--receipt", "NLJ7RT61SV")

    assert done.code == 0
    assert payments.reloaded(attempt).claimed_receipt == "NLJ7RT61SV"


def test_a_payment_that_was_never_sent_has_nothing_to_ask_about(do):
    intent = payments.intent()

    done = do("payment", "verify", ids.encode("pi", intent.id))

    assert (done.code, done.out) == (2, "")
    assert "cannot be asked about" in done.err


def test_a_job_that_waits_is_stopped(do):
    job = jobs.waiting()

    assert do("job", "stop", ids.encode("job", job.id)).code == 0

    job = jobs.reloaded(job)
    assert (job.status, job.cancelled_by) == (JobStatus.CANCELLED, f"operator:{OPERATOR}")
    assert words.actor(job.cancelled_by) == "amina, the platform's operator"


def test_a_key_opens_nothing_any_more(do):
    issued = access.issued()

    assert do("key", "revoke", issued.key.prefix).code == 0

    assert ApiKey.objects.get().revoked_at == AT
    assert api_keys.authenticate(secret=issued.secret, now=AT) is None


def test_an_endpoint_gets_a_new_secret_and_a_rehearsal_tells_none(do):
    endpoint = factory.endpoint().endpoint
    rotate = ["key", "rotate-webhook", ids.encode("whe", endpoint.id), "--grace-hours", "0"]

    rehearsed = do(*rotate, "--dry-run")
    done = do(*rotate)

    assert "whsec_" not in rehearsed.out
    told = done.out.split("shown this once: ")[1].split()[0]
    endpoint.refresh_from_db()
    [key] = webhook_endpoints.signing_keys(endpoint, AT + timedelta(seconds=1))
    assert told == webhook_endpoints.signatures.secret_text(key)


@pytest.mark.parametrize("hours", ["-1", "169"])
def test_a_grace_that_cannot_be_is_refused(do, hours):
    endpoint = factory.endpoint().endpoint

    with pytest.raises(parsing.UsageRefused, match=r"--grace-hours: .* is not 0 to 168"):
        do("key", "rotate-webhook", ids.encode("whe", endpoint.id), "--grace-hours", hours)


def test_a_new_data_key_seals_every_secret_and_all_still_open(do):
    account = integrations.provider_account()
    endpoint = factory.endpoint().endpoint
    before = webhook_endpoints.signing_keys(endpoint, AT)
    versions = DataKey.objects.count()

    done = do("key", "rotate-data")

    account.refresh_from_db()
    endpoint.refresh_from_db()
    newest = DataKey.objects.order_by("-created_at")[0]
    assert (done.code, DataKey.objects.count()) == (0, versions + 1)
    assert int.from_bytes(bytes(account.sealed_credentials)[:2]) == newest.version == 2
    assert int.from_bytes(bytes(endpoint.sealed_secret)[:2]) == 2
    assert accounts.open_credentials(account) == integrations.CREDENTIALS
    assert webhook_endpoints.signing_keys(endpoint, AT) == before


def test_a_secret_that_cannot_be_opened_stops_the_rotation_and_nothing_is_kept(do):
    account = integrations.provider_account()
    endpoint = factory.endpoint().endpoint
    WebhookEndpoint.objects.filter(id=endpoint.id).update(sealed_secret=b"\x00\x01tampered with")
    sealed = bytes(account.sealed_credentials)

    done = do("key", "rotate-data")

    account.refresh_from_db()
    assert (done.code, DataKey.objects.filter(version=2).exists()) == (2, False)
    assert "A secret of the webhook endpoints cannot be opened" in done.err
    assert bytes(account.sealed_credentials) == sealed


def test_a_new_person_comes_in_with_a_link_and_no_password(do):
    done = do("member", "add", "baraka@example.test", "--name", "Baraka", "--role", "controller")

    user = Membership.objects.get(role__code="controller").user
    link = done.out.split("shown this once: ")[1].split()[0]
    assert "//acme.testserver:" in link
    assert "/portal/enter/?link=tse_" in link
    assert entry_links.find(secret=link.partition("link=")[2], now=clock.now()) == user
    assert (user.has_usable_password(), user.was_let_in) == (False, False)


def test_an_ended_membership_is_taken_up_by_the_operator(do):
    access.member()
    left = access.member("controller", "grace@example.test")
    assert do("member", "deactivate", "grace@example.test").code == 0

    assert do("member", "add", "grace@example.test", "--role", "auditor").code == 0

    left.refresh_from_db()
    assert (left.is_active, left.role.code, left.admitted_by) == (True, "auditor", None)


def test_a_person_who_signs_in_elsewhere_comes_in_with_his_own_password(do):
    user = access.user("cfo@victim.test")

    assert do("member", "add", "CFO@victim.test", "--role", "controller").code == 0

    assert Membership.objects.get(user=user).role.code == "controller"
    assert authenticate(None, username="cfo@victim.test", password=access.PASSWORD) == user


@pytest.mark.parametrize(
    ("email", "more"),
    [
        ("new@example.test", ()),
        ("nobody@example.test", ()),
        ("x@example.test", ("--name", "X", "--role", "king")),
    ],
)
def test_nobody_comes_in_whose_account_may_be_somebody_elses(do, email, more):
    users.create(email="new@example.test", name="New", password=None, actor=SYSTEM, now=access.NOW)

    done = do("member", "add", email, *more)

    assert (done.code, done.out) == (2, "")
    assert Membership.objects.exists() is False


def test_the_last_owner_stays(do):
    access.member()

    done = do("member", "deactivate", "amina@example.test")

    assert (done.code, "Make another member owner first." in done.err) == (2, True)
    assert Membership.objects.get().is_active is True


def test_a_membership_ends_with_its_branches_as_they_were(do):
    access.member()
    ended = access.member("controller", "grace@example.test", branches=(access.branch(),))

    assert do("member", "deactivate", "GRACE@example.test").code == 0

    ended.refresh_from_db()
    assert (ended.is_active, ended.branches.count()) == (False, 1)


def test_only_what_is_overdue_is_closed(do):
    overdue = approvals.waiting()
    open_still = approvals.waiting(expires_in=timedelta(days=900))

    done = do("approval", "expire")

    assert "1 closed." in done.out
    assert approvals.reload(overdue).status == ApprovalStatus.EXPIRED
    assert approvals.reload(open_still).status == ApprovalStatus.PENDING
