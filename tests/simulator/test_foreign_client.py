"""PyPI's mpesakit, written by others against Safaricom's pages, pays through the simulator."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from mpesakit.auth import TokenManager
from mpesakit.errors import MpesaApiException
from mpesakit.http_client import MpesaHttpClient
from mpesakit.mpesa_express import (
    StkPush,
    StkPushQueryRequest,
    StkPushSimulateCallback,
    StkPushSimulateRequest,
)
from mpesakit.reversal import Reversal, ReversalRequest
from mpesakit.transaction_status import TransactionStatus, TransactionStatusRequest


class SimulatedHttpClient(MpesaHttpClient):
    """
    mpesakit's own client, sent elsewhere.

    It knows two hosts and joins them with absolute paths by `urljoin`, which would drop our base path,
    so the base path goes in front of each path.
    """

    def __init__(self, base_url):
        super().__init__()
        self.base_url = base_url
        self.prefix = "/daraja"

    def post(self, url, json, headers, timeout=10):
        return super().post(self.prefix + url, json, headers, timeout)

    def get(self, url, params=None, headers=None, timeout=10):
        return super().get(self.prefix + url, params, headers, timeout)


@pytest.fixture
def tokens(business):
    """Return mpesakit's token manager."""
    return TokenManager(
        consumer_key=business.account["consumer_key"],
        consumer_secret=business.account["consumer_secret"],
        http_client=SimulatedHttpClient(business.url),
    )


@pytest.fixture
def express(tokens):
    """Return mpesakit's STK client."""
    return StkPush(http_client=tokens.http_client, token_manager=tokens)


def order(business, **changes):
    """Return mpesakit's request, which makes password and timestamp by itself."""
    return StkPushSimulateRequest(
        **{
            "BusinessShortCode": int(business.shortcode),
            "Passkey": business.account["passkey"],
            "TransactionType": "CustomerPayBillOnline",
            "Amount": 250,
            "PartyA": "254712345678",
            "PartyB": business.shortcode,
            "PhoneNumber": "254712345678",
            "CallBackURL": f"{business.inbox.url}/hooks/1",
            "AccountReference": "FOREIGN",
            "TransactionDesc": "Lunch",
            **changes,
        }
    )


def question(business, checkout):
    """Return mpesakit's query."""
    return StkPushQueryRequest(
        BusinessShortCode=int(business.shortcode),
        Passkey=business.account["passkey"],
        CheckoutRequestID=checkout,
    )


def test_fetches_a_token(tokens):
    assert len(tokens.get_token()) == 28


def test_sees_a_bad_pair_as_invalid_credentials(business):
    client = SimulatedHttpClient(business.url)
    tokens = TokenManager(consumer_key="key-of-savanna", consumer_secret="wrong", http_client=client)

    with pytest.raises(MpesaApiException) as refusal:
        tokens.get_token()

    assert refusal.value.error.error_code == "AUTH_INVALID_CREDENTIALS"


def test_pays_and_reads_the_callback(business, express):
    answer = express.push(order(business))
    assert answer.is_successful()
    business.decide(answer.CheckoutRequestID, "approve")

    (body,) = business.inbox.wait(1)
    callback = StkPushSimulateCallback(**body)
    assert callback.is_successful
    assert callback.amount == 250.0
    assert callback.mpesa_receipt_number == business.statement()["rows"][0]["receipt"]
    assert callback.phone_number == "254712345678"


def test_queries_before_and_after(business, express):
    checkout = express.push(order(business)).CheckoutRequestID
    with pytest.raises(MpesaApiException) as refusal:
        express.query(question(business, checkout))
    assert refusal.value.error.status_code == 500
    assert refusal.value.error.raw_response["errorMessage"] == "The transaction is being processed"

    business.decide(checkout, "cancel")

    answer = express.query(question(business, checkout))
    assert answer.is_successful()
    assert answer.ResultCode == "1032"


def test_sees_a_wrong_passkey(business, express):
    with pytest.raises(MpesaApiException) as refusal:
        express.push(order(business, Passkey="wrong"))

    assert refusal.value.error.raw_response["errorMessage"] == "Wrong credentials"


def test_asks_for_a_transaction(business, express, tokens):
    checkout = express.push(order(business)).CheckoutRequestID
    receipt = business.decide(checkout, "approve").json()["receipt"]
    client = TransactionStatus(http_client=tokens.http_client, token_manager=tokens)

    answer = client.query(
        TransactionStatusRequest(
            Initiator="savanna-api",
            SecurityCredential="bm90IGVuY3J5cHRlZA==",
            TransactionID=receipt,
            PartyA=int(business.shortcode),
            IdentifierType=4,
            ResultURL=f"{business.inbox.url}/hooks/2",
            QueueTimeOutURL=f"{business.inbox.url}/hooks/3",
            Remarks="status",
        )
    )
    business.tick(1)

    assert answer.is_successful()
    assert business.inbox.wait(2)[1]["Result"]["ResultCode"] == 2001


def test_reverses_a_payment_with_a_real_credential(business, express, tokens):
    business.control("PUT", "/accounts/600100", business.account | {"charge_bps": 0})
    checkout = express.push(order(business)).CheckoutRequestID
    receipt = business.decide(checkout, "approve").json()["receipt"]
    pem = business.control("GET", "/certificate").content
    public_key = x509.load_pem_x509_certificate(pem).public_key()
    credential = base64.b64encode(public_key.encrypt(b"Initiator-1", padding.PKCS1v15())).decode()

    answer = Reversal(http_client=tokens.http_client, token_manager=tokens).reverse(
        ReversalRequest(
            Initiator="savanna-api",
            SecurityCredential=credential,
            TransactionID=receipt,
            Amount=250,
            ReceiverParty=int(business.shortcode),
            ResultURL=f"{business.inbox.url}/hooks/2",
            QueueTimeOutURL=f"{business.inbox.url}/hooks/3",
            Remarks="Refund",
            Occasion="",
        )
    )
    business.tick(2)

    assert answer.is_successful()
    assert business.inbox.wait(2)[1]["Result"]["ResultCode"] == 0
    assert business.statement()["rows"][-1]["kind"] == "reversal"


def test_pulls_transactions_with_the_foreign_token(business, express, tokens):
    """mpesakit has no pulls of its own; its client and token carry ours."""
    checkout = express.push(order(business)).CheckoutRequestID
    receipt = business.decide(checkout, "approve").json()["receipt"]
    headers = {"Authorization": f"Bearer {tokens.get_token()}", "Content-Type": "application/json"}
    registration = {
        "ShortCode": business.shortcode,
        "RequestType": "Pull",
        "NominatedNumber": "0722000000",
        "CallBackURL": f"{business.inbox.url}/hooks/4",
    }
    span = {"StartDate": "2020-08-04 8:36:00", "EndDate": "2099-08-16 10:10:00", "OffSetValue": "0"}

    registered = tokens.http_client.post("/pulltransactions/v1/register", registration, headers)
    found = tokens.http_client.post(
        "/pulltransactions/v1/query", {"ShortCode": business.shortcode, **span}, headers
    )

    assert registered["ResponseStatus"] == "1000"
    assert [row["transactionId"] for row in found["Response"][0]] == [receipt]
