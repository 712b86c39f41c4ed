"""M-Pesa as the product knows it: its accounts, their secrets and terms, and what keeps the promise of each port."""

import re
from dataclasses import astuple, dataclass, field

from cryptography.x509 import load_pem_x509_certificate
from django.utils.translation import gettext_lazy as _

from apps.integrations.contracts import MPESA, AccountTerms, CallRole, ShortCodeType
from apps.integrations.mpesa import codes
from apps.integrations.mpesa.balance import AccountBalance
from apps.integrations.mpesa.c2b import Inbound
from apps.integrations.mpesa.client import DarajaClient, is_well
from apps.integrations.mpesa.connection import Connection
from apps.integrations.mpesa.initiator import Initiator
from apps.integrations.mpesa.pull import PullTransactions
from apps.integrations.mpesa.qr import DynamicQr
from apps.integrations.mpesa.reversal import Reversal
from apps.integrations.mpesa.status import TransactionStatus
from apps.integrations.mpesa.stk import StkPush
from apps.integrations.ports import (
    BalancePort,
    CollectionPort,
    ConnectionPort,
    InboundPort,
    QrPort,
    RefundPort,
    StatementPort,
    StatusPort,
)
from apps.integrations.ports.providing import Adapter, Line, Provider, Rule, SecretText

NUMBER = re.compile(r"[0-9]{5,7}")
PULL_NUMBER = re.compile(r"(254|0)[17][0-9]{8}")
CURRENCY = "KES"
SHILLING = 1_00
PRODUCTION_URL = "https://api.safaricom.co.ke"
"""The only address where Daraja moves real money (Safaricom's go-live guide at developer.safaricom.co.ke)."""


@dataclass(frozen=True, slots=True)
class MpesaCredentials:
    """The secrets of one M-Pesa account; none of them appears in a representation of this object."""

    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    passkey: str = field(repr=False)
    initiator: str = field(default="", repr=False)
    initiator_password: str = field(default="", repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that must not be written anywhere in clear; the initiator's name is none."""
        values = (self.consumer_key, self.consumer_secret, self.passkey, self.initiator_password)
        return tuple(value for value in values if value)

    @property
    def is_complete(self) -> bool:
        """Say whether money can be collected with them: the initiator is needed only for refunds and status questions."""
        return all(astuple(self)[:3])

    @property
    def can_ask(self) -> bool:
        """Say whether the provider can be asked about a receipt with them."""
        return bool(self.initiator and self.initiator_password)


def _rules(terms: AccountTerms) -> list[Rule]:
    return [
        (terms.currency == CURRENCY, "currency", "M-Pesa accounts are kept in KES."),
        (_is_number(terms.short_code), "short_code", "A short code has 5 to 7 digits."),
        (
            _fits_type(terms),
            "till_number",
            "A till needs its till number of 5 to 7 digits, a paybill has none.",
        ),
        (terms.minimum_minor >= SHILLING, "minimum", "The smallest payment is one shilling."),
        (_is_certificate(terms.certificate), "certificate", "This is no certificate in PEM."),
        (
            terms.confirm_from_minor is None or bool(terms.certificate),
            "confirm_from",
            "M-Pesa is asked in the name of the initiator: that needs its certificate.",
        ),
        (
            _is_pull_number(terms),
            "pull_number",
            "Name the telephone number nominated for Pull Transactions, as 0722000000.",
        ),
    ]


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None


def _fits_type(terms: AccountTerms) -> bool:
    if terms.short_code_type == ShortCodeType.TILL:
        return _is_number(terms.till_number)
    return not terms.till_number


def _is_pull_number(terms: AccountTerms) -> bool:
    if not terms.pull_number:
        return not terms.is_pull_enabled
    return PULL_NUMBER.fullmatch(terms.pull_number) is not None


def _is_certificate(text: str) -> bool:
    if not text:
        return True
    try:
        load_pem_x509_certificate(text.encode())
    except ValueError:
        return False
    return True


def _stk_push(line: Line[MpesaCredentials]) -> StkPush:
    return StkPush(
        client=_daraja(line),
        short_code=line.account.short_code,
        till_number=line.account.till_number,
        passkey=line.credentials.passkey,
        clock=lambda: line.now,
    )


def _transaction_status(line: Line[MpesaCredentials]) -> TransactionStatus:
    return TransactionStatus(
        client=_daraja(line), short_code=line.account.short_code, initiator=_initiator(line)
    )


def _reversal(line: Line[MpesaCredentials]) -> Reversal:
    return Reversal(client=_daraja(line), short_code=line.account.short_code, initiator=_initiator(line))


def _pull_transactions(line: Line[MpesaCredentials]) -> PullTransactions:
    return PullTransactions(
        client=_daraja(line), short_code=line.account.short_code, method=line.account.pull_method
    )


def _inbound(line: Line[MpesaCredentials]) -> Inbound:
    return Inbound(
        client=_daraja(line), short_code=line.account.short_code, version=line.account.inbound_version
    )


def _account_balance(line: Line[MpesaCredentials]) -> AccountBalance:
    return AccountBalance(
        client=_daraja(line), short_code=line.account.short_code, initiator=_initiator(line)
    )


def _dynamic_qr(line: Line[MpesaCredentials]) -> DynamicQr:
    return DynamicQr(
        client=_daraja(line),
        short_code=line.account.short_code,
        till_number=line.account.till_number,
        name=line.account.label,
    )


def _connection(line: Line[MpesaCredentials]) -> Connection:
    return Connection(client=_daraja(line))


def _initiator(line: Line[MpesaCredentials]) -> Initiator:
    secrets = line.credentials
    return Initiator(secrets.initiator, secrets.initiator_password, line.account.certificate)


def _daraja(line: Line[MpesaCredentials]) -> DarajaClient:
    return DarajaClient(
        base_url=line.account.base_url,
        consumer_key=line.credentials.consumer_key,
        consumer_secret=line.credentials.consumer_secret,
        transport=line.transport,
        tokens=line.tokens,
    )


PROVIDER = Provider(
    slug=MPESA,
    method="MPESA",
    is_on_page=False,
    name="M-Pesa",
    credentials=MpesaCredentials,
    secret_texts={
        "consumer_key": SecretText(_("Consumer key")),
        "consumer_secret": SecretText(_("Consumer secret")),
        "passkey": SecretText(_("Passkey")),
        "initiator": SecretText(
            _("Initiator"), _("With its password, needed for refunds and to ask after movements.")
        ),
        "initiator_password": SecretText(_("Initiator password")),
    },
    calls={
        "oauth": CallRole.TOKEN,
        "stk_push": CallRole.ASKING,
        "stk_query": CallRole.QUESTION,
        "transaction_status": CallRole.QUESTION,
        "reversal": CallRole.GIVING_BACK,
        "c2b_register": CallRole.OTHER,
        "account_balance": CallRole.OTHER,
        "qr": CallRole.OTHER,
        "pull": CallRole.OTHER,
        "pull_register": CallRole.OTHER,
    },
    production_url=PRODUCTION_URL,
    terms=frozenset(
        {
            "short_code_type",
            "till_number",
            "certificate",
            "is_pull_enabled",
            "pull_number",
            "pull_method",
            "inbound_version",
            "is_accepted_by_default",
            "confirm_from_minor",
            "is_balance_watched",
        }
    ),
    rules=_rules,
    ports={
        BalancePort: Adapter(AccountBalance, _account_balance),
        CollectionPort: Adapter(StkPush, _stk_push),
        ConnectionPort: Adapter(Connection, _connection),
        InboundPort: Adapter(Inbound, _inbound),
        QrPort: Adapter(DynamicQr, _dynamic_qr),
        RefundPort: Adapter(Reversal, _reversal),
        StatementPort: Adapter(PullTransactions, _pull_transactions),
        StatusPort: Adapter(TransactionStatus, _transaction_status),
    },
    is_well=is_well,
    reasons=codes.MESSAGES,
    refusals={**codes.STK_RESULTS, **{code: refusal.code for code, refusal in codes.ERRORS.items()}},
)
