"""PyPI's mpesakit registers addresses, reads what is told there, asks for balances and draws QR codes at the simulator."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from mpesakit.account_balance import AccountBalance, AccountBalanceRequest
from mpesakit.auth import TokenManager
from mpesakit.c2b import C2B, C2BRegisterUrlRequest, C2BValidationRequest
from mpesakit.dynamic_qr_code import DynamicQRCode, DynamicQRGenerateRequest

from tests.simulator.test_foreign_client import SimulatedHttpClient


@pytest.fixture
def line(business):
    """Return what each of mpesakit's clients is made of."""
    client = SimulatedHttpClient(business.url)
    pair = {name: business.account[name] for name in ("consumer_key", "consumer_secret")}
    return {"http_client": client, "token_manager": TokenManager(**pair, http_client=client)}


def test_registers_and_reads_the_check_and_the_confirmation_of_one_payment(business, line):
    hooks = f"{business.inbox.url}/hooks/3f/9c"
    answer = C2B(**line).register_url(
        C2BRegisterUrlRequest(
            ShortCode=int(business.shortcode),
            ResponseType="Completed",
            ConfirmationURL=f"{hooks}/c2b",
            ValidationURL=f"{hooks}/check",
        )
    )
    business.inbox.answers["check"] = {"ResultCode": "0", "ResultDesc": "Accepted"}

    business.pay()

    check, told = (C2BValidationRequest(**body) for body in business.inbox.wait(2))
    assert answer.ResponseCode == "0"
    assert check.TransID == told.TransID == business.statement()["rows"][0]["receipt"]
    assert (check.OrgAccountBalance, told.BusinessShortCode) == ("", int(business.shortcode))


def test_asks_for_the_balance(business, line):
    pem = business.control("GET", "/certificate").content
    key = x509.load_pem_x509_certificate(pem).public_key()
    sealed = base64.b64encode(key.encrypt(b"Initiator-1", padding.PKCS1v15())).decode()

    accepted = AccountBalance(**line).query(
        AccountBalanceRequest(
            Initiator="savanna-api",
            SecurityCredential=sealed,
            PartyA=int(business.shortcode),
            IdentifierType=4,
            Remarks="Balance",
            QueueTimeOutURL=f"{business.inbox.url}/hooks/3f/9c/late",
            ResultURL=f"{business.inbox.url}/hooks/3f/9c/balance",
        )
    )
    business.tick(1)

    assert accepted.is_successful()
    assert business.inbox.result_of(accepted.ConversationID)["ResultCode"] == 0


def test_draws_a_code(business, line):
    answer = DynamicQRCode(**line).generate(
        DynamicQRGenerateRequest(
            MerchantName="Savanna",
            RefNo="K7PQ2M4XRT",
            Amount=1500,
            TrxCode="PB",
            CPI=business.shortcode,
            Size="300",
        )
    )

    assert base64.b64decode(answer.QRCode).startswith(b"\x89PNG")
