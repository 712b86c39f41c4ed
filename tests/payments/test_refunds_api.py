"""Refunds API: success, each refusal and each kind of caller."""

import json
from itertools import count

import pytest
from django.test import Client

from apps.events.models import OutboxEvent
from apps.integrations.ports import ProviderDeclined, RefundOutcome, RefundReport
from apps.kit import ids
from apps.kit.actors import PROVIDER
from apps.payments import events
from apps.payments.api.serializers import RefundOut
from apps.payments.contracts import RefundStatus
from apps.payments.models import Refund
from apps.payments.services import refunds, sendings
from tests.factories import access, payments
from tests.factories import refunds as made
from tests.payments.partner import Partner, refused
from tests.payments.test_late_money import choose
from tests.payments.test_pay_in_parts import TWO_THIRDS, partly, pay

_keys = count(1)


class Shop(Partner):
    """The same partner at the refunds."""

    def get(self, path="", **query):
        return self.inside(Client().get(f"/v1/{self.slug}/refunds{path}", query, headers=self.headers))

    def post(self, path="", body=None, **headers):
        answer = Client().post(
            f"/v1/{self.slug}/refunds{path}",
            json.dumps({} if body is None else body),
            content_type="application/json",
            headers={"Idempotency-Key": f"refund-{next(_keys)}", **self.headers, **headers},
        )
        return self.inside(answer)


@pytest.fixture
def shop(committed_acme):
    payments.account()
    return Shop()


def body(attempt, **changes):
    return {"payment_id": ids.encode("pi", attempt.intent_id), "reason": made.REASON, **changes}


def test_asks_for_a_refund(shop):
    attempt = made.paid()

    answer = shop.post(body=body(attempt, amount={"amount": "1500.00", "currency": "KES"}))

    said = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/acme/refunds/{said['id']}"
    assert (said["object"], said["status"]) == ("refund", "requested")
    assert said["amount"] == {"amount": "1500.00", "currency": "KES"}
    assert said["payment_receipt"] == attempt.provider_receipt
    for empty in ("charge", "approval_id", "failure", "refunded_at"):
        assert said[empty] is None
    assert OutboxEvent.objects.get(type="refund_requested").data["object"] == said
    assert shop.get(f"/{said['id']}").json() == said
    assert shop.get().json()["data"] == [said]
    assert set(RefundOut().fields) == set(said) == set(events.REFUND_SCHEMA["properties"])


def test_a_repeat_with_the_same_key_asks_once(shop):
    attempt = made.paid()

    answers = [shop.post(body=body(attempt), **{"Idempotency-Key": "once"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Refund.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "status", "code", "pointer"),
    [
        ({"amount": {"amount": "10.00", "currency": "KES"}}, 422, "partial_refund_not_supported", "/amount"),
        ({"amount": {"amount": "1500.01", "currency": "KES"}}, 422, "refund_too_large", "/amount"),
        ({"amount": 1500}, 422, "invalid", "/amount"),
        ({"reason": ""}, 422, "blank", "/reason"),
        ({"reason": "x" * 201}, 422, "max_length", "/reason"),
        ({"payment_id": "re_1"}, 422, "invalid", "/payment_id"),
        ({"note": "no"}, 422, "unknown_field", "/note"),
    ],
)
def test_refuses_by_naming_the_field(shop, changes, status, code, pointer):
    attempt = made.paid()

    refused(shop.post(body=body(attempt, **changes)), status, code, pointer)

    assert not Refund.objects.exists()


def test_refuses_what_cannot_go_back(shop):
    refused(shop.post(body=body(payments.waiting())), 409, "payment_not_paid", "/payment_id")
    refund = made.pending()
    refused(shop.post(body=body(refund.attempt)), 409, "refund_in_progress", "/payment_id")
    refunds.record(refund_id=refund.id, report=made.given_back(refund), actor=PROVIDER, now=made.NOW)
    refused(shop.post(body=body(refund.attempt)), 409, "already_refunded", "/payment_id")


def test_a_payment_that_is_not_there_or_of_another_application_is_none(shop):
    nobodys = ids.encode("pi", ids.new())
    refused(shop.post(body={"payment_id": nobodys, "reason": "No"}), 404, "resource_not_found")
    other = made.paid(application_id=access.application("other").id)

    refused(shop.post(body=body(other)), 404, "resource_not_found")
    assert not Refund.objects.exists()


def test_finds_the_refunds_of_a_payment(shop):
    first, second = made.requested(), made.pending()

    of_first = shop.get(payment_id=ids.encode("pi", first.intent_id)).json()["data"]
    pending = shop.get(status="pending").json()["data"]

    assert [one["id"] for one in of_first] == [ids.encode("re", first.id)]
    assert [one["id"] for one in pending] == [ids.encode("re", second.id)]
    refused(shop.get(colour="red"), 400, "filter_unknown")


def test_shows_what_went_back_on_the_payment(shop):
    refund = made.pending()
    refunds.record(refund_id=refund.id, report=made.given_back(refund), actor=PROVIDER, now=made.NOW)
    path = f"/v1/acme/payments/{ids.encode('pi', refund.intent_id)}"

    said = shop.inside(Client().get(path, headers=shop.headers)).json()

    assert said["refunded"] == {"amount": "1500.00", "currency": "KES"}


def test_verifies_an_unknown_one(shop):
    refund = made.unknown()
    path = f"/{ids.encode('re', refund.id)}/verify"

    answer = shop.post(path, {"receipt": "nlj90abcde"})

    assert answer.status_code == 202
    assert made.reloaded(refund).claimed_receipt == "NLJ90ABCDE"
    refused(shop.post(path, {}), 422, "receipt_invalid", "/receipt")
    refused(shop.post(path, {"receipt": "no"}), 422, "receipt_invalid", "/receipt")
    refused(shop.post(path, {"receipt": refund.payment_receipt}), 409, "receipt_used", "/receipt")
    pending = made.pending()
    other = f"/{ids.encode('re', pending.id)}/verify"
    refused(shop.post(other, {"receipt": "NLJ90ABCDF"}), 409, "invalid_state_transition")


def test_asks_by_the_ticket_without_a_receipt(shop):
    refund = made.unknown()
    lost = RefundReport("71840-9", RefundOutcome.LOST)
    refunds.record(refund_id=refund.id, report=lost, actor=PROVIDER, now=made.NOW)

    answer = shop.post(f"/{ids.encode('re', refund.id)}/verify", {})

    assert answer.status_code == 202
    assert made.reloaded(refund).claimed_receipt == ""


def test_what_changes_by_waiting_is_not_kept_under_the_key(shop):
    attempt = made.paid()
    first = made.requested(attempt)
    refused(
        shop.post(body=body(attempt), **{"Idempotency-Key": "kept"}), 409, "refund_in_progress", "/payment_id"
    )
    sendings.begin(refund_id=first.id, now=made.NOW)
    sendings.decline(refund_id=first.id, refusal=ProviderDeclined("float_insufficient"), now=made.NOW)

    assert shop.post(body=body(attempt), **{"Idempotency-Key": "kept"}).status_code == 201


def test_needs_the_scopes(committed_acme):
    payments.account()
    refund = made.requested()
    reader, stranger = Shop(scopes=("refunds:read",)), Shop(scopes=("payments:read", "payments:write"))

    assert reader.get().status_code == 200
    refused(reader.post(body=body(refund.attempt)), 403, "insufficient_scope")
    refused(stranger.get(), 403, "insufficient_scope")
    assert Client().get("/v1/acme/refunds").status_code == 401


def test_a_key_of_a_branch_sees_its_branch_only(committed_acme):
    payments.account()
    made.requested()

    assert Shop(branch=access.branch()).get().json()["data"] == []
    assert Refund.objects.get().status == RefundStatus.REQUESTED


def test_a_part_is_named(shop):
    access.portal()
    choose(takes_parts=True)
    intent = partly()
    pay(intent, TWO_THIRDS, "SKH0000002")
    attempt = payments.reload(intent.id).current_attempt
    parts = events.snapshot(payments.reload(intent.id))["parts"]

    refused(shop.post(body=body(attempt)), 422, "payment_in_parts", "/attempt_id")
    foreign = ids.encode("pa", payments.waiting(reference="B").id)
    refused(shop.post(body=body(attempt, attempt_id=foreign)), 422, "payment_in_parts", "/attempt_id")
    assert not Refund.objects.exists()
    answer = shop.post(body=body(attempt, attempt_id=parts[0]["attempt_id"]))

    assert answer.status_code == 201
    assert (answer.json()["amount"], answer.json()["payment_receipt"]) == (
        parts[0]["received"],
        parts[0]["provider_receipt"],
    )
