"""What the tests of reversals ask for and read."""

import base64

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding

PATH = "/mpesa/reversal/v1/request"
STATUS = "/mpesa/transactionstatus/v1/query"


def credential(business, password="Initiator-1"):
    """Encrypt a password with the certificate that the simulator shows."""
    pem = business.control("GET", "/certificate").content
    public_key = x509.load_pem_x509_certificate(pem).public_key()
    return base64.b64encode(public_key.encrypt(password.encode(), padding.PKCS1v15())).decode()


def order(business, receipt, **changes):
    """Return the body of a reversal."""
    return {
        "Initiator": "savanna-api",
        "SecurityCredential": credential(business),
        "CommandID": "TransactionReversal",
        "TransactionID": receipt,
        "Amount": 1500,
        "ReceiverParty": business.shortcode,
        "RecieverIdentifierType": "11",
        "ResultURL": f"{business.inbox.url}/hooks/3f/9c/reversal",
        "QueueTimeOutURL": f"{business.inbox.url}/hooks/3f/9c/late",
        "Remarks": "Refund",
        "Occasion": "",
        **changes,
    }


def paid(business, phone="254712345678"):
    """Make a payment whose callback is lost, and return its receipt."""
    business.script("drop_callback")
    checkout = business.pushed(phone=phone)
    if phone.startswith("254700000"):
        business.tick(2)
    else:
        business.decide(checkout, "approve")
    return business.prompts()[0]["receipt"]


def reverse(business, receipt, **changes):
    """Ask for a reversal that is accepted."""
    answer = business.post(PATH, order(business, receipt, **changes))
    assert answer.status_code == 200, answer.text
    return answer.json()


def reversed_(business, receipt, **changes):
    """Reverse, let the result come, and return it."""
    before = len(business.inbox.bodies)
    accepted = reverse(business, receipt, **changes)
    business.tick(2)
    result = business.inbox.wait(before + 1)[-1]["Result"]
    assert result["OriginatorConversationID"] == accepted["OriginatorConversationID"]
    assert result["ConversationID"] == accepted["ConversationID"]
    return result


def parameters(result):
    """Return the parameters of a result; of a repeated key the last."""
    return {pair["Key"]: pair.get("Value") for pair in result["ResultParameters"]["ResultParameter"]}


def reversals(business):
    """Return all reversals, newest first."""
    return business.control("GET", "/reversals").json()["reversals"]


def withdrawn(business):
    """Return the receipts that were reversed, as the statement tells them."""
    return [row["linked_receipt"] for row in business.statement()["rows"] if row["kind"] == "reversal"]
