"""Calls to a provider over real HTTP against the simulator: what each fault lets the caller do, and what is recorded."""

import dataclasses
import json
import logging
import threading
import time
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection, transaction

from apps.integrations import registry
from apps.integrations.contracts import AccountTerms
from apps.integrations.models import ProviderCall
from apps.integrations.models.call import ProviderCallQuerySet
from apps.integrations.mpesa.stk import StkPush
from apps.integrations.ports import (
    CollectionPort,
    Outcome,
    ProviderDeclined,
    ProviderUnavailable,
    ProviderUncertain,
    StatusRequest,
    Token,
)
from apps.integrations.selectors import exchanges
from apps.integrations.services import accounts, providers, tokens
from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.models import InsertOnlyViolation
from tests.factories import access
from tests.factories.integrations import CREDENTIALS, NOW, provider_account, simulated_account
from tests.integrations.daraja import CALLBACK_URL, order

PUSH = "/mpesa/stkpush/v1/processrequest"
QUERY = "/mpesa/stkpushquery/v1/query"
TOKEN = "/oauth/v1/generate"


@pytest.fixture
def attempt_id():
    return ids.new()


@pytest.fixture
def port(account, attempt_id):
    return providers.collection(account.id, subject_id=attempt_id, now=NOW)


def replace(account, credentials):
    names = accounts.TERMS
    same = AccountTerms(**{name: getattr(account, name) for name in names})
    accounts.change(account_id=account.id, terms=same, credentials=credentials, actor=SYSTEM, now=NOW)


def kept() -> list[tuple[str, str, int | None]]:
    return list(ProviderCall.objects.order_by("id").values_list("kind", "status", "response_status"))


def test_a_prompt_reaches_the_phone_and_the_answer_comes_back(simulator, port, attempt_id):
    ticket = port.request(order(phone="+254712345678"))
    waiting = port.query(ticket.value)
    simulator.decide(ticket.value, "approve")
    paid = port.query(ticket.value)

    (prompt,) = simulator.prompts()
    assert ticket.value == prompt["id"]
    assert waiting.outcome is Outcome.PENDING
    assert (paid.outcome, paid.money, paid.receipt) == (Outcome.COLLECTED, None, "")
    assert kept() == [
        ("oauth", "ANSWERED", 200),
        ("stk_push", "ANSWERED", 200),
        ("stk_query", "ANSWERED", 500),
        ("stk_query", "ANSWERED", 200),
    ]
    assert [fact.kind for fact in exchanges.calls_of([attempt_id])] == [row[0] for row in kept()]


@pytest.mark.parametrize(
    ("decision", "reason"), [("cancel", "customer_cancelled"), ("wrong-pin", "authentication_failed")]
)
def test_the_payers_refusal_is_told(simulator, port, decision, reason):
    ticket = port.request(order(phone="+254712345678"))
    simulator.decide(ticket.value, decision)

    report = port.query(ticket.value)

    assert (report.outcome, report.reason_code) == (Outcome.DECLINED, reason)


@pytest.mark.parametrize(
    ("action", "error", "row"),
    [
        ("rate_limit", ProviderUnavailable, ("stk_push", "ANSWERED", 500)),
        ({"action": "rate_limit", "code": "429"}, ProviderUnavailable, ("stk_push", "ANSWERED", 429)),
        ("reset", ProviderUncertain, ("stk_push", "NO_ANSWER", None)),
        ({"action": "reset", "processed": True}, ProviderUncertain, ("stk_push", "NO_ANSWER", None)),
        ("status", ProviderUncertain, ("stk_push", "ANSWERED", 500)),
        ({"action": "status", "processed": True}, ProviderUncertain, ("stk_push", "ANSWERED", 500)),
        ({"action": "status", "status": 503, "body": ""}, ProviderUncertain, ("stk_push", "ANSWERED", 503)),
        ("html_error", ProviderUncertain, ("stk_push", "ANSWERED", 502)),
        ("empty_body", ProviderUncertain, ("stk_push", "ANSWERED", 200)),
        ("malformed_json", ProviderUncertain, ("stk_push", "ANSWERED", 200)),
    ],
)
def test_a_fault_says_what_the_caller_does_next(simulator, port, action, error, row):
    simulator.script(action)

    with pytest.raises(error) as refusal:
        port.request(order(phone="+254712345678"))

    assert type(refusal.value) is error
    assert kept() == [("oauth", "ANSWERED", 200), row]
    assert sum(call["path"].endswith(PUSH) for call in simulator.calls()) == 1


def test_no_answer_in_time_is_open(simulator, port, monkeypatch):
    monkeypatch.setattr(providers, "READ_TIMEOUT", 0.3)
    impatient = providers.collection(port.client.transport.account_id, now=NOW)
    simulator.script({"action": "hang", "processed": True})

    with pytest.raises(ProviderUncertain) as refusal:
        impatient.request(order(phone="+254712345678"))

    assert refusal.value.provider_code == "timeout"
    assert len(simulator.prompts()) == 1
    assert kept()[-1] == ("stk_push", "NO_ANSWER", None)
    assert ProviderCall.objects.get(kind="stk_push").problem.startswith("timeout")


def test_a_query_survives_the_same_faults(simulator, port):
    ticket = port.request(order(phone="+254712345678"))
    for action in ("reset", "html_error", "empty_body", "malformed_json"):
        simulator.script(action, path=QUERY)
        with pytest.raises(ProviderUncertain):
            port.query(ticket.value)
    simulator.script("rate_limit", path=QUERY)
    with pytest.raises(ProviderUnavailable):
        port.query(ticket.value)

    assert port.query(ticket.value).outcome is Outcome.PENDING


def test_an_expired_token_costs_one_more_and_the_prompt_appears_once(simulator, port):
    port.request(order(phone="+254712345678"))
    simulator.script("expire_token")

    port.request(order(phone="+254712345679"))

    assert [row[0] for row in kept()] == ["oauth", "stk_push", "stk_push", "oauth", "stk_push"]
    assert len(simulator.prompts()) == 2


def test_a_fault_of_the_token_call_leaves_nothing_asked(simulator, port):
    simulator.script("reset", path=TOKEN)

    with pytest.raises(ProviderUnavailable):
        port.request(order(phone="+254712345678"))

    assert kept() == [("oauth", "NO_ANSWER", None)]
    assert simulator.prompts() == []


def test_wrong_secrets_are_final(simulator, account):
    wrong = dataclasses.replace(CREDENTIALS, consumer_secret="not-this-one")
    replace(account, wrong)

    with pytest.raises(ProviderDeclined) as refusal:
        providers.collection(account.id, now=NOW).request(order(phone="+254712345678"))

    assert refusal.value.code == "invalid_credentials"


def test_a_wrong_passkey_is_final(simulator, account):
    wrong = dataclasses.replace(CREDENTIALS, passkey="not-this-one")
    replace(account, wrong)

    with pytest.raises(ProviderDeclined) as refusal:
        providers.collection(account.id, now=NOW).request(order(phone="+254712345678"))

    assert refusal.value.code == "invalid_credentials"
    assert simulator.prompts() == []


def test_nobody_listening_is_safe_to_repeat(acme, settings):
    settings.TREASURY = {**settings.TREASURY, "SIMULATOR_URL": "http://127.0.0.1:9"}
    account = simulated_account("http://127.0.0.1:9")

    with pytest.raises(ProviderUnavailable) as refusal:
        providers.collection(account.id, now=NOW).request(order())

    assert refusal.value.code == "network_unreachable"
    assert kept() == [("oauth", "NOT_SENT", None)]


def test_loopback_is_reached_below_the_simulators_address_only(simulator, account, settings):
    settings.TREASURY = {**settings.TREASURY, "SIMULATOR_URL": "http://127.0.0.1:4010"}

    with pytest.raises(ProviderUnavailable) as refusal:
        providers.collection(account.id, now=NOW).request(order())

    assert refusal.value.provider_code == "blocked"
    assert simulator.calls() == []


def test_an_account_of_the_sandbox_never_reaches_loopback(simulator, acme):
    account = provider_account(base_url="https://localhost")

    with pytest.raises(ProviderUnavailable) as refusal:
        providers.collection(account.id, now=NOW).request(order())

    assert refusal.value.provider_code == "blocked"


def test_inside_a_transaction_nothing_is_sent(simulator, port):
    with pytest.raises(RuntimeError), transaction.atomic():
        port.request(order())

    assert simulator.calls() == []
    assert kept() == []


def test_no_secret_no_phone_and_no_token_is_recorded_or_logged(simulator, port, account, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    simulator.script("html_error")
    with pytest.raises(ProviderUncertain):
        port.request(order(phone="+254712345678"))
    status = providers.status(account.id, now=NOW)
    status.request_status(StatusRequest(receipt="NLJ7RT61SV", callback_url=f"{simulator.url}/nowhere"))

    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(row_to_json(c)::text, ' ') FROM integrations_providercall c")
        rows = cursor.fetchone()[0]
    printed = caplog.text + "".join(capfd.readouterr())
    token = tokens.of_account(account, now=NOW).get(lambda: Token("", 0))
    assert token
    hidden = [*CREDENTIALS.secrets, token, "254712345678", CALLBACK_URL.split("/")[-2]]
    for secret in hidden:
        assert secret not in rows
        assert secret not in printed
    push = json.loads(ProviderCall.objects.get(kind="stk_push").request_body)
    assert push["Password"] == "[redacted]"
    assert push["PhoneNumber"] == push["PartyA"] == "2547*****678"
    assert push["AccountReference"] == "K7PQ2M4XRT"
    status_call = ProviderCall.objects.get(kind="transaction_status")
    assert json.loads(status_call.request_body)["SecurityCredential"] == "[redacted]"
    assert status_call.request_headers["Authorization"] == "[redacted]"
    assert status_call.response_status == 200


def test_a_record_that_cannot_be_written_does_not_cost_the_ticket(simulator, port):
    broken = dataclasses.replace(port.client.transport, now=None)
    port = dataclasses.replace(port.adapter, client=dataclasses.replace(port.client, transport=broken))

    ticket = port.request(order(phone="+254712345678"))

    assert ticket.value == simulator.prompts()[0]["id"]
    assert kept() == []


def test_recorded_calls_stay_as_they_are(port):
    port.request(order(phone="+254712345678"))
    call = ProviderCall.objects.first()

    assert isinstance(ProviderCall.objects.all(), ProviderCallQuerySet)
    for change in (call.save, call.delete, ProviderCall.objects.all().delete):
        with pytest.raises(InsertOnlyViolation):
            change()


def test_a_member_of_one_branch_sees_the_calls_of_its_accounts_only(port):
    port.request(order(phone="+254712345678"))
    everywhere = access.member().user
    elsewhere = access.member(email="juma@example.test", branches=(access.branch(),)).user

    assert exchanges.calls_visible_to(everywhere).count() == 2
    assert exchanges.calls_visible_to(elsewhere).count() == 0


def test_the_token_lies_sealed_in_the_cache_and_is_used_again(simulator, port, account):
    port.request(order(phone="+254712345678"))
    port.request(order(phone="+254712345679"))

    store = tokens.of_account(account, now=NOW)
    assert [row[0] for row in kept()].count("oauth") == 1
    token = store.get(lambda: Token("", 0))
    assert token
    assert token.encode() not in cache.get(store.key)


def test_new_secrets_need_a_new_token(simulator, port, account):
    port.request(order(phone="+254712345678"))
    replace(account, CREDENTIALS)

    providers.collection(account.id, now=NOW).request(order(phone="+254712345679"))

    assert [row[0] for row in kept()].count("oauth") == 2


def test_of_many_callers_one_fetches_the_token(acme):
    organisation = acme
    fetched = []
    found = []

    def fetch() -> Token:
        fetched.append(1)
        time.sleep(0.2)
        return Token("one-for-all", 3599)

    def call() -> None:
        connection.set_tenant(organisation)
        found.append(tokens.CachedTokens("provider-token:test", NOW).get(fetch))
        connection.close()

    callers = [threading.Thread(target=call) for _ in range(5)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(10)

    assert found == ["one-for-all"] * 5
    assert len(fetched) == 1


def test_forgetting_an_old_token_keeps_the_new_one(acme):
    store = tokens.CachedTokens("provider-token:test", NOW)
    store.get(lambda: Token("new", 3599))

    store.forget("old")
    assert store.get(lambda: Token("newest", 3599)) == "new"
    store.forget("new")
    assert store.get(lambda: Token("newest", 3599)) == "newest"


def test_a_token_that_is_about_to_expire_is_not_kept(acme):
    store = tokens.CachedTokens("provider-token:test", NOW)

    assert store.get(lambda: Token("short", 60)) == "short"
    assert store.get(lambda: Token("next", 60)) == "next"


def test_a_token_ends_by_the_time_of_its_caller_and_not_of_the_cache(acme):
    tokens.CachedTokens("provider-token:test", NOW).get(lambda: Token("first", 3599))

    later = tokens.CachedTokens("provider-token:test", NOW + timedelta(seconds=3538))
    too_late = tokens.CachedTokens("provider-token:test", NOW + timedelta(seconds=3539))

    assert later.get(lambda: Token("second", 3599)) == "first"
    assert too_late.get(lambda: Token("second", 3599)) == "second"


def test_every_adapter_of_an_account_can_be_made(acme):
    account = provider_account()

    for port in registry.providers()[account.provider].ports:
        assert providers._port(port, account.id, NOW, None) is not None


@pytest.mark.parametrize("port", [providers.status, providers.refund, providers.statement])
def test_what_a_provider_does_not_offer_is_refused_before_its_secrets_are_opened(acme, monkeypatch, port):
    account = provider_account()
    monkeypatch.setitem(providers.PORTS, "mpesa", {CollectionPort: StkPush})
    monkeypatch.setattr(accounts, "open_credentials", None)

    with pytest.raises(ProviderDeclined) as refusal:
        port(account.id, now=NOW)

    assert (refusal.value.code, refusal.value.message) == (
        "not_offered",
        "M-Pesa has no such service here.",
    )
    assert not ProviderCall.objects.exists()
