"""Saved methods over the API: success, each refusal, and what another application or a lesser key sees."""

import pytest

from apps.events.models import OutboxEvent
from apps.kit import ids
from apps.payments.api.method_serializers import SavedMethodOut
from apps.payments.events.schemas import METHOD_SCHEMA
from apps.payments.models import PaymentIntent, SavedMethod
from tests.factories import access
from tests.factories import saved_methods as made
from tests.payments import cards, wallets
from tests.payments.partner import Partner, refused

USD_25 = {"amount": "25.00", "currency": "USD"}
CONSENT = {
    "text": "Savanna Kitchens may charge my card.",
    "use": "off_session",
    "given_at": "2026-11-24T07:00:00.000Z",
    "ip_address": "203.0.113.7",
}


@pytest.fixture
def partner(committed_acme):
    cards.account()
    return Partner()


def body(**changes):
    return {
        "method": "card",
        "currency": "USD",
        "payer": {"reference": "customer-17", "name": "Amina Otieno"},
        "consent": CONSENT,
        "return_url": "https://shop.example.test/cards",
        **changes,
    }


def test_asks_a_payer_and_keeps_what_he_agreed_to(partner):
    answer = partner.post("/methods", body())

    said = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/acme/payments/methods/{said['id']}"
    assert (said["object"], said["status"], said["method"]) == ("payment_method", "requested", "card")
    assert (said["consent"], said["payer"]) == (CONSENT, {"reference": "customer-17", "name": "Amina Otieno"})
    assert set(SavedMethodOut().fields) == set(said) == set(METHOD_SCHEMA["properties"])
    assert partner.get(f"/methods/{said['id']}").json() == said
    assert partner.get("/methods", payer_reference="customer-17").json()["data"] == [said]
    assert partner.get("/methods", status="active,forgotten").json()["data"] == []


def test_asks_a_payer_for_his_wallet(partner):
    wallets.account()

    said = partner.post("/methods", body(method="paypal")).json()

    assert (said["status"], said["method"], said["card"], said["wallet"]) == (
        "requested",
        "paypal",
        None,
        None,
    )


def test_charges_it_and_has_it_forgotten(partner):
    saved = made.kept()
    named = {"saved_method_id": ids.encode("pm", saved.id)}
    saying = OutboxEvent.objects.get(type="payment_method_saved").data["object"]
    assert saying == partner.get(f"/methods/{named['saved_method_id']}").json()
    assert saying["card"]["last4"] == "4242"

    paid = partner.post(body={"amount": USD_25, "method": "card", **named})
    assert (paid.status_code, paid.json()["saved_method_id"]) == (201, named["saved_method_id"])
    later = partner.post(body={"amount": USD_25, "confirm": False})
    assert (
        partner.post(f"/{later.json()['id']}/confirm", {"method": "card", "force": True, **named}).status_code
        == 200
    )
    assert refused(partner.post(body={"amount": USD_25, **named}), 422, "method_required")
    forgotten = [partner.post(f"/methods/{named['saved_method_id']}/forget") for _ in range(2)]

    assert [answer.status_code for answer in forgotten] == [202, 202]
    assert forgotten[0].json()["status"] == "forgetting"
    assert refused(
        partner.post(body={"amount": USD_25, "method": "card", **named}), 409, "saved_method_not_active"
    )


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"method": "mpesa"}, "saving_not_supported", "/method"),
        ({"currency": "EUR"}, "saving_not_supported", "/currency"),
        (
            {"consent": {**CONSENT, "given_at": "2127-01-01T00:00:00Z"}},
            "consent_invalid",
            "/consent/given_at",
        ),
        ({"consent": {**CONSENT, "text": " "}}, "blank", "/consent/text"),
        ({"consent": {**CONSENT, "use": "always"}}, "invalid_choice", "/consent/use"),
        ({"consent": {**CONSENT, "text": "4242 4242 4242 4242"}}, "card_number", "/consent/text"),
        ({"payer": {"name": "Amina"}}, "required", "/payer/reference"),
        ({"return_url": "javascript:alert(1)"}, "invalid", "/return_url"),
        ({"card": "4242"}, "unknown_field", "/card"),
    ],
)
def test_names_the_field_that_is_wrong_and_writes_nothing(partner, changes, code, pointer):
    refused(partner.post("/methods", body(**changes)), 422, code, pointer)

    assert not SavedMethod.objects.exists()


def test_shows_and_charges_none_of_another_application_or_branch(partner):
    others = [
        made.kept(application_id=access.application("riders").id),
        made.kept(branch_id=access.branch().id),
    ]
    for saved in others:
        named = ids.encode("pm", saved.id)
        charge = {"amount": USD_25, "method": "card", "saved_method_id": named}
        refused(partner.post(body=charge), 422, "saved_method_unknown", "/saved_method_id")
    theirs = ids.encode("pm", others[0].id)

    assert partner.get(f"/methods/{theirs}").status_code == 404
    assert partner.post(f"/methods/{theirs}/forget").status_code == 404
    assert not PaymentIntent.objects.exists()
