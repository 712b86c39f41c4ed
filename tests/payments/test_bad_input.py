"""Bad input: each thing that cannot be is refused by its field and a stable code, and nothing is written and nothing sent."""

from datetime import UTC, datetime

import pytest

from apps.access.models import ApiKey
from apps.access.services import access_tokens, api_keys
from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.kit import clock
from apps.kit.actors import SYSTEM
from apps.ledger.models import Entry
from apps.payments.models import PaymentAttempt, PaymentIntent
from apps.payments.services import intents
from tests.factories import access
from tests.payments.partner import Partner, body

LONG_AGO = datetime(2026, 11, 25, tzinfo=UTC)
WRITTEN = (PaymentIntent, PaymentAttempt, OutboxEvent, Entry, AuditRecord)
AMOUNT, PHONE = "/amount", "/payer/phone"


def kes(amount, currency="KES"):
    return {"amount": {"amount": amount, "currency": currency}}


def phone(text):
    return {"payer": {"phone": text}}


REFUSED = [
    *((phone(text), 422, "phone_invalid", PHONE) for text in (
        "12", "0812345678", "07123456789", "071234567", "+1 202 555 0100", "+254 20 1234567", "25471234567890",
        "+2547123456\uff178", "0712x45678", "tel:0712345678", "++254712345678", "00254712345678",
    )),
    (phone(""), 422, "phone_invalid", PHONE),
    (phone(None), 422, "null", PHONE),
    (phone(["0712345678"]), 422, "invalid", PHONE),
    (phone("0" * 31), 422, "max_length", PHONE),
    (kes("1500.50"), 422, "amount_not_whole", AMOUNT),
    (kes("0.01"), 422, "amount_not_whole", AMOUNT),
    (kes("1500.001"), 422, "amount_precision", AMOUNT),
    (kes("0.00"), 422, "amount_too_small", AMOUNT),
    (kes("-10.00"), 422, "amount_too_small", AMOUNT),
    (kes("250001.00"), 422, "amount_too_large", AMOUNT),
    (kes("1" * 40 + ".00"), 422, "amount_invalid", AMOUNT),
    (kes("1,500.00"), 422, "amount_invalid", AMOUNT),
    (kes("1e3"), 422, "amount_invalid", AMOUNT),
    (kes("NaN"), 422, "amount_invalid", AMOUNT),
    (kes(1500), 422, "invalid", AMOUNT),
    (kes(1500.0), 422, "invalid", AMOUNT),
    (kes("1500.00", "XXX"), 422, "currency_unknown", AMOUNT),
    (kes("1500.00", "kes"), 422, "currency_unknown", AMOUNT),
    (kes("1500.00", ""), 422, "currency_unknown", AMOUNT),
    (kes("15.00", "USD"), 422, "method_not_available", "/method"),
    ({"reference": "ORD-USED"}, 409, "duplicate_reference", "/reference"),
    ({"payable": {"type": "order", "id": "7"}}, 409, "payment_in_progress", "/payable"),
    ({"payable": {"type": "order"}}, 422, "required", "/payable/id"),
    ({"colour": "red"}, 422, "unknown_field", "/colour"),
    ({"payer": {"phone": "0712345678", "mail": "x"}}, 422, "unknown_field", "/payer/mail"),
    ({"payer": {"phone": "0712345678", "email": "x"}}, 422, "invalid", "/payer/email"),
    ({"payable": {"type": "order", "id": "8", "x": 1}}, 422, "unknown_field", "/payable/x"),
    ({"amount": {"amount": "1.00", "currency": "KES", "x": 1}}, 422, "invalid", AMOUNT),
    ({"status": "succeeded"}, 422, "unknown_field", "/status"),
]  # fmt: skip


@pytest.fixture
def shop(rail):
    """Return a partner one of whose payments bears a reference and a payable, and has not been sent."""
    shop = Partner()
    used = body(reference="ORD-USED", payable={"type": "order", "id": "7"}, confirm=False)
    assert shop.post(body=used).status_code == 201
    return shop


def counts():
    return [model.objects.count() for model in WRITTEN]


def sent(rail):
    """Have a worker send whatever is due, and return what reached the simulator."""
    for intent_id in PaymentIntent.objects.filter(next_request_at__isnull=False).values_list("id", flat=True):
        intents.request(intent_id=intent_id, now=clock.now())
    return [each for each in rail.control("GET", "/log").json()["entries"] if each["kind"] == "call"]


def useless(in_organisation):
    """Return credentials that open nothing here, by what is wrong with them."""
    in_organisation("zuri")
    foreign = access.issued().secret
    in_organisation("acme")
    caller = access.caller()
    expired, revoked = access.issued(), access.issued()
    ApiKey.objects.filter(id=expired.key.id).update(expires_at=LONG_AGO)
    api_keys.revoke(key_id=revoked.key.id, actor=SYSTEM, now=clock.now())
    return {
        "foreign": foreign,
        "expired": expired.secret,
        "revoked": revoked.secret,
        "expired token": access_tokens.issue(caller=caller, scopes=["payments:write"], now=LONG_AGO).text,
        "invented": "tsk_test_" + "a" * 8 + "_" + "a" * 40,
        "empty": "",
    }


def test_what_cannot_be_is_refused_by_its_field_and_leaves_nothing(shop, rail):
    before = counts()
    for changes, status, code, pointer in REFUSED:
        answer = shop.post(body=body(**{"reference": "ORD-NEW", **changes}))
        said = answer.json()
        assert answer.headers["Content-Type"] == "application/problem+json", changes
        assert (answer.status_code, said["errors"][0]["code"], said["errors"][0]["pointer"]) == (
            status,
            code,
            pointer,
        ), (changes, said)
        assert said["status"] == status
        assert said["type"] == f"/v1/docs/errors#{said['code']}"
    assert (counts(), sent(rail)) == (before, [])


def test_a_token_that_opens_nothing_is_one_and_the_same_401(shop, rail, in_organisation):
    secrets = useless(in_organisation)
    before, said = counts(), {}
    for name, secret in secrets.items():
        answer = shop.post(body=body(), **access.bearer(secret))
        assert answer.status_code == 401, name
        assert answer.headers["Content-Type"] == "application/problem+json"
        said[name] = {key: value for key, value in answer.json().items() if key != "request_id"}
    assert {each["code"] for each in said.values()} == {"unauthenticated"}
    assert all(each == said["empty"] for each in said.values())
    assert (counts(), sent(rail)) == (before, [])
