"""PayPal's adapters read exactly what becomes of refunds, kept wallets and disputes, and say what a form of evidence holds."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from apps.integrations.paypal.disputes import Disputes
from apps.integrations.paypal.methods import Methods
from apps.integrations.paypal.refunds import RefundQuery, Refunds, RefundSearch
from apps.integrations.ports import (
    DisputeList,
    DisputeStage,
    Evidence,
    EvidenceFile,
    MethodStatus,
    ProviderDeclined,
    ProviderUncertain,
    RefundOutcome,
    RefundRequest,
    SetupRequest,
)
from apps.kit import http
from apps.kit.money import Money
from tests.integrations.daraja import said
from tests.integrations.paypal_line import (
    CODE,
    ORDER,
    capture,
    dollars,
    line,
    parsed,
    refused,
    told,
)

USD_25 = Money(25_00, "USD")
RECEIPT = "40V95236PS9814847"


def test_a_refund_names_its_capture_sum_and_number():
    port, wire = line(
        said({"id": "REF1", "status": "PENDING"}, 201),
        refused(422, "CAPTURE_FULLY_REFUNDED"),
        refused(422, "SOMETHING_NEW"),
    )
    asked = RefundRequest(Money(10_00, "USD"), RECEIPT, CODE, "", "", number=2)

    ticket = Refunds(port).request(asked)
    with pytest.raises(ProviderDeclined) as refusal:
        Refunds(port).request(asked)

    with pytest.raises(ProviderUncertain):
        Refunds(port).request(asked)

    assert ticket.value == "REF1"
    assert wire.calls[0]["url"].endswith(f"/v2/payments/captures/{RECEIPT}/refund")
    assert wire.calls[0]["headers"]["PayPal-Request-Id"] == f"{CODE}:refund:2"
    assert parsed(wire.calls[0]) == {"amount": dollars("10.00"), "custom_id": f"{CODE}-2"}
    assert refusal.value.code == "already_refunded"


@pytest.mark.parametrize(
    ("payments", "found"),
    [
        ({"captures": [capture()], "refunds": [{"id": "REF1", "custom_id": f"{CODE}-2"}]}, "REF1"),
        ({"captures": [capture("REFUNDED")], "refunds": [{"id": "REF1", "custom_id": f"{CODE}-1"}]}, None),
        ({"captures": [capture()]}, None),
        ({"captures": [capture("PARTIALLY_REFUNDED")]}, ProviderUncertain),
        ({}, ProviderUncertain),
    ],
    ids=str,
)
def test_a_refund_is_found_again_by_what_we_wrote_beside_it(payments, found):
    port, _ = line(told("COMPLETED", **payments))
    asked = RefundRequest(Money(10_00, "USD"), RECEIPT, CODE, "", "", ticket=ORDER, number=2)

    if found is ProviderUncertain:
        with pytest.raises(ProviderUncertain):
            RefundSearch(port).find(asked)
    else:
        ticket = RefundSearch(port).find(asked)
        assert (ticket and ticket.value) == found


def refund(status: str, **facts: Any) -> http.Answer:
    up = f"https://api-m.paypal.com/v2/payments/captures/{RECEIPT}"
    return said(
        {
            "id": "REF1",
            "status": status,
            "amount": dollars("10.00"),
            "links": [{"rel": "self", "href": "x"}, {"rel": "up", "href": up}],
            **facts,
        }
    )


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        ("PENDING", RefundOutcome.PENDING, ""),
        ("COMPLETED", RefundOutcome.REFUNDED, ""),
        ("FAILED", RefundOutcome.DECLINED, "declined"),
        ("CANCELLED", RefundOutcome.DECLINED, "customer_cancelled"),
    ],
)
def test_a_refund_stands_for_what_became_of_it(status, outcome, reason):
    debited = {"currency_code": "EUR", "value": "9.20"}
    breakdown = {"gross_amount": dollars("10.00"), "net_amount_in_receivable_currency": debited}
    port, _ = line(refund(status, seller_payable_breakdown=breakdown))

    report = RefundQuery(port).query("REF1")

    assert (report.outcome, report.reason_code, report.money) == (outcome, reason, Money(10_00, "USD"))
    assert (report.receipt, report.payment_receipt) == ("REF1", RECEIPT)
    assert (report.charge, report.settled) == (None, Money(9_20, "EUR"))


def test_a_wallet_becomes_a_token_and_is_forgotten():
    setup = {
        "id": "SETUP1",
        "status": "PAYER_ACTION_REQUIRED",
        "links": [{"rel": "approve", "href": "https://p"}],
    }
    kept = {"id": "8kk8451t", "customer": {"id": "cust"}, "payment_source": {"paypal": {"account_id": "P1"}}}
    gone = refused(404, "INVALID_RESOURCE_ID", "RESOURCE_NOT_FOUND")
    port, wire = line(
        said(setup, 201),
        said(setup),
        said({**setup, "status": "APPROVED"}),
        said(kept, 201),
        said(b"", 204),
        gone,
        gone,
        gone,
    )
    methods = Methods(port)

    ticket = methods.begin(SetupRequest("S7M2P9QX4T", "https://r", "", "USD", customer="cust"))
    waiting, saved = methods.read("SETUP1"), methods.read("SETUP1")
    methods.forget(saved.token)
    methods.forget(saved.token)
    lost = methods.read(saved.token)

    assert (ticket.value, ticket.next_action.url) == ("SETUP1", "https://p")
    assert (waiting.status, saved.status, saved.token, saved.customer) == (
        MethodStatus.PENDING,
        MethodStatus.SAVED,
        "8kk8451t",
        "cust",
    )
    assert (saved.brand, saved.fingerprint) == ("paypal", "P1")
    assert wire.calls[3]["headers"]["PayPal-Request-Id"] == "SETUP1:token"
    asked = parsed(wire.calls[0])
    assert (asked["payment_source"]["paypal"]["usage_type"], "customer" in asked) == ("MERCHANT", False)
    assert asked["payment_source"]["paypal"]["permit_multiple_payment_tokens"] is True
    assert (lost.status, lost.reason_code) == (MethodStatus.DECLINED, "expired")


def test_a_token_that_was_made_before_is_found_by_its_customer_and_only_where_it_is_one():
    setup = said({"id": "SETUP1", "status": "VAULTED", "customer": {"id": "cust"}})
    kept = {"id": "8kk8451t", "customer": {"id": "cust"}, "payment_source": {"paypal": {"payer_id": "P1"}}}
    done = refused(422, "SETUP_TOKEN_NOT_APPROVED")
    port, wire = line(
        setup, done, said({"payment_tokens": [kept]}), setup, done, said({"payment_tokens": [kept, kept]})
    )

    saved = Methods(port).read("SETUP1")
    with pytest.raises(ProviderDeclined):
        Methods(port).read("SETUP1")

    assert (saved.status, saved.token, saved.fingerprint) == (MethodStatus.SAVED, "8kk8451t", "P1")
    assert wire.calls[2]["url"].endswith("/v3/vault/payment-tokens?customer_id=cust")


def test_a_token_that_is_not_dropped_is_still_kept():
    kept = {"id": "8kk8451t", "payment_source": {"paypal": {}}}
    no, gone = refused(403, "PERMISSION_DENIED"), refused(404, "INVALID_RESOURCE_ID", "RESOURCE_NOT_FOUND")
    port, _ = line(no, said(kept), no, gone)

    with pytest.raises(ProviderDeclined):
        Methods(port).forget("8kk8451t")
    Methods(port).forget("8kk8451t")


def dispute(status: str, *, outcome: str = "", stage: str = "CHARGEBACK", **facts: Any) -> dict[str, Any]:
    return {
        "dispute_id": "PP-D-1",
        "status": status,
        "reason": "UNAUTHORISED",
        "dispute_life_cycle_stage": stage,
        "dispute_amount": dollars("25.00"),
        "disputed_transactions": [{"seller_transaction_id": RECEIPT, "custom": CODE}],
        "dispute_outcome": {"outcome_code": outcome} if outcome else {},
        "seller_response_due_date": "2026-12-04T07:40:00.000Z",
        "create_time": "2026-11-24T07:40:00.000Z",
        **facts,
    }


def moved(
    type_: str, reason: str = "DISPUTE_SETTLEMENT", value: str = "25.00", party: str = "SELLER"
) -> dict[str, Any]:
    return {"affected_party": party, "type": type_, "reason": reason, "amount": dollars(value)}


@pytest.mark.parametrize(
    ("told_", "stage"),
    [
        (dispute("WAITING_FOR_SELLER_RESPONSE"), DisputeStage.NEEDS_RESPONSE),
        (dispute("WAITING_FOR_SELLER_RESPONSE", stage="INQUIRY"), DisputeStage.INQUIRY),
        (dispute("UNDER_REVIEW"), DisputeStage.UNDER_REVIEW),
        (dispute("UNDER_REVIEW", stage="INQUIRY"), DisputeStage.UNDER_REVIEW),
        (dispute("WAITING_FOR_BUYER_RESPONSE", stage="INQUIRY"), DisputeStage.UNDER_REVIEW),
        (dispute("RESOLVED", outcome="RESOLVED_SELLER_FAVOUR"), DisputeStage.WON),
        (dispute("RESOLVED", outcome="RESOLVED_BUYER_FAVOUR"), DisputeStage.LOST),
        (dispute("RESOLVED", outcome="ACCEPTED"), DisputeStage.ACCEPTED),
        (dispute("RESOLVED", outcome="CANCELED_BY_BUYER", stage="INQUIRY"), DisputeStage.PREVENTED),
        (dispute("OTHER"), DisputeStage.UNDER_REVIEW),
        (dispute("OTHER", stage="INQUIRY"), DisputeStage.UNDER_REVIEW),
        (dispute("RESOLVED", outcome="NONE"), DisputeStage.WON),
        (dispute("RESOLVED", outcome="NONE", stage="INQUIRY"), DisputeStage.PREVENTED),
        (dispute("RESOLVED", outcome="NONE", money_movements=[moved("DEBIT")]), DisputeStage.LOST),
        (
            dispute(
                "RESOLVED", outcome="NONE", money_movements=[moved("DEBIT"), moved("CREDIT", value="5.00")]
            ),
            DisputeStage.LOST,
        ),
        (
            dispute("RESOLVED", outcome="NONE", money_movements=[moved("DEBIT"), moved("CREDIT")]),
            DisputeStage.WON,
        ),
        (
            dispute("RESOLVED", outcome="NONE", money_movements=[moved("DEBIT", "DISPUTE_FEE")]),
            DisputeStage.WON,
        ),
        (dispute("RESOLVED", outcome="NEW_WORD"), None),
        (dispute("NEW_WORD"), None),
    ],
    ids=str,
)
def test_a_dispute_stands_at_a_stage(told_, stage):
    port, _ = line(said(told_))

    if stage is None:
        with pytest.raises(ProviderUncertain):
            Disputes(port).read("PP-D-1")
        return
    report = Disputes(port).read("PP-D-1")
    assert (report.stage, report.receipt, report.money) == (stage, RECEIPT, USD_25)
    assert (report.reason_code, report.provider_reason) == ("fraudulent", "UNAUTHORISED")
    assert report.due_by == datetime(2026, 12, 4, 7, 40, tzinfo=UTC)


APPEAL = {"rel": "appeal", "href": "https://api-m.paypal.com/v1/customer/disputes/PP-D-1/appeal"}
TAKEN = {
    "affected_party": "SELLER",
    "type": "DEBIT",
    "reason": "DISPUTE_SETTLEMENT",
    "amount": dollars("25.00"),
}


@pytest.mark.parametrize(
    ("told_", "may_appeal"),
    [
        (dispute("RESOLVED", outcome="RESOLVED_BUYER_FAVOUR", links=[APPEAL]), True),
        (dispute("RESOLVED", outcome="ACCEPTED", links=[APPEAL]), True),
        (dispute("RESOLVED", outcome="RESOLVED_BUYER_FAVOUR", dispute_state="APPEALABLE"), False),
        (dispute("RESOLVED", outcome="RESOLVED_SELLER_FAVOUR", links=[APPEAL]), False),
        (dispute("UNDER_REVIEW", links=[APPEAL]), False),
    ],
    ids=str,
)
def test_only_a_loss_with_the_link_for_it_may_be_appealed(told_, may_appeal):
    port, _ = line(said(told_))

    assert Disputes(port).read("PP-D-1").may_appeal == may_appeal


def test_an_inquiry_that_took_money_is_one_no_more():
    back = {**TAKEN, "type": "CREDIT"}
    won = {"outcome": "RESOLVED_SELLER_FAVOUR", "stage": "INQUIRY", "money_movements": [TAKEN, back]}
    port, _ = line(
        said(dispute("RESOLVED", **won)),
        said(dispute("WAITING_FOR_SELLER_RESPONSE", stage="INQUIRY", money_movements=[TAKEN])),
    )

    stages = [Disputes(port).read("PP-D-1").stage for _ in range(2)]

    assert stages == [DisputeStage.WON, DisputeStage.NEEDS_RESPONSE]


def test_an_appeal_goes_as_the_form_of_evidence_under_a_key_of_its_own():
    port, wire = line(said({"links": []}), said(dispute("UNDER_REVIEW")), refused(422, "ACTION_NOT_ALLOWED"))

    report = Disputes(port).appeal("PP-D-1", Evidence(text="It came."), code="D7M2P9QX4T:2")
    with pytest.raises(ProviderDeclined):
        Disputes(port).appeal("PP-D-1", Evidence(text="It came."), code="D7M2P9QX4T:3")

    sent = wire.calls[0]
    assert sent["url"].endswith("/v1/customer/disputes/PP-D-1/appeal")
    assert sent["headers"]["PayPal-Request-Id"] == "D7M2P9QX4T:2:appeal"
    assert sent["headers"]["Content-Type"] == "multipart/form-data; boundary=evidence-D7M2P9QX4T-2"
    assert b'"notes": "It came."' in sent["body"]
    assert report.stage is DisputeStage.UNDER_REVIEW


def test_what_a_dispute_moved_is_told_apart():
    movements = [
        moved("DEBIT", "DISPUTE_SETTLEMENT", "25.00"),
        moved("CREDIT", "DISPUTE_SETTLEMENT", "25.00", "BUYER"),
        moved("DEBIT", "DISPUTE_FEE", "15.00"),
        moved("CREDIT", "DISPUTE_SETTLEMENT", "5.00"),
    ]
    port, _ = line(said(dispute("UNDER_REVIEW", money_movements=movements)))

    report = Disputes(port).read("PP-D-1")

    assert (report.withdrawn, report.reinstated, report.fee) == (
        USD_25,
        Money(5_00, "USD"),
        Money(15_00, "USD"),
    )


@pytest.mark.parametrize(
    "amount", [None, {"value": "much", "currency_code": "USD"}, {"value": "5.00", "currency_code": "EUR"}]
)
def test_a_movement_that_cannot_be_read_or_added_makes_the_dispute_uncertain(amount):
    settled = {"affected_party": "SELLER", "type": "DEBIT", "reason": "DISPUTE_SETTLEMENT"}
    movements = [{**settled, "amount": dollars("25.00")}, {**settled, "amount": amount}]
    port, _ = line(said(dispute("UNDER_REVIEW", money_movements=movements)))

    with pytest.raises(ProviderUncertain):
        Disputes(port).read("PP-D-1")


def test_disputes_are_listed_to_the_last_page_the_oldest_first_whichever_cannot_be_read():
    later = "https://api-m.paypal.com/v1/customer/disputes?page_size=50&next_page_token=T2"
    first = {"items": [{"dispute_id": "D3"}, {"dispute_id": "D2"}], "links": [{"rel": "next", "href": later}]}
    each = [said({**dispute("UNDER_REVIEW"), "dispute_id": name}) for name in ("D1", "D2", "D3")]
    each[1] = said({"dispute_id": "D2", "status": "UNHEARD_OF"})
    port, wire = line(said(first), said({"items": [{"dispute_id": "D1"}]}), *each, said({}))

    found = Disputes(port).list(datetime(2026, 11, 1, tzinfo=UTC))

    assert ([one.ticket for one in found.reports], found.unreadable) == (["D1", "D3"], 1)
    assert "start_time=2026-11-01T00%3A00%3A00.000Z" in wire.calls[0]["url"]
    assert wire.calls[1]["url"].endswith("next_page_token=T2")
    assert Disputes(port).list(datetime(2026, 11, 1, tzinfo=UTC)) == DisputeList(())


def test_evidence_goes_as_a_form_with_its_documents_and_is_looked_at():
    answers = (
        said({"links": []}),
        said(dispute("UNDER_REVIEW")),
        said({}),
        said(dispute("RESOLVED", outcome="ACCEPTED")),
    )
    port, wire = line(*answers)
    bill = EvidenceFile("receipt", 'bi"ll\r\n.pdf', "application/pdf", b"%PDF-1.7")
    given = Evidence(
        text="It was eaten.",
        service_date=date(2026, 11, 24),
        carrier="G4S",
        tracking_number="T1",
        files=(bill,),
    )

    report = Disputes(port).submit("PP-D-1", given, code="D7M2P9QX4T:1")
    accepted = Disputes(port).accept("PP-D-1", code="D7M2P9QX4T")
    with pytest.raises(ProviderDeclined):
        Disputes(port).submit("PP-D-1", Evidence(), code="D7M2P9QX4T")

    sent, body = wire.calls[0], wire.calls[0]["body"]
    assert sent["headers"]["Content-Type"] == "multipart/form-data; boundary=evidence-D7M2P9QX4T-1"
    assert b'name="file1"; filename="bill.pdf"\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.7\r\n' in body
    assert body.endswith(b"--evidence-D7M2P9QX4T-1--\r\n")
    said_ = json.loads(body.split(b"\r\n\r\n", 1)[1].split(b"\r\n--", 1)[0])["evidences"]
    assert [one["evidence_type"] for one in said_] == ["PROOF_OF_FULFILLMENT", "OTHER"]
    assert said_[1]["notes"] == "It was eaten.\nServed on: 2026-11-24"
    assert (report.stage, accepted.stage) == (DisputeStage.UNDER_REVIEW, DisputeStage.ACCEPTED)
    assert parsed(wire.calls[2]) == {"note": "We accept the claim."}
