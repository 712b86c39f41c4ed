"""Stripe as the product knows it: its accounts, their secrets and terms, and what keeps the promise of each port."""

import re
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from apps.integrations.contracts import AccountTerms, CallRole, Environment
from apps.integrations.ports import (
    CapturePort,
    CollectionPort,
    ConnectionPort,
    ConnectPort,
    DisputePort,
    MethodPort,
    RefundPort,
    RefundQueryPort,
    RefundSearchPort,
    StatementPort,
    TransferPort,
    WebhookPort,
)
from apps.integrations.ports.providing import Adapter, Line, Provider, Rule, SecretText
from apps.integrations.stripe import codes
from apps.integrations.stripe.captures import Captures
from apps.integrations.stripe.checkout import Checkout
from apps.integrations.stripe.client import API_URL, StripeLine
from apps.integrations.stripe.connected import ConnectedAccounts
from apps.integrations.stripe.connection import Connection
from apps.integrations.stripe.disputes import Disputes
from apps.integrations.stripe.methods import Methods
from apps.integrations.stripe.refunds import RefundQuery, Refunds, RefundSearch
from apps.integrations.stripe.statements import Statements
from apps.integrations.stripe.transfers import Transfers
from apps.integrations.stripe.webhooks import Webhooks

NUMBER = re.compile(r"acct_[0-9A-Za-z]{8,32}")
KEY = re.compile(r"(sk|rk)_(live|test)_[0-9A-Za-z]{4,240}")
"""A secret key, or one that may do less."""
ENDPOINT_SECRET = re.compile(r"whsec_[0-9A-Za-z+/=_-]{4,240}")


@dataclass(frozen=True, slots=True)
class StripeCredentials:
    """
    The secrets of one Stripe account; none of them appears in a representation of this object.

    The endpoint's secret is known once Stripe has been told the account's own address: until then no message is proven,
    and payments are found by questions alone.
    """

    api_key: str = field(repr=False)
    webhook_secret: str = field(default="", repr=False)
    previous_webhook_secret: str = field(default="", repr=False)
    connect_webhook_secret: str = field(default="", repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that must not be written anywhere in clear."""
        return tuple(value for value in (self.api_key, *self.endpoint_secrets) if value)

    @property
    def endpoint_secrets(self) -> tuple[str, ...]:
        """The secrets by which a message may be signed: of our own endpoint, also its former one, and of that of connected accounts."""
        every = (self.webhook_secret, self.previous_webhook_secret, self.connect_webhook_secret)
        return tuple(value for value in every if value)

    @property
    def is_complete(self) -> bool:
        return bool(self.api_key)

    @property
    def can_ask(self) -> bool:
        """Nobody is asked about a receipt: what comes in was asked for."""
        return False


def _rules(terms: AccountTerms) -> list[Rule]:
    return [
        (
            NUMBER.fullmatch(terms.short_code) is not None,
            "short_code",
            "A Stripe account is called acct_ and letters.",
        ),
    ]


def _secret_rules(terms: AccountTerms, credentials: StripeCredentials) -> list[Rule]:
    key, world = KEY.fullmatch(credentials.api_key), _world(terms)
    return [
        (key is not None, "api_key", "A key begins with sk_live_, sk_test_, rk_live_ or rk_test_."),
        (
            key is None or key[2] == world,
            "api_key",
            "Keys of live money are for production accounts, and no others are.",
        ),
        *(
            (
                ENDPOINT_SECRET.fullmatch(getattr(credentials, name) or "whsec_none") is not None,
                name,
                "The secret of an endpoint begins with whsec_.",
            )
            for name in ("webhook_secret", "previous_webhook_secret", "connect_webhook_secret")
        ),
    ]


def _world(terms: AccountTerms) -> str:
    return "live" if terms.environment == Environment.PRODUCTION else "test"


def _stripe(line: Line[StripeCredentials]) -> StripeLine:
    return StripeLine(
        base_url=line.account.base_url, api_key=line.credentials.api_key, transport=line.transport
    )


def _checkout(line: Line[StripeCredentials]) -> Checkout:
    return Checkout(_stripe(line))


def _webhooks(line: Line[StripeCredentials]) -> Webhooks:
    return Webhooks(
        account=line.account.short_code,
        is_live=line.account.environment == Environment.PRODUCTION,
        secrets=line.credentials.endpoint_secrets,
    )


PROVIDER = Provider(
    slug="stripe",
    method="CARD",
    method_name=_("Card"),
    name="Stripe",
    credentials=StripeCredentials,
    secret_texts={
        "api_key": SecretText(
            _("Secret key"), _("Or a restricted one that may write what is used here; rk_ or sk_.")
        ),
        "webhook_secret": SecretText(
            _("Signing secret of the webhook"),
            _("As whsec_…; Stripe shows it once it knows the address for its messages."),
        ),
        "previous_webhook_secret": SecretText(
            _("Signing secret before that"), _("Only while the other one is new.")
        ),
        "connect_webhook_secret": SecretText(
            _("Signing secret of connected accounts"),
            _("Of a second webhook at the same address, which listens to events on connected accounts."),
        ),
    },
    calls={
        "checkout": CallRole.ASKING,
        "charge": CallRole.CHARGING,
        "session_query": CallRole.QUESTION,
        "payment_query": CallRole.QUESTION,
        "capture": CallRole.OTHER,
        "release": CallRole.OTHER,
        "refund": CallRole.GIVING_BACK,
        "refund_query": CallRole.QUESTION,
        "customer": CallRole.OTHER,
        "setup": CallRole.OTHER,
        "setup_query": CallRole.OTHER,
        "method_query": CallRole.OTHER,
        "forget": CallRole.OTHER,
        "dispute_query": CallRole.OTHER,
        "dispute_list": CallRole.OTHER,
        "evidence": CallRole.OTHER,
        "file": CallRole.OTHER,
        "dispute_accept": CallRole.OTHER,
        "statement": CallRole.OTHER,
        "account": CallRole.OTHER,
        "connect": CallRole.OTHER,
        "connect_link": CallRole.OTHER,
        "connect_query": CallRole.OTHER,
        "transfer": CallRole.OTHER,
        "transfer_query": CallRole.OTHER,
        "transfer_reversal": CallRole.OTHER,
    },
    production_url=API_URL,
    is_one_address=True,
    terms=frozenset(),
    rules=_rules,
    secret_rules=_secret_rules,
    ports={
        CapturePort: Adapter(Captures, lambda line: Captures(_checkout(line))),
        CollectionPort: Adapter(Checkout, _checkout),
        ConnectionPort: Adapter(
            Connection, lambda line: Connection(_stripe(line), account=line.account.short_code)
        ),
        ConnectPort: Adapter(ConnectedAccounts, lambda line: ConnectedAccounts(_stripe(line))),
        DisputePort: Adapter(Disputes, lambda line: Disputes(_stripe(line))),
        MethodPort: Adapter(Methods, lambda line: Methods(_stripe(line))),
        RefundPort: Adapter(Refunds, lambda line: Refunds(_stripe(line))),
        RefundQueryPort: Adapter(RefundQuery, lambda line: RefundQuery(_stripe(line))),
        RefundSearchPort: Adapter(RefundSearch, lambda line: RefundSearch(_stripe(line))),
        StatementPort: Adapter(Statements, lambda line: Statements(_stripe(line))),
        TransferPort: Adapter(Transfers, lambda line: Transfers(_stripe(line))),
        WebhookPort: Adapter(Webhooks, _webhooks),
    },
    is_well=lambda answer: codes.is_well(answer.status),
    reasons=codes.MESSAGES,
    refusals={**codes.ERRORS, **codes.DECLINES},
)
