"""Signed messages of Stripe: proven by the official SDK's own signatures, and read only for what to look at again."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from apps.integrations.ports import ForgedCallback, MalformedCallback, Nudge, NudgeKind, RawWebhook
from apps.integrations.stripe.webhooks import Webhooks

NOW = datetime(2026, 11, 24, 7, 40, tzinfo=UTC)
AT = int(NOW.timestamp())
ACCOUNT, SECRET, BEFORE = "acct_1Savanna0001", "whsec_ofsavanna", "whsec_before"
PORT = Webhooks(ACCOUNT, is_live=False, secrets=(SECRET, BEFORE))
SESSION = {"object": "checkout.session", "id": "cs_1", "mode": "payment", "metadata": {"code": "K7M2P9QX4T"}}


def event(type_: str = "checkout.session.completed", about: Any = SESSION, **changes: Any) -> bytes:
    facts = {"id": "evt_1", "object": "event", "type": type_, "livemode": False, "data": {"object": about}}
    return json.dumps({**facts, **changes}).encode()


def signed(body: bytes, *, secret: str = SECRET, at: int = AT) -> str:
    return stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at)


def read(body: bytes, header: str | None = None) -> Nudge:
    headers = {"stripe-signature": signed(body) if header is None else header}
    return PORT.read(RawWebhook(body, headers, NOW))


@pytest.mark.parametrize(
    ("type_", "about", "expected"),
    [
        ("checkout.session.completed", SESSION, (NudgeKind.COLLECTION, "cs_1", "K7M2P9QX4T")),
        ("checkout.session.expired", SESSION, (NudgeKind.COLLECTION, "cs_1", "K7M2P9QX4T")),
        (
            "checkout.session.completed",
            {**SESSION, "mode": "setup"},
            (NudgeKind.METHOD, "cs_1", "K7M2P9QX4T"),
        ),
        (
            "payment_intent.succeeded",
            {"id": "pi_1", "metadata": {"code": "C"}},
            (NudgeKind.COLLECTION, "pi_1", "C"),
        ),
        (
            "charge.updated",
            {"object": "charge", "id": "ch_1", "payment_intent": "pi_1"},
            (NudgeKind.COLLECTION, "pi_1", ""),
        ),
        ("refund.failed", {"id": "re_1", "metadata": {"code": "R"}}, (NudgeKind.REFUND, "re_1", "R")),
        ("charge.refund.updated", {"object": "refund", "id": "re_1"}, (NudgeKind.REFUND, "re_1", "")),
        ("charge.dispute.created", {"object": "dispute", "id": "dp_1"}, (NudgeKind.DISPUTE, "dp_1", "")),
        ("setup_intent.succeeded", {"id": "seti_1"}, (NudgeKind.METHOD, "seti_1", "")),
        ("payment_method.detached", {"id": "pm_1"}, (NudgeKind.METHOD, "pm_1", "")),
        (
            "account.updated",
            {"id": "acct_2", "metadata": {"code": "C"}},
            (NudgeKind.PARTNER, "acct_2", "C"),
        ),
        ("account.updated", {"id": ACCOUNT}, (NudgeKind.NONE, "", "")),
        ("transfer.reversed", {"id": "tr_1", "metadata": {"code": "T"}}, (NudgeKind.PARTNER, "tr_1", "T")),
        ("payout.paid", {"id": "po_1"}, (NudgeKind.NONE, "", "")),
    ],
    ids=str,
)
def test_says_what_to_look_at_again(type_, about, expected):
    nudge = read(event(type_, about))

    assert (nudge.kind, nudge.ticket, nudge.code) == expected
    assert (nudge.event_id, nudge.type) == ("evt_1", type_)


def test_takes_the_secret_before_while_it_is_replaced_and_one_signature_of_several():
    body = event()
    two = f"{signed(body, secret='whsec_other')},v1={signed(body, secret=BEFORE).partition('v1=')[2]}"

    assert read(body, signed(body, secret=BEFORE)) == read(body, two) == read(body)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"t={AT}",
        f"v1={'0' * 64}",
        f"t={AT},v1={'0' * 64}",
        f"t=soon,v1={'0' * 64}",
        signed(event(), secret="whsec_other"),
        signed(event(id="evt_2")),
        signed(event(), at=AT - 301),
        signed(event(), at=AT + 301),
        signed(event()).replace("v1=", "v0="),
    ],
    ids=str,
)
def test_believes_nothing_that_is_not_proven(header):
    with pytest.raises(ForgedCallback):
        read(event(), header)


@pytest.mark.parametrize("seconds", [-300, 300])
def test_bears_clocks_that_differ(seconds):
    body = event()

    assert read(body, signed(body, at=AT + seconds)).event_id == "evt_1"


def test_a_message_of_live_money_is_not_for_an_account_of_tests():
    with pytest.raises(ForgedCallback):
        read(event(livemode=True))
    with pytest.raises(ForgedCallback):
        Webhooks(ACCOUNT, is_live=True, secrets=(SECRET,)).read(
            RawWebhook(event(), {"stripe-signature": signed(event())}, NOW)
        )


def test_a_message_about_another_account_touches_nothing_of_ours():
    body = event(account="acct_2")

    assert (read(body).kind, read(body).ticket) == (NudgeKind.NONE, "acct_2")
    assert read(event(account=ACCOUNT)).kind is NudgeKind.COLLECTION
    assert read(event("transfer.created", {"id": "tr_1"}, account="acct_2")).kind is NudgeKind.NONE
    left = read(event("account.application.deauthorized", {"id": "ca_1"}, account="acct_2"))
    assert (left.kind, left.ticket) == (NudgeKind.PARTNER, "acct_2")


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"{}", event(id=""), event(about=None), event(about={"object": "checkout.session"})]
)
def test_what_is_signed_and_no_event_is_malformed(body):
    with pytest.raises(MalformedCallback):
        read(body)
