"""The page of a payment: everything that happened, in its order, as far as the reader may see it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from apps.access.contracts import PERMISSIONS
from apps.integrations.contracts import CallbackStatus
from apps.integrations.services import callbacks
from apps.kit import errors, ids
from apps.kit.actors import SYSTEM
from apps.payments.services import resolutions
from apps.portal.contracts import Tone
from apps.portal.selectors import payments, words
from tests.factories import access
from tests.factories import payments as made

EVERYTHING = frozenset(PERMISSIONS)


def timeline(payment_id, permissions=EVERYTHING):
    return payments.timeline(payment_id, access.member().user, permissions=permissions)


def titles(shown) -> list[str]:
    return [step.title for step in shown.steps]


def test_tells_the_whole_story_cause_before_effect(story):
    shown = timeline(story.paid)

    assert titles(shown) == [
        "Payment requested",
        "Request to M-Pesa prepared",
        "Prompt sent to 0712 \N{BULLET}\N{BULLET}\N{BULLET} 678",
        "Asked M-Pesa 2 times",
        "Callback received, forged",
        "Callback received, applied",
        "Money arrived",
        "Booked",
        "Succeeded",
        "Receipt issued",
        "Receipt PDF stored",
        "Partner told",
    ]
    assert list(shown.steps) == sorted(shown.steps, key=lambda step: step.at)


def test_names_who_asked_and_what_for(story):
    first = timeline(story.paid).steps[0]

    assert "key Test key" in first.text
    assert "INV-HQ-2026-00001" in first.text


def test_foots_from_amount_to_net_and_to_the_ledger(story):
    shown = timeline(story.paid)

    assert shown.payment.net.text == "1492.50"
    (booking,) = shown.bookings
    assert booking.total == shown.payment.received
    debits = [entry.debit.minor for entry in booking.entries if entry.debit]
    assert sum(debits) == shown.payment.received.minor


def test_shows_receipt_checksum_events_and_deliveries(story):
    shown = timeline(story.paid)

    assert len(shown.receipts[0].sha256) == 64
    assert "payment_success" in [event.name for event in shown.events]
    delivered = [line for line in shown.deliveries if line.status == "DELIVERED"]
    assert [(line.event, line.attempts, line.answer) for line in delivered] == [("payment_success", 2, "204")]


def test_raw_payloads_are_redacted(story):
    raws = [raw.text for step in timeline(story.paid).steps for raw in step.raws]

    assert any("[redacted]" in text for text in raws)
    assert any("stkCallback" in text for text in raws)
    assert all("254712345678" not in text for text in raws)


def test_leaves_out_what_the_reader_may_not_see(story):
    shown = timeline(story.paid, frozenset({"payments.view"}))

    assert shown.bookings == shown.events == shown.deliveries == ()
    assert shown.receipts == ()
    assert [raw for step in shown.steps for raw in step.raws] == []
    assert "Booked" not in titles(shown)


def test_unknown_is_a_gap_and_warns(story):
    shown = timeline(story.unknown)

    assert shown.steps[-1].is_gap
    assert shown.steps[-1].tone == Tone.UNKNOWN
    assert "Do not ask the payer again" in shown.payment.notice
    assert shown.payment.received is None


def test_wrong_sum_is_in_review_and_says_where_the_money_is(story):
    shown = timeline(story.in_review)

    assert shown.payment.badge.word == "In review"
    assert "KES 13,500.00 arrived, KES 15,000.00 was asked for" in shown.payment.notice
    assert "suspense" in shown.payment.notice


def test_money_that_came_unasked_is_a_part_of_the_story(acme):
    access.portal()
    inbound, intent = made.held(reference="TABLE 7"), made.intent()
    stored = callbacks.store(
        token=inbound.provider_account.callback_token,
        kind="c2b",
        body=b'{"TransID": "SKH0000001"}',
        headers={},
        remote_ip="192.0.2.1",
        now=made.NOW,
    )
    callbacks.mark(stored.id, CallbackStatus.APPLIED, "", now=made.NOW, subject_id=inbound.id)
    at = made.NOW + timedelta(minutes=5)
    resolutions.assign(inbound_id=inbound.id, intent_id=intent.id, reason="He called.", actor=SYSTEM, now=at)

    shown = timeline(intent.id)

    assert titles(shown) == [
        "Payment requested",
        "Callback received, applied",
        "Money came unasked and was put aside",
        "Booked",
        "Assigned to this payment",
        "Money arrived",
        "Booked",
        "Succeeded",
    ]
    assert "Typed: TABLE 7." in shown.steps[-6].text
    assert len(shown.bookings) == 2


def test_unknown_payment_is_refused(acme):
    access.head_office()

    with pytest.raises(errors.NotFound):
        timeline(ids.new())


def test_page_draws_it(story, enter):
    client = enter("owner")

    html = client.get(reverse("portal-payment", args=[story.paid])).content.decode()

    assert 'data-status="succeeded"' in html
    assert "1,500" in html
    assert 'class="t-timeline"' in html
    assert "LT-" in html
    assert "RCT-" in html
    assert "+254712345678" not in html


def test_page_of_an_unknown_payment_is_violet(story, enter):
    client = enter("owner")

    html = client.get(reverse("portal-payment", args=[story.unknown])).content.decode()

    assert 'class="is-gap" data-tone="unknown"' in html
    assert "We do not know yet whether this was paid" in html


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+254712345678", "0712 \N{BULLET}\N{BULLET}\N{BULLET} 678"),
        ("+447911123456", "+447 \N{BULLET}\N{BULLET}\N{BULLET} 456"),
        ("", ""),
    ],
)
def test_phone_is_masked(number, shown):
    assert words.phone(number) == shown


def test_phones_inside_a_text_are_masked():
    assert words.without_phones('{"phone": "+254712345678", "id": "0123254712345678"}') == (
        '{"phone": "+254712\N{BULLET}\N{BULLET}\N{BULLET}678", "id": "0123254712345678"}'
    )
