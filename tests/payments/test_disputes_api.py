"""Disputes API: success, each refusal and each kind of caller."""

import base64
import json
from itertools import count

import pytest
from django.test import Client

from apps.events.models import OutboxEvent
from apps.integrations.ports import DisputeStage
from apps.kit import clock, ids
from apps.payments.api.dispute_serializers import DisputeOut
from apps.payments.events.schemas import DISPUTE_SCHEMA
from apps.payments.models import DisputeFile
from tests.factories import disputes as made
from tests.factories import payments
from tests.payments.partner import Partner, refused

_keys = count(1)


class Shop(Partner):
    """The same partner at the disputes."""

    def get(self, path="", **query):
        return self.inside(
            Client().get(f"/v1/{self.slug}/payments/disputes{path}", query, headers=self.headers)
        )

    def post(self, path, body=None, **headers):
        answer = Client().post(
            f"/v1/{self.slug}/payments/disputes{path}",
            json.dumps({} if body is None else body),
            content_type="application/json",
            headers={"Idempotency-Key": f"dispute-{next(_keys)}", **self.headers, **headers},
        )
        return self.inside(answer)

    def delete(self, path):
        return self.inside(Client().delete(f"/v1/{self.slug}/payments/disputes{path}", headers=self.headers))


@pytest.fixture
def shop(committed_acme):
    payments.account()
    return Shop()


@pytest.fixture
def row(shop):
    return made.opened(now=clock.now())


def path(row):
    return f"/{ids.encode('dp', row.id)}"


def test_reads_and_finds_them(shop, row):
    said = shop.get(path(row)).json()

    assert set(DisputeOut().fields) == set(said) == set(DISPUTE_SCHEMA["properties"])
    assert (said["status"], said["reason"], said["flag"]) == ("needs_response", "fraudulent", None)
    assert said["withdrawn"] == said["amount"] == {"amount": "1500.00", "currency": "KES"}
    assert said["payment_id"] == ids.encode("pi", row.intent_id)
    assert OutboxEvent.objects.get(type="payment_dispute_opened").data["object"] == said
    assert shop.get().json()["data"] == [said]
    assert shop.get(status="needs_response", payment_id=said["payment_id"]).json()["data"] == [said]
    assert shop.get(status="won,lost").json()["data"] == []
    assert shop.get(provider_dispute=row.ticket, **{"due_by[gte]": said["due_by"]}).json()["data"] == [said]
    refused(shop.get(sum="1"), 400, "filter_unknown")


def test_evidence_is_drafted_and_submitted_once(shop, row):
    refused(shop.post(f"{path(row)}/submit"), 422, "evidence_missing")
    refused(shop.post(f"{path(row)}/evidence", {"colour": "red"}), 422, "unknown_field", "/colour")
    written = shop.post(f"{path(row)}/evidence", {"text": "He was here.", "service_date": "2026-11-24"})
    assert written.json()["texts"] == {"text": "He was here.", "service_date": "2026-11-24"}

    content = base64.b64encode(made.PDF).decode()
    file = {"purpose": "receipt", "name": "bill.pdf", "content": content}
    refused(shop.post(f"{path(row)}/files", {**file, "content": "?"}), 422, "invalid", "/content")
    refused(shop.post(f"{path(row)}/files", {**file, "content": "TVo="}), 422, "evidence_invalid", "/content")
    attached = shop.post(f"{path(row)}/files", file)
    assert (attached.status_code, attached.json()["media_type"]) == (201, "application/pdf")
    assert shop.get(f"{path(row)}/evidence").json()["files"] == [attached.json()]
    assert shop.delete(f"{path(row)}/files?purpose=receipt").status_code == 204
    assert shop.delete(f"{path(row)}/files?purpose=receipt").status_code == 204
    refused(shop.delete(f"{path(row)}/files?purpose=colour"), 422, "invalid_choice", "/purpose")
    assert not DisputeFile.objects.kept().exists()

    key = {"Idempotency-Key": "once"}
    first, again = (shop.post(f"{path(row)}/submit", **key) for _ in range(2))
    assert (first.status_code, first.json()["status"], first.json()["answer"]) == (
        202,
        "submitted",
        "evidence",
    )
    assert again.json() == first.json()
    refused(shop.post(f"{path(row)}/submit"), 409, "invalid_state_transition")
    refused(shop.post(f"{path(row)}/files", file), 409, "invalid_state_transition")
    refused(shop.post(f"{path(row)}/accept", {"reason": "Too late"}), 409, "invalid_state_transition")


def test_one_is_given_up_with_a_reason(shop, row):
    refused(shop.post(f"{path(row)}/accept"), 422, "required", "/reason")

    accepted = shop.post(f"{path(row)}/accept", {"reason": "Not worth it"})

    assert (accepted.status_code, accepted.json()["answer"]) == (202, "acceptance")


def test_a_loss_is_appealed_once_where_the_provider_takes_that(shop, row):
    refused(shop.post(f"{path(row)}/appeal"), 409, "invalid_state_transition")
    lost = made.opened(now=clock.now(), stage=DisputeStage.LOST, may_appeal=True)
    assert shop.get(path(lost)).json()["may_appeal"] is True
    refused(shop.post(f"{path(lost)}/appeal"), 422, "evidence_missing")
    refused(shop.post(f"{path(lost)}/submit"), 409, "invalid_state_transition")
    assert shop.post(f"{path(lost)}/evidence", {"text": "Here is who signed."}).status_code == 200

    key = {"Idempotency-Key": "appeal-once"}
    first, again = (shop.post(f"{path(lost)}/appeal", **key) for _ in range(2))

    said = first.json()
    assert (first.status_code, again.json()) == (202, said)
    assert (said["status"], said["answer"], said["may_appeal"], said["is_appealing"]) == (
        "lost",
        "appeal",
        False,
        True,
    )
    refused(shop.post(f"{path(lost)}/appeal"), 409, "invalid_state_transition")
    refused(shop.post(f"{path(lost)}/evidence", {"text": "More"}), 409, "invalid_state_transition")


def test_who_may_not_is_refused(shop, row):
    reader = Shop(scopes=("payments:read",))
    refused(reader.get(), 403, "insufficient_scope")
    reader = Shop(scopes=("disputes:read",))
    assert reader.get(path(row)).status_code == 200
    refused(reader.post(f"{path(row)}/submit"), 403, "insufficient_scope")
    refused(reader.post(f"{path(row)}/appeal"), 403, "insufficient_scope")
    other = Shop(application_slug="other")
    refused(other.get(path(row)), 404, "resource_not_found")
    refused(other.post(f"{path(row)}/submit"), 404, "resource_not_found")
    refused(other.post(f"{path(row)}/appeal"), 404, "resource_not_found")
