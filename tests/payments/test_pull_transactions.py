"""Pull transactions: the provider is asked for its list, which is read page by page, to its end and no further."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from celery.signals import before_task_publish

from apps.integrations.contracts import ShortCodeType
from apps.integrations.models import ProviderAccount, ProviderCall
from apps.integrations.ports import StatementPage
from apps.integrations.services import accounts
from apps.kit import crypto
from apps.kit.actors import SYSTEM
from apps.ledger.services import journals
from apps.ledger.services.refusals import AccountFrozen
from apps.payments.contracts import Choice, IntentStatus, Method
from apps.payments.models import InboundReceipt, PullCursor
from apps.payments.services import intents, pulls
from tests.factories import access, payments
from tests.payments.conftest import bookings, books, deliver
from tests.payments.movements import NOW, lost, row

PULL = "/pulltransactions/v1/query"


@dataclass
class Listing:
    """A provider that lists these pages, whatever it is asked for."""

    pages: list[StatementPage]

    def register(self, **_):
        pass

    def fetch(self, _, **__):
        return self.pages.pop(0)


@pytest.fixture(autouse=True)
def portal(request):
    """Money that is of no payment is of the application that people work through."""
    request.getfixturevalue("committed_acme" if "committed_acme" in request.fixturenames else "acme")
    access.portal()


@pytest.fixture
def unknown(acme):
    return lost()


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
    pulls.pull(account_id=rail.account.id, clock=lambda: now)


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
    assert '"StartDate": "2026-11-22 12:01:00"' in asked[0]
    assert '"StartDate": "2026-11-24 10:31:00"' in asked[1]
    assert InboundReceipt.objects.count() == 1


def test_begins_where_it_began_when_nobody_answered(pulling):
    paid_without_a_word(pulling)
    pulling.script({"action": "html_error"}, path=PULL)

    pull(pulling)
    cursor = PullCursor.objects.get()
    assert (cursor.pulled_until, cursor.leased_until) == (None, None)
    assert cursor.failure_code
    pull(pulling, NOW + timedelta(minutes=15))

    assert PullCursor.objects.get().failure_code == ""
    assert InboundReceipt.objects.count() == 1


def test_what_comes_to_the_accounts_own_address_is_no_forgery(unknown):
    token = ProviderAccount.objects.get().callback_token

    assert deliver(token, pulls.KIND, {"anything": "at all"}) == "IGNORED"

    assert bookings() == 0


def test_reads_only_one_at_a_time(pulling):
    PullCursor.objects.create(provider_account=pulling.account, leased_until=NOW + timedelta(minutes=1))

    pull(pulling)

    assert not ProviderCall.objects.exists()


def test_reads_an_account_once_a_minute(pulling):
    paid_without_a_word(pulling)
    pull(pulling)

    pull(pulling, NOW + timedelta(seconds=59))
    assert ProviderCall.objects.filter(kind="pull").count() == 1
    pull(pulling, NOW + timedelta(seconds=60))

    assert ProviderCall.objects.filter(kind="pull").count() == 2


def test_what_was_paid_in_during_an_outage_is_found_after_it(pulling):
    pull(pulling)
    paid_without_a_word(pulling)
    body = '{"requestId": "1", "errorCode": "500", "errorMessage": "Failed to retrieve transactions"}'
    pulling.script({"action": "status", "status": 500, "body": body}, times=4, path=PULL)
    for quarter in range(1, 5):
        pull(pulling, NOW + timedelta(minutes=15 * quarter))
    cursor = PullCursor.objects.get()
    assert (cursor.pulled_until, cursor.leased_until) == (NOW, None)
    assert cursor.failure_code

    pull(pulling, NOW + timedelta(minutes=75))

    last = ProviderCall.objects.filter(kind="pull").order_by("id").last()
    assert '"StartDate": "2026-11-24 10:31:00"' in last.request_body
    assert InboundReceipt.objects.count() == 1


def test_a_movement_that_is_refused_keeps_no_other_away(pulling, monkeypatch):
    first, second = paid_without_a_word(pulling), paid_without_a_word(pulling)
    post = journals.post

    def frozen(*, draft, actor, now):
        if str(first.current_attempt_id) in draft.key:
            raise AccountFrozen
        return post(draft=draft, actor=actor, now=now)

    monkeypatch.setattr(journals, "post", frozen)
    pull(pulling)

    cursor = PullCursor.objects.get()
    assert (cursor.pulled_until, cursor.leased_until) == (None, None)
    assert cursor.failure_code == "ledger_account_frozen"
    assert payments.reload(second.id).status == IntentStatus.SUCCEEDED
    monkeypatch.undo()
    pull(pulling, NOW + timedelta(minutes=15))

    assert payments.reload(first.id).status == IntentStatus.SUCCEEDED
    cursor.refresh_from_db()
    assert (cursor.pulled_until, cursor.failure_code) == (NOW + timedelta(minutes=15), "")


def test_credentials_that_cannot_be_opened_let_the_reading_go(pulling):
    ProviderAccount.objects.update(sealed_credentials=b"nonsense")

    with pytest.raises(crypto.Unreadable):
        pull(pulling)

    cursor = PullCursor.objects.get()
    assert (cursor.pulled_until, cursor.leased_until) == (None, None)
    assert cursor.failure_code == "configuration"


def test_a_long_reading_records_each_page_in_its_own_time(unknown, monkeypatch):
    ProviderAccount.objects.update(is_pull_enabled=True, pull_number="0722000000")
    times = iter(NOW + timedelta(minutes=6 * step) for step in range(9))
    listing = Listing(
        [
            StatementPage((row(unknown, receipt="NLJ7RT61AA", reference=""),), next_page="1"),
            StatementPage((row(unknown),)),
        ]
    )
    monkeypatch.setattr(pulls.providers, "statement", lambda *_, **__: listing)

    pulls.pull(account_id=unknown.provider_account_id, clock=lambda: next(times))

    first, second = InboundReceipt.objects.order_by("received_at")
    assert second.received_at - first.received_at == timedelta(minutes=6)
    assert payments.reloaded(unknown).booked_at == second.received_at
    assert PullCursor.objects.get().pulled_until == NOW


def test_a_list_that_begins_again_is_not_read_for_ever(unknown, monkeypatch):
    ProviderAccount.objects.update(is_pull_enabled=True, pull_number="0722000000")
    listing = Listing([StatementPage((row(unknown),), next_page="1")] * 9)
    monkeypatch.setattr(pulls.providers, "statement", lambda *_, **__: listing)

    pulls.pull(account_id=unknown.provider_account_id, clock=lambda: NOW)

    cursor = PullCursor.objects.get()
    assert (cursor.pulled_until, cursor.failure_code) == (None, "list_without_end")
    assert (len(listing.pages), InboundReceipt.objects.count()) == (7, 1)


def test_a_list_that_never_ends_is_not_read_for_ever(unknown, monkeypatch):
    ProviderAccount.objects.update(is_pull_enabled=True, pull_number="0722000000")
    listing = Listing([StatementPage((), next_page="1", unreadable=100)] * 9)
    monkeypatch.setattr(pulls.providers, "statement", lambda *_, **__: listing)
    monkeypatch.setattr(pulls, "PAGES_MAX", 3)

    pulls.pull(account_id=unknown.provider_account_id, clock=lambda: NOW)

    assert PullCursor.objects.get().failure_code == "list_without_end"
    assert len(listing.pages) == 6


def test_an_account_that_is_not_listed_is_left_alone(rail):
    pull(rail)

    assert not ProviderCall.objects.exists()


def test_a_disabled_account_is_listed_until_another_of_its_store_is_enabled(pulling):
    intent, account = paid_without_a_word(pulling), pulling.account
    accounts.disable(account_id=account.id, actor=SYSTEM, now=NOW)
    pull(pulling)
    assert payments.reload(intent.id).status == IntentStatus.SUCCEEDED

    till = payments.account(
        short_code=account.short_code,
        short_code_type=ShortCodeType.TILL,
        till_number="700001",
        environment=account.environment,
        base_url=account.base_url,
    )
    pull(pulling, NOW + timedelta(minutes=15))
    assert ProviderCall.objects.filter(kind="pull").count() == 1
    accounts.disable(account_id=till.id, actor=SYSTEM, now=NOW)
    pull(pulling, NOW + timedelta(minutes=30))

    assert ProviderCall.objects.filter(kind="pull").count() == 2


def test_nobody_knowing_is_a_reason_to_read(pulling, django_capture_on_commit_callbacks):
    started = []

    def keep(sender, **_):
        started.append(sender)

    before_task_publish.connect(keep)
    with django_capture_on_commit_callbacks(execute=True):
        paid_without_a_word(pulling)
    before_task_publish.disconnect(keep)

    assert "payments.pull_organisation" in started
