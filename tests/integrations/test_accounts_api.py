"""Provider accounts over the API: secrets go in and never come out, and every deed needs its scope."""

import json
from itertools import count

import pytest
from django.db import connection
from django.test import Client

from apps.audit.models import AuditRecord
from apps.integrations.models import ProviderAccount, ProviderErrorRule
from apps.integrations.services import accounts
from apps.kit import circuits, ids, rooms
from apps.kit.circuits import Position
from tests.factories import access
from tests.factories.integrations import CREDENTIALS, provider_account, simulated_account

SECRETS = {
    "consumer_key": "key-of-tests",
    "consumer_secret": "secret-of-tests",
    "passkey": "passkey-of-tests",
}
_keys = count(1)


def kes(amount):
    return {"amount": amount, "currency": "KES"}


BODY = {
    "provider": "mpesa",
    "label": "Savanna paybill",
    "environment": "sandbox",
    "base_url": "https://sandbox.safaricom.co.ke",
    "short_code": "600777",
    "fee_bps": 55,
    "minimum": kes("1.00"),
    "maximum": kes("250000.00"),
    "credentials": SECRETS,
}
REFUSED = [
    ({"short_code": "12"}, "provider_account_invalid", "/short_code"),
    ({"environment": "production"}, "provider_account_invalid", "/environment"),
    ({"minimum": {"amount": "1.00", "currency": "USD"}}, "validation_error", "/minimum"),
    ({"maximum": kes("0.50")}, "provider_account_invalid", "/maximum"),
    ({"minimum": kes("0.50")}, "provider_account_invalid", "/minimum"),
    ({"credentials": {"consumer_key": "x"}}, "validation_error", "/credentials/consumer_secret"),
    ({"credentials": {**SECRETS, "pin": "1"}}, "validation_error", "/credentials/pin"),
    ({"colour": "red"}, "validation_error", "/colour"),
    ({"provider": "elsewhere"}, "validation_error", "/provider"),
]


@pytest.fixture
def call(request):
    """Return a function that calls the API as a key with these scopes, and comes back to the organisation."""
    fixture = "committed_acme" if "simulator" in request.fixturenames else "acme"
    organisation = request.getfixturevalue(fixture)
    secrets = {}

    def ask(method, path, sent=None, scopes=("providers:read", "providers:write"), **chosen):
        who = (scopes, *chosen.items())
        secrets[who] = secrets.get(who) or access.issued(scopes, **chosen).secret
        answer = Client().generic(
            method,
            f"/v1/acme/{path}",
            json.dumps(sent if sent is not None else {}),
            content_type="application/json",
            headers={**access.bearer(secrets[who]), "Idempotency-Key": f"key-{next(_keys)}"},
        )
        connection.set_tenant(organisation)
        return answer

    return ask


def pac(account):
    return f"provider-accounts/{ids.encode('pac', account.id)}"


def test_opens_an_account_whose_secrets_are_never_told_again(call):
    answer = call("POST", "provider-accounts", BODY)

    said = answer.json()
    account = ProviderAccount.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/v1/acme/{pac(account)}")
    assert accounts.open_credentials(account).passkey == SECRETS["passkey"]
    assert (said["short_code"], said["is_enabled"], said["maximum"]) == ("600777", True, kes("250000.00"))
    told = answer.content + call("GET", "provider-accounts").content + call("GET", pac(account)).content
    for secret in (*SECRETS.values(), account.callback_token):
        assert secret.encode() not in told
    record = AuditRecord.objects.get(action="provider_account.create")
    assert not any(secret in json.dumps(record.changes) for secret in SECRETS.values())


def test_refuses_what_cannot_be_by_its_field_and_opens_nothing(call):
    for changes, code, pointer in REFUSED:
        answer = call("POST", "provider-accounts", {**BODY, **changes})
        said = answer.json()
        assert (answer.status_code, said["code"]) == (422, code), said
        assert pointer in [each["pointer"] for each in said["errors"]], said

    assert not ProviderAccount.objects.exists()


def test_changes_terms_and_replaces_all_secrets_together(call):
    account = provider_account()

    assert call("PATCH", pac(account), {"fee_bps": 60, "maximum": kes("1000.00")}).json()["fee_bps"] == 60
    account.refresh_from_db()
    assert (account.maximum_minor, accounts.open_credentials(account)) == (1000_00, CREDENTIALS)
    assert call("PATCH", pac(account), {"credentials": SECRETS}).status_code == 200
    account.refresh_from_db()
    assert accounts.open_credentials(account).consumer_key == "key-of-tests"
    for refused in ({"short_code": "600999"}, {"base_url": "https://other.example.test"}):
        assert call("PATCH", pac(account), refused).status_code == 422


def test_is_switched_off_and_on_and_its_calls_are_stopped(call):
    account = provider_account()

    assert call("POST", f"{pac(account)}/disable", {"reason": "Moved"}).json()["is_enabled"] is False
    assert call("POST", f"{pac(account)}/enable").json()["is_enabled"] is True
    circuit = {"kind": "stk_push", "reason": "The provider asks for it"}
    assert call("POST", f"{pac(account)}/open-circuit", circuit).status_code == 200
    standing = call("GET", f"{pac(account)}/standing").json()
    assert [each["kind"] for each in standing["circuits"] if each["position"] == "held_open"] == ["stk_push"]
    assert (standing["balance"], standing["registration"], standing["calls"]) == (None, None, [])
    assert call("POST", f"{pac(account)}/close-circuit", circuit).status_code == 200
    assert {found.position for found in circuits.look([f"org_acme:{account.id}:stk_push"]).values()} <= {
        Position.CLOSED
    }
    answer = call("POST", f"{pac(account)}/open-circuit", {**circuit, "kind": "tea"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/kind")


def test_a_test_signs_in_and_asks_for_nothing(call, simulator):
    account = simulated_account(simulator.url)

    good = call("POST", f"{pac(account)}/test")
    call("PATCH", pac(account), {"credentials": SECRETS})
    bad = call("POST", f"{pac(account)}/test")

    assert (good.status_code, good.json()["is_well"]) == (200, True)
    assert (bad.json()["is_well"], bad.json()["code"]) == (False, "invalid_credentials")
    assert {entry["path"] for entry in simulator.calls()} == {"/oauth/v1/generate"}
    said = AuditRecord.objects.filter(action="provider_account.tested").order_by("id")
    assert [record.changes["connection"][1] for record in said] == ["well", "invalid_credentials"]


def test_waits_for_a_provider_only_while_there_is_room(call, settings):
    account = provider_account()
    settings.TREASURY = {**settings.TREASURY, "WAITING_REQUESTS": 1}

    with rooms.ROOM.place():
        answer = call("POST", f"{pac(account)}/test")

    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (503, "room_full", True)
    assert not AuditRecord.objects.filter(action="provider_account.tested").exists()


def test_says_what_refusals_stand_for(call):
    rule = {
        "provider": "mpesa",
        "flow": "collection",
        "code": "1032",
        "reason_code": "expired",
        "retry_after_seconds": 60,
    }

    made = call("POST", "provider-error-rules", rule).json()
    retired = call("POST", f"provider-error-rules/{made['id']}/retire", {"reason": "Not so"}).json()

    assert (made["flow"], made["is_enabled"], retired["is_enabled"]) == ("collection", True, False)
    assert made["retry_after_seconds"] == 60
    assert [each["id"] for each in call("GET", "provider-error-rules").json()["data"]] == [made["id"]]
    wrong = call("POST", "provider-error-rules", {**rule, "reason_code": "rain"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/reason_code")
    bound = call("POST", "provider-error-rules", {**rule, "code": "1"}, branch=access.branch())
    assert (bound.status_code, ProviderErrorRule.objects.count()) == (403, 1)


def test_needs_the_scope_and_the_branch(call):
    account = provider_account()
    reading, other = ("providers:read",), ("payments:write",)

    for path in ("enable", "disable", "test", "register-addresses", "ask-balance", "open-circuit"):
        assert call("POST", f"{pac(account)}/{path}", scopes=reading).status_code == 403
        assert call("POST", f"{pac(account)}/{path}", branch=access.branch()).status_code in {404, 422}
    assert call("GET", pac(account), scopes=other).status_code == 403
    assert call("POST", "provider-accounts", BODY, scopes=reading).status_code == 403
    assert call("GET", pac(account), branch=access.branch()).status_code == 404
    account.refresh_from_db()
    assert account.is_enabled
    assert (
        not AuditRecord.objects.filter(object_type="provider_account")
        .exclude(action="provider_account.create")
        .exists()
    )
