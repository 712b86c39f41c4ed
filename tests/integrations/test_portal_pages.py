"""Provider accounts, calls and callbacks in the organisation's site."""

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.test import Client

from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.integrations.admin import ProviderAccountAdmin
from apps.integrations.contracts import CallbackStatus, CallStatus
from apps.integrations.models import ProviderAccount, ProviderCall
from apps.integrations.models.redaction import readable
from apps.integrations.ports import ProviderDeclined
from apps.integrations.services import accounts, callbacks
from apps.kit import clock, ids
from tests import dialogs
from tests.factories import access
from tests.factories.integrations import (
    CREDENTIALS,
    NOW,
    PAYPAL,
    PAYPAL_CREDENTIALS,
    STRIPE,
    STRIPE_CREDENTIALS,
    provider_account,
)
from tests.integrations.daraja import payload

LIST = "/portal/integrations/provideraccount/"
SECRETS = {
    "consumer_key": "new-consumer-key",
    "consumer_secret": "new-consumer-secret",
    "passkey": "new-passkey",
    "initiator": "new-initiator",
    "initiator_password": "new-initiator-password",
}


@pytest.fixture
def enter(acme, in_organisation):
    """Return a function that signs a member in and comes back to the organisation after each request."""

    def sign_in(role="owner", **chosen):
        member = access.member(role, **chosen)
        client = Client(HTTP_HOST="acme.testserver")
        client.force_login(member.user, backend="apps.access.backend.MembershipBackend")

        def request(method, path, data=None):
            answer = getattr(client, method)(path, data or {})
            in_organisation("acme")
            return answer

        return request

    return sign_in


def form(**changes):
    return {
        "provider": "mpesa",
        "label": "Savanna paybill",
        "branch": str(access.head_office().id),
        "environment": "SANDBOX",
        "base_url": "https://sandbox.safaricom.co.ke",
        "currency": "KES",
        "short_code": "600100",
        "short_code_type": "PAYBILL",
        "till_number": "",
        "certificate": "",
        "fee_bps": "55",
        "minimum": "1.00",
        "maximum": "250000.00",
        **changes,
    }


def test_a_person_opens_an_account(enter):
    answer = enter()("post", f"{LIST}add/", form(**SECRETS))

    account = ProviderAccount.objects.get()
    assert answer.status_code == 302, answer.context["errors"]
    assert (account.label, account.maximum_minor) == ("Savanna paybill", 250_000_00)
    assert accounts.open_credentials(account).passkey == "new-passkey"


def test_no_page_shows_a_secret_again(enter):
    account = provider_account()
    request = enter()

    pages = [
        request("get", path) for path in (LIST, f"{LIST}{account.id}/change/", f"{LIST}{account.id}/history/")
    ]

    assert [page.status_code for page in pages] == [200, 200, 200]
    text = "".join(page.content.decode() for page in pages)
    assert "Set on" in text
    for secret in (*CREDENTIALS.secrets, CREDENTIALS.initiator, account.callback_token):
        assert secret not in text


@pytest.mark.parametrize(
    ("days", "words"), [(74, "Set on"), (75, "15 days left"), (89, "1 day left"), (90, "Expired")]
)
def test_the_age_of_the_initiators_password_is_told_before_it_expires(acme, days, words):
    account = provider_account()
    page = ProviderAccountAdmin(ProviderAccount, admin.site)

    with clock.fixed(NOW + timedelta(days=days)):
        assert words in page.password_age(account)


def test_empty_secret_fields_leave_the_secrets_alone(enter):
    account = provider_account()

    answer = enter()("post", f"{LIST}{account.id}/change/", form(fee_bps="100"))

    account.refresh_from_db()
    assert answer.status_code == 302
    assert account.fee_bps == 100
    assert accounts.open_credentials(account) == CREDENTIALS


def test_secrets_are_replaced_together(enter):
    account = provider_account()
    request = enter()

    half = request("post", f"{LIST}{account.id}/change/", form(passkey="only-this"))
    account.refresh_from_db()
    assert "Secrets are replaced together" in half.content.decode()
    assert "only-this" not in half.content.decode()
    assert accounts.open_credentials(account) == CREDENTIALS

    request("post", f"{LIST}{account.id}/change/", form(**SECRETS))
    account.refresh_from_db()
    assert accounts.open_credentials(account).passkey == "new-passkey"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"maximum": "lots"}, "Write the amount as 1,250.00."),
        ({"maximum": "1.001"}, "2 decimals"),
        ({"short_code": "12"}, "short code"),
        ({"base_url": "http://127.0.0.1:1"}, "does not belong to the environment"),
        ({"consumer_key": ""}, "Secrets are replaced together"),
        ({"label": "Card 4242 4242 4242 4242"}, "This holds the number of a card."),
    ],
)
def test_a_refusal_is_shown_and_nothing_is_kept(enter, changes, message):
    request = enter()

    answer = request("post", f"{LIST}add/", {**form(**SECRETS), **changes})
    shown = answer if answer.status_code == 200 else request("get", answer["Location"])

    assert message.lower() in shown.content.decode().lower()
    assert not ProviderAccount.objects.exists()


def test_an_account_is_disabled_and_enabled_but_never_deleted(enter):
    account = provider_account()
    request = enter()

    for action, expected in (("disable", False), ("enable", True)):
        url = f"{LIST}{account.id}/do/{action}/"
        shown = dialogs.hidden(request("get", url))
        assert request("post", url, shown)["Location"] == LIST
        account.refresh_from_db()
        assert account.is_enabled is expected
    assert request("get", f"{LIST}{account.id}/delete/").status_code == 403


def test_who_may_only_look_changes_nothing(enter):
    account = provider_account()
    request = enter("auditor")

    assert request("get", f"{LIST}add/").status_code == 403
    assert request("post", f"{LIST}{account.id}/change/", form(fee_bps="1")).status_code == 403
    account.refresh_from_db()
    assert account.fee_bps == 55


def test_a_connection_is_tested_and_the_list_says_how_calls_went(enter, monkeypatch):
    account = provider_account()
    request = enter()
    asked = []

    def check(_self):
        asked.append(account.id)
        if len(asked) == 1:
            raise ProviderDeclined("invalid_credentials", "M-Pesa does not accept the account's credentials.")

    monkeypatch.setattr("apps.integrations.mpesa.connection.Connection.check", check)
    url = f"{LIST}{account.id}/do/check-connection/"

    def send():
        shown = re.search(r'name="shown" value="(\w+)"', request("get", url).content.decode())
        return request("post", url, {"shown": shown[1]})

    refused = send()
    assert refused.status_code == 409
    assert "M-Pesa does not accept the account&#x27;s credentials." in refused.content.decode()
    assert send().status_code == 302
    assert AuditRecord.objects.filter(action="provider_account.tested").count() == 2

    for status in (200, 200, 503):
        called(account, status)
    listed = request("get", LIST).content.decode()
    assert "66.6 %" in listed
    stored = callbacks.store(
        token=account.callback_token, kind="c2b", body=b"{}", headers={}, remote_ip="192.0.2.1", now=NOW
    )
    page = request("get", f"{LIST}{account.id}/change/").content.decode()
    assert stored.received_at.isoformat() in page
    assert "1 waits to be read" in page


def called(account, status):
    return ProviderCall.objects.create(
        account=account,
        kind="stk_push",
        method="POST",
        url="https://sandbox.safaricom.co.ke/",
        request_headers={},
        request_body="{}",
        status=CallStatus.ANSWERED,
        response_status=status,
        response_body="{}",
        elapsed_ms=100,
        called_at=clock.now(),
    )


def test_calls_are_there_to_read(enter):
    call = ProviderCall.objects.create(
        account=provider_account(),
        kind="stk_push",
        subject_id=ids.new(),
        method="POST",
        url="https://sandbox.safaricom.co.ke/mpesa/stkpush/v1/processrequest",
        request_headers={},
        request_body='{"Amount": "1500"}',
        status=CallStatus.ANSWERED,
        response_status=200,
        response_body='<script>alert("x")</script>',
        elapsed_ms=812,
        called_at=NOW,
    )
    request = enter()
    base = "/portal/integrations/providercall/"

    listed, page = request("get", base), request("get", f"{base}{call.id}/change/")

    for shown in (listed.content.decode(), page.content.decode()):
        assert "Prompt on a phone" in shown
        assert ">stk_push<" not in shown
    assert "812 ms" in listed.content.decode()
    assert "HTTP 200" in page.content.decode()
    assert str(call.subject_id) in page.content.decode()
    assert "<script>alert" not in page.content.decode()
    for found, others in (
        (f"q={call.subject_id}", f"q={ids.new()}"),
        ("kind=stk_push", "kind=reversal"),
        ("status=ANSWERED", "status=NO_ANSWER"),
    ):
        assert "812 ms" in request("get", f"{base}?{found}").content.decode(), found
        assert "812 ms" not in request("get", f"{base}?{others}").content.decode(), others
    for nonsense in ("abc", "%00", "'; --"):
        assert request("get", f"{base}?q={nonsense}").status_code == 200
    assert request("post", f"{base}{call.id}/change/", {"kind": "x"}).status_code == 403
    assert request("get", f"{base}add/").status_code == 403


def test_callbacks_are_there_to_read_with_masked_phones(enter):
    callback = callbacks.store(
        token="3f9c00ab3f9c00ab3f9c00ab3f9c00ab",
        kind="collection",
        body=payload("stk_callback_success.json"),
        headers={},
        remote_ip="196.201.214.200",
        now=NOW,
    )
    callbacks.mark(callback.id, CallbackStatus.FORGED, "no attempt has this token", now=NOW)
    request = enter()
    base = "/portal/integrations/providercallback/"

    listed, page = request("get", base), request("get", f"{base}{callback.id}/change/")

    for shown in (listed.content.decode(), page.content.decode()):
        assert "Forged" in shown
        assert "Answer to a prompt" in shown
        assert "254708374149" not in shown
        assert callback.token not in shown
    assert "Answer to a prompt, 24 Nov 2026, 10:40:00" in page.content.decode(), "in the reader's zone"
    assert "NLJ7RT61SV" in page.content.decode()
    assert "2547*****149" in page.content.decode()
    assert "196.201.214.200" in request("get", f"{base}?status=FORGED&kind=collection").content.decode()
    assert "196.201.214.200" not in request("get", f"{base}?status=APPLIED").content.decode()
    assert "196.201.214.200" not in request("get", f"{base}?kind=balance").content.decode()


def test_no_page_prints_or_finds_the_token_that_proves_a_callback(enter, acme):
    account, token = provider_account(), "3f9c00ab3f9c00ab3f9c00ab3f9c00ab"
    address = f"https://pay.example.test/hooks/{acme.id.hex}/{token}/stk"
    call = ProviderCall.objects.create(
        account=account,
        kind="stk_push",
        method="POST",
        url="https://sandbox.safaricom.co.ke/mpesa/stkpush/v1/processrequest",
        request_headers={},
        request_body=readable(f'{{"CallBackURL": "{address}"}}'.encode()),
        status=CallStatus.NOT_SENT,
        elapsed_ms=1,
        called_at=NOW,
    )
    callback = callbacks.store(token=token, kind="stk", body=b"{}", headers={}, remote_ip="", now=NOW)
    event = OutboxEvent.objects.get(aggregate_id=callback.id)
    request = enter()

    for page, row in (
        ("integrations/provideraccount", account),
        ("integrations/providercall", call),
        ("integrations/providercallback", callback),
        ("events/outboxevent", event),
    ):
        listed = request("get", f"/portal/{page}/")
        shown = request("get", f"/portal/{page}/{row.id}/change/")
        assert (listed.status_code, shown.status_code) == (200, 200)
        assert token not in listed.content.decode() + shown.content.decode()
        assert account.callback_token not in listed.content.decode() + shown.content.decode()
    assert str(callback.id) in shown.content.decode()
    assert request("get", "/portal/integrations/providercallback/?token__startswith=3").status_code == 400
    assert request("get", f"{LIST}?callback_token__startswith=3").status_code == 400


@pytest.mark.parametrize(
    ("provider", "address", "number", "secrets", "asked_for"),
    [
        (
            "stripe",
            "https://api.stripe.com",
            STRIPE,
            {"api_key": STRIPE_CREDENTIALS.api_key},
            "webhook_secret",
        ),
        (
            "paypal",
            "https://api-m.sandbox.paypal.com",
            PAYPAL,
            {
                "client_id": PAYPAL_CREDENTIALS.client_id,
                "client_secret": PAYPAL_CREDENTIALS.client_secret,
            },
            "webhook_id",
        ),
    ],
)
def test_a_person_opens_an_account_and_reads_where_it_sends_its_messages(
    enter, provider, address, number, secrets, asked_for
):
    request = enter()
    facts = form(provider=provider, base_url=address, currency="USD", short_code=number)

    added = request("get", f"{LIST}add/?provider={provider}").content.decode()
    answer = request("post", f"{LIST}add/", {**facts, **secrets})
    account = ProviderAccount.objects.get()
    shown = request("get", f"{LIST}{account.id}/change/").content.decode()

    assert answer.status_code == 302, answer.context["errors"]
    assert f"/{account.callback_token}/webhook" in shown
    for page in (added, shown):
        assert f'name="{asked_for}"' in page
        assert 'name="passkey"' not in page
        assert 'name="pull_number"' not in page
    assert not any(secret in shown for secret in secrets.values())
