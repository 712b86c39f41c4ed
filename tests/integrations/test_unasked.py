"""Registering addresses and reading balances: what a provider answers becomes a row, and both stand on the account's page."""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from apps.audit.models import AuditRecord
from apps.integrations.contracts import CallbackStatus, Environment
from apps.integrations.models import (
    AddressRegistration,
    ProviderBalanceReading,
    ProviderCallback,
)
from apps.integrations.selectors import holdings
from apps.integrations.services import accounts, balances, callbacks, registrations
from apps.kit import jobs
from apps.kit.actors import person
from apps.kit.models import InsertOnlyViolation
from apps.kit.money import Money
from apps.payments.services import callbacks as applying
from tests import dialogs
from tests.factories import access
from tests.factories.integrations import CREDENTIALS, NOW, provider_account, terms
from tests.integrations import daraja
from tests.integrations.daraja import answer, payload, refused

PAGE = "/portal/integrations/provideraccount/"


class Daraja(BaseHTTPRequestHandler):
    """Gives a token and one scripted answer, and keeps what it was asked."""

    def do_GET(self):
        self._say(answer("token.json"))

    def do_POST(self):
        self.server.asked.append(
            (self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        )
        self._say(self.server.scripted)

    def _say(self, said):
        self.send_response(said.status)
        self.send_header("Content-Length", str(len(said.body)))
        self.end_headers()
        self.wfile.write(said.body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def line(settings):
    """Return a Daraja of this machine; ``scripted`` is what it answers, ``asked`` what it was asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Daraja)
    server.asked = []
    server.url = f"http://127.0.0.1:{server.server_port}"
    settings.TREASURY = {**settings.TREASURY, "SIMULATOR_URL": server.url}
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def account_at(line, **changes):
    return provider_account(environment=Environment.SIMULATOR, base_url=f"{line.url}/daraja", **changes)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("came", "status", "reason"),
    [
        (answer("c2b_registered.json"), "DONE", ""),
        (refused("500.003.1001", "Urls are already registered"), "ELSEWHERE", ""),
        (refused("500.003.1001", "Internal Server Error"), "FAILED", "provider_error_unknown_outcome"),
    ],
)
def test_what_a_provider_answers_to_our_addresses_is_a_row(acme, line, came, status, reason):
    account = account_at(line, is_accepted_by_default=False, inbound_version="v1")
    line.scripted = came

    registrations.register(account_id=account.id, asked_by="user:1", now=NOW)

    [(path, body)] = line.asked
    hook = f"/hooks/{acme.id.hex}/{account.callback_token}"
    assert (body["ConfirmationURL"][-len(hook) - 4 :], body["ResponseType"]) == (f"{hook}/c2b", "Cancelled")
    assert body["ValidationURL"].endswith(f"{hook}/check")
    assert path == "/daraja/mpesa/c2b/v1/registerurl"
    row = AddressRegistration.objects.get()
    assert (row.status, row.reason_code, row.version, row.registered_by) == (status, reason, "v1", "user:1")
    assert not row.is_accepted_by_default


@pytest.mark.django_db(transaction=True)
def test_a_balance_is_asked_for_at_the_accounts_own_address(acme, line, certificate):
    account = account_at(line, certificate=certificate)
    line.scripted = answer("status_accepted.json")

    balances.request(account_id=account.id, now=NOW)

    hook = f"/hooks/{acme.id.hex}/{account.callback_token}"
    [(_, body)] = line.asked
    assert body["ResultURL"].endswith(f"{hook}/balance")
    assert body["QueueTimeOutURL"].endswith(f"{hook}/balance-timeout")


@pytest.fixture(scope="module")
def certificate():
    return daraja.certified(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def told(account, body, *, kind="balance", token=""):
    """Have a balance arrive and applied; return its callback."""
    stored = callbacks.store(
        token=token or account.callback_token, kind=kind, body=body, headers={}, remote_ip="", now=NOW
    )
    applying.apply(callback_id=stored.id, now=NOW)
    return ProviderCallback.objects.select_related("processing").get(id=stored.id)


def test_an_answer_is_one_row_however_often_it_comes(acme):
    account = provider_account()
    body = payload("balance_completed.json")

    first, second = told(account, body), told(account, body)

    reading = ProviderBalanceReading.objects.get()
    assert (reading.total, reading.callback_id) == (Money(926_497_00, "KES"), first.id)
    assert first.processing.status == CallbackStatus.APPLIED
    assert second.processing.status == CallbackStatus.DUPLICATE
    with pytest.raises(InsertOnlyViolation):
        reading.delete()
    holding = holdings.newest([account.id])[account.id]
    assert (holding.booked, holding.difference) == (None, None)
    assert [purse.name for purse in holding.purses][2] == "Utility Account"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (payload("balance_refused.json"), "balance", CallbackStatus.APPLIED),
        (payload("balance_refused.json"), "balance-timeout", CallbackStatus.APPLIED),
        (b"<html>", "balance", CallbackStatus.MALFORMED),
        (b"[]", "balance", CallbackStatus.MALFORMED),
        (b'{"Result": {}}', "balance-timeout", CallbackStatus.MALFORMED),
    ],
)
def test_what_tells_no_balance_is_no_row(acme, body, kind, status):
    callback = told(provider_account(), body, kind=kind)

    assert callback.processing.status == status
    assert not ProviderBalanceReading.objects.exists()


def test_a_balance_with_a_token_of_no_account_is_forged(acme):
    callback = told(None, payload("balance_completed.json"), token="0" * 32)

    assert callback.processing.status == CallbackStatus.FORGED
    assert not ProviderBalanceReading.objects.exists()


def test_the_accounts_that_want_it_are_watched(acme, django_capture_on_commit_callbacks):
    wanted = provider_account(is_balance_watched=True)
    provider_account(access.branch("WESTLANDS"), short_code="600200")

    with jobs.held() as kept, django_capture_on_commit_callbacks(execute=True):
        balances.watch()

    assert [(job.name, job.arguments) for job in kept] == [
        ("integrations.ask_balance", {"account_id": str(wanted.id)})
    ]


def test_a_password_keeps_its_age_until_another_comes(acme):
    account = provider_account()
    later = NOW + timedelta(days=80)
    another = type(CREDENTIALS)(**{**_texts(), "initiator_password": "Initiator-2"})
    none = type(CREDENTIALS)(**{**_texts(), "initiator_password": ""})

    ages = [account.password_set_at]
    for credentials in (CREDENTIALS, another, none):
        accounts.change(
            account_id=account.id, terms=terms(), credentials=credentials, actor=person(1), now=later
        )
        account.refresh_from_db()
        ages.append(account.password_set_at)

    assert ages == [NOW, NOW, later, None]


def _texts():
    names = ("consumer_key", "consumer_secret", "passkey", "initiator")
    return {name: getattr(CREDENTIALS, name) for name in names}


def test_the_page_of_an_account_shows_what_the_provider_said(
    acme, in_organisation, django_capture_on_commit_callbacks
):
    account = provider_account()
    member = access.member("owner")
    told(account, payload("balance_completed.json"))
    AddressRegistration.objects.create(
        account=account,
        status="ELSEWHERE",
        version="v2",
        is_accepted_by_default=True,
        registered_by=str(person(member.user_id)),
        registered_at=NOW,
    )
    browser = Client(HTTP_HOST="acme.testserver")
    browser.force_login(member.user, backend="apps.access.backend.MembershipBackend")

    shown = browser.get(f"{PAGE}{account.id}/change/").content.decode()
    in_organisation("acme")
    with jobs.held() as kept, django_capture_on_commit_callbacks(execute=True):
        for name in ("register-addresses", "ask-balance"):
            assert dialogs.send(browser, f"{PAGE}{account.id}/do/{name}/").status_code == 204
            in_organisation("acme")

    for words in ("Registered before", member.user.name, "Utility Account", "926,497", "Set on"):
        assert words in shown
    assert account.callback_token not in shown
    assert [job.name for job in kept] == ["integrations.register_addresses", "integrations.ask_balance"]
    assert kept[0].arguments["asked_by"] == str(person(member.user_id))
    assert set(AuditRecord.objects.values_list("action", flat=True)) >= {
        "provider_account.register_addresses",
        "provider_account.ask_balance",
    }
