"""PayPal as the product knows it: its accounts, their secrets and terms, and what keeps the promise of each port."""

import re
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from apps.integrations.contracts import AccountTerms, CallRole
from apps.integrations.paypal import codes
from apps.integrations.paypal.answers import CURRENCIES
from apps.integrations.paypal.captures import Captures
from apps.integrations.paypal.certificates import Certificates, roots
from apps.integrations.paypal.client import API_URL, PaypalLine
from apps.integrations.paypal.connection import Connection
from apps.integrations.paypal.disputes import Disputes
from apps.integrations.paypal.methods import Methods
from apps.integrations.paypal.orders import Orders
from apps.integrations.paypal.refunds import RefundQuery, Refunds, RefundSearch
from apps.integrations.paypal.statements import Statements
from apps.integrations.paypal.webhooks import Webhooks
from apps.integrations.ports import (
    AppealPort,
    CapturePort,
    CollectionPort,
    ConnectionPort,
    DisputePort,
    MethodPort,
    RefundPort,
    RefundQueryPort,
    RefundSearchPort,
    StatementPort,
    WebhookPort,
)
from apps.integrations.ports.providing import Adapter, Line, Provider, Rule, SecretText

NUMBER = re.compile(r"[0-9A-Z]{13}")
WEBHOOK_ID = re.compile(r"[0-9A-Za-z]{1,50}")
NO_CONVERSION = (
    "PayPal takes no {currency}, and nothing is converted unasked: keep the account in a currency that it takes, as USD, and ask "
    "for payments in that."
)


@dataclass(frozen=True, slots=True)
class PaypalCredentials:
    """
    The secrets of one PayPal account; none of them appears in a representation of this object.

    The webhook's id is no secret, but stands in every signature. It is known once PayPal has been told the account's own address:
    until then no message is proven, and payments are found by questions alone.
    """

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    webhook_id: str = field(default="", repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that must not be written anywhere in clear."""
        return tuple(value for value in (self.client_id, self.client_secret) if value)

    @property
    def is_complete(self) -> bool:
        return bool(self.client_id and self.client_secret)

    @property
    def can_ask(self) -> bool:
        """Nobody is asked about a receipt: what comes in was asked for."""
        return False


def _rules(terms: AccountTerms) -> list[Rule]:
    return [
        (
            NUMBER.fullmatch(terms.short_code) is not None,
            "short_code",
            "A PayPal account is known by its merchant ID of 13 capital letters and digits.",
        ),
        (
            terms.currency in CURRENCIES,
            "currency",
            NO_CONVERSION.format(currency=terms.currency),
        ),
    ]


def _secret_rules(_: AccountTerms, credentials: PaypalCredentials) -> list[Rule]:
    return [
        (
            WEBHOOK_ID.fullmatch(credentials.webhook_id or "none") is not None,
            "webhook_id",
            "The ID of a webhook is letters and digits, not its address.",
        )
    ]


def _paypal(line: Line[PaypalCredentials]) -> PaypalLine:
    return PaypalLine(
        base_url=line.account.base_url,
        client_id=line.credentials.client_id,
        client_secret=line.credentials.client_secret,
        transport=line.transport,
        tokens=line.tokens,
    )


def _orders(line: Line[PaypalCredentials]) -> Orders:
    return Orders(_paypal(line), merchant=line.account.short_code)


def _webhooks(line: Line[PaypalCredentials]) -> Webhooks:
    paypal = _paypal(line)
    return Webhooks(line.credentials.webhook_id, paypal, Certificates(paypal, roots()))


PROVIDER = Provider(
    slug="paypal",
    method="PAYPAL",
    name="PayPal",
    credentials=PaypalCredentials,
    secret_texts={
        "client_id": SecretText(
            _("Client ID"), _("Of the app that PayPal's developer pages list for the account.")
        ),
        "client_secret": SecretText(_("Client secret")),
        "webhook_id": SecretText(
            _("Webhook ID"), _("PayPal shows it once the app knows the address for its messages.")
        ),
    },
    calls={
        "oauth": CallRole.TOKEN,
        "order": CallRole.ASKING,
        "order_query": CallRole.QUESTION,
        "authorize": CallRole.OTHER,
        "capture": CallRole.OTHER,
        "void": CallRole.OTHER,
        "refund": CallRole.GIVING_BACK,
        "refund_query": CallRole.QUESTION,
        "setup": CallRole.OTHER,
        "setup_query": CallRole.OTHER,
        "method": CallRole.OTHER,
        "method_query": CallRole.OTHER,
        "method_list": CallRole.OTHER,
        "forget": CallRole.OTHER,
        "dispute_query": CallRole.OTHER,
        "dispute_list": CallRole.OTHER,
        "evidence": CallRole.OTHER,
        "dispute_accept": CallRole.OTHER,
        "dispute_appeal": CallRole.OTHER,
        "statement": CallRole.OTHER,
        "certificate": CallRole.OTHER,
        "webhook_check": CallRole.OTHER,
    },
    production_url=API_URL,
    currencies=CURRENCIES,
    terms=frozenset(),
    rules=_rules,
    secret_rules=_secret_rules,
    ports={
        AppealPort: Adapter(Disputes, lambda line: Disputes(_paypal(line))),
        CapturePort: Adapter(Captures, lambda line: Captures(_orders(line))),
        CollectionPort: Adapter(Orders, _orders),
        ConnectionPort: Adapter(Connection, lambda line: Connection(_paypal(line))),
        DisputePort: Adapter(Disputes, lambda line: Disputes(_paypal(line))),
        MethodPort: Adapter(Methods, lambda line: Methods(_paypal(line))),
        RefundPort: Adapter(Refunds, lambda line: Refunds(_paypal(line))),
        RefundQueryPort: Adapter(RefundQuery, lambda line: RefundQuery(_paypal(line))),
        RefundSearchPort: Adapter(RefundSearch, lambda line: RefundSearch(_paypal(line))),
        StatementPort: Adapter(Statements, lambda line: Statements(_paypal(line))),
        WebhookPort: Adapter(Webhooks, _webhooks),
    },
    is_well=lambda answer: codes.is_well(answer.status),
    reasons=codes.MESSAGES,
    refusals={**codes.EVERYWHERE, **codes.COLLECTING},
)
