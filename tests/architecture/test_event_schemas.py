"""Every event type is declared in full: a valid JSON Schema, an audience, a topic, a name in the form of the others."""

import re

import pytest
from jsonschema import Draft202012Validator

from apps.events.contracts import REGISTRY, Audience
from treasury.wiring import HANDLERS

# Consumers match on these names; whichever exists is spelt exactly so.
FIXED = {
    "invoice_created": "treasury.invoice.created",
    "invoice_due": "treasury.invoice.due",
    "invoice_sent": "treasury.invoice.sent",
    "payment_initiated": "treasury.payment.initiated",
    "payment_captured": "treasury.payment.captured",
    "payment_success": "treasury.payment.success",
    "payment_failed": "treasury.payment.failed",
    "payout_requested": "treasury.payout.requested",
    "settlement_completed": "treasury.settlement.completed",
}
BUILT = {"payment_initiated", "payment_captured", "payment_success", "payment_failed"}
MISSPELT = re.compile(
    r"payment_(succeeded|successful|completed|paid|failure|capture|initiate|started)"
    r"|invoice_(create|issued|overdue|send)|payout_request|settlement_(complete|done)"
)
NAME = re.compile(r"[a-z]+(_[a-z]+)+")
TOPIC = re.compile(r"treasury(\.[a-z]+(_[a-z]+)*){2}")
EVENTS = sorted(REGISTRY.values(), key=lambda event: event.name)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_has_a_valid_schema(event):
    Draft202012Validator.check_schema(event.schema)

    assert event.schema["type"] == "object"
    assert event.schema["additionalProperties"] is False
    assert set(event.schema["required"]) <= set(event.schema["properties"])


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_says_who_may_know_of_it_and_what_it_means(event):
    assert event.audience in set(Audience)
    assert event.version >= 1
    assert NAME.fullmatch(event.name)
    assert TOPIC.fullmatch(event.topic)
    assert event.summary.endswith(".")


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_a_partner_event_carries_a_public_object(event):
    if event.audience == Audience.INTERNAL:
        return
    shown = event.schema["properties"]["object"]

    assert {"id", "object", "branch_id", "application_id"} <= set(shown["required"])
    assert shown["properties"]["id"]["pattern"].startswith("^")


def test_fixed_names_are_spelt_as_consumers_expect():
    present = {name: event.topic for name, event in REGISTRY.items() if name in FIXED}

    assert present == {name: FIXED[name] for name in present}
    assert set(present) >= BUILT
    assert [name for name in REGISTRY if MISSPELT.fullmatch(name)] == []


def test_what_is_wired_is_declared():
    assert set(HANDLERS) <= set(REGISTRY)
