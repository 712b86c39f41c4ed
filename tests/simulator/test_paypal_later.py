"""What comes after a payment on the PayPal face: kept wallets, disputes, and the report of every movement."""

from collections.abc import Iterator

import pytest

from apps.simulator import server
from tests.simulator import wallets
from tests.simulator.wallets import PLACES, Wallets, issue

ORDERS, DISPUTES, TOKENS = "/v2/checkout/orders", "/v1/customer/disputes", "/v3/vault/payment-tokens"
USD_25 = {"currency_code": "USD", "value": "25.00"}


@pytest.fixture
def shop(simulator: server.Running) -> Iterator[Wallets]:
    """Return a shop with an account of its own."""
    with wallets.wallets(simulator) as made:
        yield made


def kept(shop: Wallets, **given: str) -> dict:
    """Return the token of a wallet whose person has agreed to it."""
    wallet = {"usage_type": "MERCHANT", "experience_context": PLACES}
    setup = shop.post("/v3/vault/setup-tokens", {"payment_source": {"paypal": wallet}}).json()
    body = {"payment_source": {"token": {"id": setup["id"], "type": "SETUP_TOKEN"}}}
    assert (setup["status"], setup["links"][1]["rel"]) == ("PAYER_ACTION_REQUIRED", "approve")
    assert issue(shop.post(TOKENS, body)) == (422, "SETUP_TOKEN_NOT_APPROVED")
    assert shop.act("setups", setup["id"], "approve", **given).json()["status"] == "APPROVED"
    answer = shop.post(TOKENS, body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_wallet_is_kept_charged_and_forgotten(shop):
    token = kept(shop, email="amina@example.com")
    customer = token["customer"]["id"]
    assert token["payment_source"]["paypal"]["email_address"] == "amina@example.com"

    paid = shop.post(ORDERS, shop.draft(source={"vault_id": token["id"]}), key="ATTEMPT-1:create")
    again = shop.post(ORDERS, shop.draft(source={"vault_id": token["id"]}), key="ATTEMPT-1:create")

    assert (paid.status_code, paid.json()["status"], again.json()) == (201, "COMPLETED", paid.json())
    assert paid.json()["purchase_units"][0]["payments"]["captures"][0]["status"] == "COMPLETED"
    assert [each["id"] for each in shop.read(f"{TOKENS}?customer_id={customer}")["payment_tokens"]] == [
        token["id"]
    ]
    assert shop.call("DELETE", f"{TOKENS}/{token['id']}").status_code == 204
    assert shop.call("GET", f"{TOKENS}/{token['id']}").status_code == 404
    gone = shop.post(ORDERS, shop.draft(source={"vault_id": token["id"]}))
    assert issue(gone) == (422, "TOKEN_ID_NOT_FOUND")
    assert len(shop.statement()["rows"]) == 2
    shop.told("VAULT.PAYMENT-TOKEN.CREATED", "VAULT.PAYMENT-TOKEN.DELETED")


def test_a_kept_wallet_without_money_makes_no_order_and_an_order_may_keep_a_wallet(shop):
    poor = kept(shop, funding="empty")
    assert issue(shop.post(ORDERS, shop.draft(source={"vault_id": poor["id"]}))) == (
        422,
        "INSTRUMENT_DECLINED",
    )
    assert shop.control("GET", "/paypal/orders").json()["orders"] == []

    there = kept(shop, funding="present")
    waits = shop.post(ORDERS, shop.draft(source={"vault_id": there["id"]}, invoice_id="1")).json()
    assert (waits["status"], waits["links"][1]["rel"]) == ("PAYER_ACTION_REQUIRED", "payer-action")
    assert issue(shop.post(f"{ORDERS}/{waits['id']}/capture")) == (422, "ORDER_NOT_APPROVED")
    shop.act("orders", waits["id"], "approve")
    assert shop.post(f"{ORDERS}/{waits['id']}/capture").json()["status"] == "COMPLETED"
    shop.act("tokens", there["id"], "drop")
    assert shop.call("GET", f"{TOKENS}/{there['id']}").status_code == 404

    vault = {"store_in_vault": "ON_SUCCESS", "usage_type": "MERCHANT"}
    order = shop.approved(source={"attributes": {"vault": vault}})
    done = shop.post(f"{ORDERS}/{order['id']}/capture").json()

    told = done["payment_source"]["paypal"]["attributes"]["vault"]
    assert told["status"] == "VAULTED"
    held = shop.post(ORDERS, shop.draft(source={"vault_id": told["id"]}, intent="AUTHORIZE", invoice_id="2"))
    assert held.json()["purchase_units"][0]["payments"]["authorizations"][0]["status"] == "CREATED"


def test_a_chargeback_takes_the_money_and_evidence_may_bring_it_back(shop):
    capture = shop.paid("disputed")
    (found,) = shop.read(f"{DISPUTES}?disputed_transaction_id={capture['id']}&page_size=50")["items"]
    path = f"{DISPUTES}/{found['dispute_id']}"
    dispute = shop.read(path)
    assert (dispute["status"], dispute["dispute_state"]) == ("WAITING_FOR_SELLER_RESPONSE", "REQUIRED_ACTION")
    assert (dispute["dispute_amount"], dispute["dispute_life_cycle_stage"]) == (USD_25, "CHARGEBACK")
    assert [(move["type"], move["amount"]["value"]) for move in dispute["money_movements"]] == [
        ("DEBIT", "25.00"),
        ("DEBIT", "20.00"),
    ]
    assert issue(shop.post(f"/v2/payments/captures/{capture['id']}/refund")) == (422, "TRANSACTION_DISPUTED")

    shop.http.headers["Authorization"] = f"Bearer {shop.token}"
    told = '{"evidences": [{"evidence_type": "PROOF_OF_FULFILLMENT", "notes": "Signed for by Amina"}]}'
    parts = {"input": (None, told, "application/json"), "evidence-file": ("note.pdf", b"%PDF-1.7")}
    heard = shop.http.post(f"/paypal{path}/provide-evidence", files=parts)
    assert heard.json()["links"][0]["rel"] == "self"
    twice = shop.http.post(f"/paypal{path}/provide-evidence", files=parts)
    assert issue(twice) == (422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
    assert shop.read(path)["evidences"][0]["documents"] == [{"name": "note.pdf"}]
    shop.act("disputes", found["dispute_id"], "win")

    over = shop.read(path)
    assert (over["status"], over["dispute_outcome"]["outcome_code"]) == ("RESOLVED", "RESOLVED_SELLER_FAVOUR")
    assert shop.statement()["closing_balance"] == "3.64"
    assert shop.post(f"/v2/payments/captures/{capture['id']}/refund").status_code == 201
    shop.told("CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.UPDATED", "CUSTOMER.DISPUTE.RESOLVED")


def test_an_inquiry_takes_nothing_until_it_is_accepted_or_forgotten(shop):
    captures = [shop.paid(invoice_id=f"INV-{number}")["id"] for number in range(3)]
    asked = {"reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED", "stage": "INQUIRY"}
    first, second, third = (
        shop.act("captures", capture, "dispute", **asked, amount="10.00").json()["dispute_id"]
        for capture in captures
    )
    assert shop.statement()["closing_balance"] == "70.92"

    assert shop.post(f"{DISPUTES}/{first}/accept-claim", {"note": "Sorry"}).status_code == 200
    shop.act("disputes", third, "escalate")
    assert shop.act("disputes", third, "withdraw").json()["dispute_outcome"]["outcome_code"] == (
        "CANCELED_BY_BUYER"
    )
    shop.tick(10 * 24 * 3_600)
    shop.open()

    outcomes = [shop.read(f"{DISPUTES}/{each}")["dispute_outcome"] for each in (first, second)]
    assert [each["outcome_code"] for each in outcomes] == ["ACCEPTED", "RESOLVED_BUYER_FAVOUR"]
    assert [shop.read(f"/v2/payments/captures/{each}")["status"] for each in captures] == [
        "PARTIALLY_REFUNDED",
        "PARTIALLY_REFUNDED",
        "COMPLETED",
    ]
    assert shop.statement()["closing_balance"] == "30.92"
    assert len(shop.read(f"{DISPUTES}?dispute_state=RESOLVED")["items"]) == 2
    assert [each["dispute_id"] for each in shop.read(f"{DISPUTES}?dispute_state=APPEALABLE")["items"]] == [
        second
    ]
    (reversed_, *_) = shop.told("PAYMENT.CAPTURE.REVERSED")
    assert shop.read(f"/v2/payments/refunds/{reversed_['resource']['id']}")["amount"]["value"] == "10.00"


def lost(shop, capture, **given):
    """Return the address of a dispute that PayPal decided for the payer of a capture."""
    asked = {"reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED", "stage": "INQUIRY", **given}
    identifier = shop.act("captures", capture["id"], "dispute", **asked).json()["dispute_id"]
    shop.act("disputes", identifier, "lose")
    return f"{DISPUTES}/{identifier}"


def appeal(shop, path, files):
    shop.http.headers["Authorization"] = f"Bearer {shop.token}"
    told = '{"evidences": [{"evidence_type": "OTHER", "notes": "Here is who signed"}]}'
    given = {"input": (None, told, "application/json"), **files}
    return shop.http.post(f"/paypal{path}/appeal", files=given)


def links(dispute):
    return {link["rel"] for link in dispute["links"]}


def test_a_lost_claim_is_appealed_once_and_may_be_won_then(shop):
    capture = shop.paid()
    path = lost(shop, capture)
    identifier, taken = path.rpartition("/")[2], shop.statement()["closing_balance"]
    before = shop.read(path)
    assert (before["status"], before["dispute_state"], "appeal" in links(before)) == (
        "RESOLVED",
        "APPEALABLE",
        True,
    )
    wrong = appeal(shop, path, {"evidence-file": ("note.exe", b"MZ")})
    assert issue(wrong) == (400, "INVALID_FILE_FORMAT")
    assert issue(shop.post(f"{path}/appeal", {})) == (400, "MISSING_REQUIRED_PARAMETER")

    heard = appeal(shop, path, {"evidence-file": ("note.pdf", b"%PDF-1.7")})

    assert (heard.status_code, heard.json()["links"][0]["rel"]) == (200, "self")
    told = shop.read(path)
    assert (told["status"], told["dispute_state"]) == ("UNDER_REVIEW", "UNDER_PAYPAL_REVIEW")
    assert ("dispute_outcome" in told, "appeal" in links(told)) == (False, False)
    assert told["evidences"][0]["documents"] == [{"name": "note.pdf"}]
    assert shop.statement()["closing_balance"] == taken
    assert issue(appeal(shop, path, {})) == (422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
    shop.act("disputes", identifier, "win")

    over = shop.read(path)
    assert (over["dispute_state"], over["dispute_outcome"]["outcome_code"]) == (
        "RESOLVED",
        "RESOLVED_SELLER_FAVOUR",
    )
    assert [(move["type"], move["amount"]["value"]) for move in over["money_movements"]] == [
        ("DEBIT", "25.00"),
        ("CREDIT", "25.00"),
    ]
    (reversed_,) = shop.told("PAYMENT.CAPTURE.REVERSED")
    assert shop.read(f"/v2/payments/refunds/{reversed_['resource']['id']}")["status"] == "CANCELLED"
    assert shop.read(f"/v2/payments/captures/{capture['id']}")["status"] == "COMPLETED"
    assert shop.post(f"/v2/payments/captures/{capture['id']}/refund").status_code == 201


def test_no_appeal_is_taken_twice_too_late_or_from_a_bank(shop):
    captures = [shop.paid(invoice_id=f"INV-{number}") for number in range(3)]
    again, late = (lost(shop, capture) for capture in captures[:2])
    banks = lost(shop, captures[2], stage="CHARGEBACK")
    assert shop.read(banks)["dispute_state"] == "RESOLVED"
    assert appeal(shop, again, {}).status_code == 200
    taken = shop.statement()["closing_balance"]
    shop.act("disputes", again.rpartition("/")[2], "lose")
    assert shop.statement()["closing_balance"] == taken

    shop.tick(10 * 24 * 3_600)
    shop.open()

    for path in (again, late, banks):
        assert (shop.read(path)["dispute_state"], "appeal" in links(shop.read(path))) == ("RESOLVED", False)
        assert issue(appeal(shop, path, {})) == (422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
    assert len(shop.control("GET", "/paypal/refunds").json()["refunds"]) == 3


def test_paypal_takes_no_appeal_once_it_has_shut_the_case(shop):
    path = lost(shop, shop.paid())
    identifier = path.rpartition("/")[2]

    assert shop.act("disputes", identifier, "shut").json()["dispute_state"] == "RESOLVED"

    assert "appeal" not in links(shop.read(path))
    assert issue(appeal(shop, path, {})) == (422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
    again = shop.control("POST", f"/paypal/disputes/{identifier}/shut", {})
    assert (again.status_code, again.json()["code"]) == (409, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")


def test_every_movement_is_reported(shop):
    shop.open(rates={"EUR": "1.08"})
    paid = shop.paid(amount={"currency_code": "EUR", "value": "100.00"})
    shop.post(
        f"/v2/payments/captures/{paid['id']}/refund", {"amount": {"currency_code": "EUR", "value": "10.00"}}
    )
    path = "/v1/reporting/transactions"
    today = shop.read("/v2/payments/captures/" + paid["id"])["create_time"][:10]
    span = {"start_date": f"{today}T00:00:00+0100", "end_date": f"{today}T23:59:59Z", "page_size": "4"}

    first, second = (
        shop.http.get(
            f"/paypal{path}",
            params={**span, "page": str(page)},
            headers={"Authorization": f"Bearer {shop.token}"},
        ).json()
        for page in (1, 2)
    )

    rows = [
        each["transaction_info"] for each in [*first["transaction_details"], *second["transaction_details"]]
    ]
    assert (first["total_items"], first["total_pages"], len(second["transaction_details"])) == (6, 2, 2)
    assert [
        (
            row["transaction_event_code"],
            *row["transaction_amount"].values(),
            row.get("fee_amount", {}).get("value"),
        )
        for row in rows
    ] == [
        ("T0006", "EUR", "100.00", "-3.98"),
        ("T0200", "EUR", "-96.02", None),
        ("T0200", "USD", "103.70", None),
        ("T1107", "EUR", "-10.00", None),
        ("T0200", "EUR", "10.00", None),
        ("T0200", "USD", "-10.80", None),
    ]
    assert (rows[0]["custom_field"], rows[3]["paypal_reference_id"]) == ("ATTEMPT-1", paid["id"])
    assert shop.statement()["closing_balance"] == "92.90"
    assert shop.read("/v1/reporting/balances")["balances"][0]["total_balance"]["value"] == "92.90"
    too_long = shop.call("GET", f"{path}?start_date=2026-01-01T00:00:00Z&end_date=2026-03-01T00:00:00Z")
    assert too_long.status_code == 400
    assert issue(shop.call("GET", path)) == (400, "MISSING_REQUIRED_PARAMETER")
