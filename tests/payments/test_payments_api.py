"""Payments API: success, each refusal and each kind of caller."""

from itertools import product

import pytest
from django.test import Client

from apps.events.models import OutboxEvent
from apps.integrations.ports import CapturePort
from apps.integrations.services import providers
from apps.kit import ids
from apps.kit.actors import PROVIDER
from apps.payments import events
from apps.payments.api.serializers import PaymentIntentOut
from apps.payments.models import PaymentIntent
from apps.payments.services import intents
from tests.factories import access, payments
from tests.payments.partner import Partner, body, refused


@pytest.fixture
def shop(committed_acme):
    payments.account()
    return Partner()


def test_creates_a_payment(shop):
    answer = shop.post(body=body())

    said = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/acme/payments/{said['id']}"
    assert said["id"].startswith("pi_")
    assert said["object"] == "payment_intent"
    assert said["status"] == "processing"
    assert said["amount"] == {"amount": "1500.00", "currency": "KES"}
    assert said["payer"] == {"phone": "+254712345678", "name": "Njeri Kamau", "email": ""}
    assert said["branch_id"] == ids.encode("br", access.head_office().id)
    assert said["application_id"] == ids.encode("app", access.application().id)
    assert said["metadata"] == {"table": "7"}
    assert said["created_at"].endswith("Z")
    for empty in ("received", "fee", "next_action", "failure", "latest_attempt", "settled_at"):
        assert said[empty] is None


def test_answers_what_the_event_carries(shop):
    said = shop.post(body=body()).json()

    assert OutboxEvent.objects.get(type="payment_intent_created").data["object"] == said
    assert shop.get(f"/{said['id']}").json() == said
    assert shop.get().json()["data"] == [said]


def test_describes_every_field_that_it_answers(shop):
    said = shop.post(body=body()).json()

    assert set(PaymentIntentOut().fields) == set(said) == set(events.INTENT_SCHEMA["properties"])


def test_shows_a_settled_payment(shop):
    attempt = payments.waiting()
    intents.record(
        attempt_id=attempt.id,
        report=payments.collected(attempt, receipt="NLJ7RT61SV"),
        actor=PROVIDER,
        now=payments.NOW,
    )

    said = shop.get(f"/{ids.encode('pi', attempt.intent_id)}").json()

    assert said["status"] == "succeeded"
    assert said["received"] == {"amount": "1500.00", "currency": "KES"}
    assert said["fee"] == {"amount": "7.50", "currency": "KES"}
    assert said["provider_receipt"] == "NLJ7RT61SV"
    assert said["latest_attempt"]["status"] == "succeeded"
    assert said["latest_attempt"]["ticket"] == attempt.ticket
    assert said["settled_at"] == "2026-11-24T07:41:00.000Z"


def test_shows_what_the_payer_does_next(shop):
    attempt = payments.waiting()

    said = shop.get(f"/{ids.encode('pi', attempt.intent_id)}").json()

    assert said["status"] == "action_required"
    assert said["next_action"] == {"type": "prompt", "message": payments.PROMPT.message, "url": ""}


def test_shows_why_it_failed(shop):
    attempt = payments.waiting()
    intents.record(attempt_id=attempt.id, report=payments.declined(attempt), actor=PROVIDER, now=payments.NOW)

    said = shop.get(f"/{ids.encode('pi', attempt.intent_id)}").json()

    assert said["failure"] == {"code": "customer_cancelled", "message": "The payer cancelled the request."}


def test_repeats_the_answer_for_the_same_key(shop):
    first = shop.post(body=body(), **{"Idempotency-Key": "one"})
    second = shop.post(body=body(), **{"Idempotency-Key": "one"})

    assert (first.content, second.status_code) == (second.content, 201)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert PaymentIntent.objects.count() == 1


def test_refuses_the_same_key_for_another_body(shop):
    shop.post(body=body(), **{"Idempotency-Key": "one"})

    answer = shop.post(body=body(reference="ORD-2"), **{"Idempotency-Key": "one"})

    refused(answer, 422, "idempotency_key_reused")
    assert PaymentIntent.objects.count() == 1


def test_needs_an_idempotency_key(shop):
    one = f"/{ids.encode('pi', payments.intent(is_confirmed=False).id)}"

    for path in ("", f"{one}/confirm", f"{one}/cancel", f"{one}/verify"):
        refused(shop.post(path, body=body(), **{"Idempotency-Key": ""}), 400, "idempotency_key_required")


REFUSALS = [
    ({"amount": None}, "required", "/amount"),
    ({"amount": "1500.00"}, "invalid", "/amount"),
    ({"amount": {"amount": 1500, "currency": "KES"}}, "invalid", "/amount"),
    ({"amount": {"amount": "1500.001", "currency": "KES"}}, "amount_precision", "/amount"),
    ({"amount": {"amount": "x", "currency": "KES"}}, "amount_invalid", "/amount"),
    ({"amount": {"amount": "1.00", "currency": "XXX"}}, "currency_unknown", "/amount"),
    ({"amount": {"amount": "1500.50", "currency": "KES"}}, "amount_not_whole", "/amount"),
    ({"amount": {"amount": "1.00", "currency": "KES"}}, "amount_too_small", "/amount"),
    ({"amount": {"amount": "0.00", "currency": "KES"}}, "amount_too_small", "/amount"),
    ({"amount": {"amount": "999999.00", "currency": "KES"}}, "amount_too_large", "/amount"),
    ({"amount": {"amount": "15.00", "currency": "USD"}}, "method_not_available", "/method"),
    ({"method": "cash"}, "invalid_choice", "/method"),
    ({"method": None}, "method_required", "/method"),
    ({"method": None, "payer": None}, "method_required", "/method"),
    ({"methods": ["mpesa", "card"]}, "invalid", "/methods"),
    ({"method": None, "methods": []}, "empty", "/methods"),
    ({"method": None, "methods": ["mpesa", "cash"]}, "invalid_choice", "/methods/1"),
    ({"method": None, "methods": ["mpesa", "mpesa"]}, "repeated", "/methods"),
    ({"method": None, "methods": ["card", "paypal"]}, "method_not_available", "/methods/0"),
    (
        {"method": None, "methods": ["mpesa"], "saved_method_id": ids.encode("pm", ids.new())},
        "invalid",
        "/methods",
    ),
    ({"payer": None}, "phone_invalid", "/payer/phone"),
    ({"payer": {"phone": "12"}}, "phone_invalid", "/payer/phone"),
    ({"payer": {"phone": "0712345678", "mail": "x"}}, "unknown_field", "/payer/mail"),
    ({"payer": {"phone": "0712345678", "email": "x"}}, "invalid", "/payer/email"),
    ({"colour": "red"}, "unknown_field", "/colour"),
    ({"branch_id": "br_1"}, "invalid", "/branch_id"),
    ({"branch_id": ids.encode("pi", ids.new())}, "invalid", "/branch_id"),
    ({"branch_id": ids.encode("br", ids.new())}, "branch_unknown", "/branch_id"),
    ({"reference": "x" * 65}, "max_length", "/reference"),
    ({"reference": "a\x00b"}, "null_characters_not_allowed", "/reference"),
    ({"metadata": {"a b": "x"}}, "key", "/metadata"),
    ({"metadata": {str(n): "x" for n in range(51)}}, "too_many", "/metadata"),
]


def test_refuses_and_writes_nothing(shop):
    for changes, code, pointer in REFUSALS:
        refused(shop.post(body=body(**changes)), 422, code, pointer)

    assert not PaymentIntent.objects.exists()
    assert not OutboxEvent.objects.exists()


def test_refuses_what_is_no_object(shop):
    for raw in ("", "{", "[]", '"x"', "null"):
        answer = Client().post(
            "/v1/acme/payments",
            raw,
            content_type="application/json",
            headers={"Idempotency-Key": "one", **shop.headers},
        )
        assert answer.status_code in {400, 422}, raw
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_refuses_a_reference_twice_and_names_the_payment(shop):
    first = shop.post(body=body()).json()

    said = refused(shop.post(body=body()), 409, "duplicate_reference")

    assert first["id"] in said["detail"]


def test_waits_when_told_to_and_confirms(shop):
    created = shop.post(body=body(confirm=False)).json()
    assert created["status"] == "requires_confirmation"

    answer = shop.post(f"/{created['id']}/confirm")

    assert (answer.status_code, answer.json()["status"]) == (200, "processing")
    refused(shop.post(f"/{created['id']}/confirm"), 409, "invalid_state_transition")


def test_takes_several_methods_and_says_which_are_left(shop):
    said = shop.post(body=body(method=None, methods=["card", "mpesa"])).json()

    assert (said["method"], said["methods"]) == ("mpesa", ["mpesa"])


def test_confirms_with_a_method_that_was_missing(shop):
    created = shop.post(body=body(confirm=False, method=None, payer=None)).json()
    assert (created["status"], created["method"]) == ("requires_method", None)
    refused(shop.post(f"/{created['id']}/confirm"), 422, "method_required", "/method")

    choice = {"method": "mpesa", "payer": {"phone": "0700000001"}}
    said = shop.post(f"/{created['id']}/confirm", choice).json()

    assert said["payer"] == {"phone": "+254700000001", "name": "", "email": ""}


def test_cancels_what_has_not_been_sent(shop):
    created = shop.post(body=body()).json()

    answer = shop.post(f"/{created['id']}/cancel")

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")


def test_records_the_wish_to_cancel_a_prompt(shop):
    attempt = payments.waiting()

    answer = shop.post(f"/{ids.encode('pi', attempt.intent_id)}/cancel")

    said = answer.json()
    assert (answer.status_code, said["status"], said["cancel_requested"]) == (202, "action_required", True)


def test_refuses_to_cancel_what_is_paid(shop):
    attempt = payments.waiting()
    intents.record(
        attempt_id=attempt.id, report=payments.collected(attempt), actor=PROVIDER, now=payments.NOW
    )

    refused(shop.post(f"/{ids.encode('pi', attempt.intent_id)}/cancel"), 409, "invalid_state_transition")


def test_takes_a_receipt_to_verify(shop):
    attempt = payments.waiting()

    answer = shop.post(f"/{ids.encode('pi', attempt.intent_id)}/verify", {"receipt": "nlj7rt61sv"})

    assert answer.status_code == 202
    assert payments.reloaded(attempt).claimed_receipt == "NLJ7RT61SV"


def test_refuses_to_verify_what_is_no_receipt(shop):
    path = f"/{ids.encode('pi', payments.waiting().intent_id)}/verify"

    refused(shop.post(path, {"receipt": "x"}), 422, "receipt_invalid", "/receipt")
    refused(shop.post(path, {}), 422, "required", "/receipt")
    refused(shop.post(path, {"receipt": "NLJ7RT61SV", "sum": "1"}), 422, "unknown_field", "/sum")


def test_does_not_know_what_does_not_exist(shop):
    unknown_ids = ids.encode("pi", ids.new()), ids.encode("br", ids.new()), "pi_1", "1"
    for unknown, action in product(unknown_ids, ("", "/confirm", "/cancel", "/verify")):
        path = f"/{unknown}{action}"
        answer = (
            shop.post(path, {"receipt": "NLJ7RT61SV"} if "verify" in action else {})
            if action
            else shop.get(path)
        )
        refused(answer, 404, "resource_not_found")


def test_nothing_is_changed_or_deleted(shop):
    path = f"/v1/acme/payments/{ids.encode('pi', payments.intent().id)}"

    for method in ("put", "patch", "delete"):
        assert getattr(Client(), method)(path, headers=shop.headers).status_code == 405


def test_needs_a_key(shop):
    assert Client().get("/v1/acme/payments").status_code == 401
    assert Client().post("/v1/acme/payments", {}).status_code == 401


def test_needs_the_scope(shop):
    reader = Partner(scopes=("payments:read",))
    writer = Partner(scopes=("payments:write",))
    created = writer.post(body=body()).json()

    refused(writer.get(), 403, "insufficient_scope")
    refused(writer.get(f"/{created['id']}"), 403, "insufficient_scope")
    assert reader.get(f"/{created['id']}").status_code == 200
    refused(reader.post(body=body(reference="ORD-2")), 403, "insufficient_scope")
    for action in ("confirm", "cancel", "verify"):
        refused(reader.post(f"/{created['id']}/{action}"), 403, "insufficient_scope")
    assert PaymentIntent.objects.count() == 1


def test_a_key_of_a_branch_sees_and_makes_its_own_only(shop):
    cbd = access.branch()
    bound = Partner(branch=cbd)
    foreign = shop.post(body=body()).json()
    own = bound.post(body=body(reference="ORD-2")).json()

    assert own["branch_id"] == ids.encode("br", cbd.id)
    assert [row["id"] for row in bound.get().json()["data"]] == [own["id"]]
    assert len(shop.get().json()["data"]) == 2
    refused(bound.get(f"/{foreign['id']}"), 404, "resource_not_found")
    refused(bound.post(f"/{foreign['id']}/cancel"), 404, "resource_not_found")
    answer = bound.post(body=body(reference="ORD-3", branch_id=foreign["branch_id"]))
    refused(answer, 403, "branch_forbidden")
    assert PaymentIntent.objects.count() == 2


def test_a_key_of_another_organisation_is_unknown(shop, in_organisation):
    created = shop.post(body=body()).json()

    answer = Client().get(f"/v1/zuri/payments/{created['id']}", headers=shop.headers)

    assert answer.status_code == 401


def test_an_application_does_not_see_the_payments_of_another(shop):
    said = shop.post(body=body(confirm=False)).json()
    till = Partner(application_slug="till")

    assert till.get().json()["data"] == []
    refused(till.get(f"/{said['id']}"), 404, "resource_not_found")
    for deed, sent in (("confirm", {}), ("cancel", {}), ("verify", {"receipt": "NLJ7RT61SV"})):
        refused(till.post(f"/{said['id']}/{deed}", sent), 404, "resource_not_found")
    assert shop.get(f"/{said['id']}").json() == said


def test_refuses_to_capture_what_the_rail_takes_at_once(shop, monkeypatch):
    created = shop.post(body=body(confirm=False)).json()
    path = f"/{created['id']}/capture"

    said = refused(shop.post(path), 409, "capture_not_supported")
    refused(shop.post(path, {"amount": {"amount": "10.00", "currency": "KES"}}), 409, "capture_not_supported")
    refused(shop.post(path, {"sum": "1"}), 422, "unknown_field", "/sum")

    assert "M-Pesa" in said["detail"]
    assert shop.get(f"/{created['id']}").json() == created
    monkeypatch.setitem(providers.PORTS["mpesa"], CapturePort, object)
    refused(shop.post(path), 409, "invalid_state_transition")
    bare = shop.post(body=body(confirm=False, method=None, payer=None, reference="ORD-2")).json()
    refused(shop.post(f"/{bare['id']}/capture"), 409, "invalid_state_transition")
