"""What crosses the border of the integrations app: terms and secrets of an account, a stored callback, facts for a timeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from uuid import UUID

from apps.integrations import registry
from apps.kit.errors import NotFound
from apps.kit.money import Money

if TYPE_CHECKING:
    from apps.integrations.ports.providing import Provider

MPESA = "mpesa"
WEBHOOK = "webhook"
"""The kind of an account's address to which its provider sends signed messages (see WebhookPort)."""
CALLS_PER_SECOND = 100
"""How many calls of one kind may leave an account in a second, unless its terms say otherwise."""


def provider_choices() -> list[tuple[str, str]]:
    """Return the providers that an organisation may have accounts with, each with its name for people."""
    return [(provider.slug, provider.name) for provider in registry.providers().values()]


def provider_name(slug: str) -> str:
    """Return M-Pesa for mpesa, and for MPESA, the method that is paid with there."""
    found = registry.providers().get(slug.lower())
    return found.name if found else slug.capitalize()


def by_method() -> Mapping[str, "Provider"]:
    """Return the providers that payers pay by, each under the method that it declares."""
    return {one.method: one for one in registry.providers().values() if one.method}


def takes(provider: str, currency: str) -> bool:
    """Say whether a provider takes a currency at all, whatever accounts there are."""
    found = registry.providers()[provider].currencies
    return not found or currency in found


def reasons(provider: str = "") -> Mapping[str, str]:
    """Return the reasons that refusals of a provider, or of any, may stand for, each with its sentence for people."""
    every = registry.providers().values()
    return {
        code: sentence
        for one in every
        if provider in ("", one.slug)
        for code, sentence in one.reasons.items()
    }


class CallRole(StrEnum):
    """
    What a call of an adapter is for: it fetches a token, asks a payer for money, takes it by a saved method without him, gives money
    back, asks, or else.
    """

    TOKEN = "TOKEN"  # noqa: S105 (a kind of call)
    ASKING = "ASKING"
    CHARGING = "CHARGING"
    GIVING_BACK = "GIVING_BACK"
    QUESTION = "QUESTION"
    OTHER = "OTHER"


def call_kinds(slug: str) -> tuple[str, ...]:
    """Return what a provider is asked, as ``ProviderCall.kind`` names it: each kind has a circuit and a rate."""
    return tuple(registry.providers()[slug].calls)


def who_is_asked(kind: str) -> str:
    """Return the name of the provider that a call of this kind asks about money; empty where it is no question."""
    every = registry.providers().values()
    return next((one.name for one in every if one.calls.get(kind) is CallRole.QUESTION), "")


def kinds_of_role(role: CallRole) -> frozenset[str]:
    """Return the kinds of calls, of any provider, that are for this."""
    everything = [call for provider in registry.providers().values() for call in provider.calls.items()]
    return frozenset(kind for kind, its_role in everything if its_role is role)


class Environment(StrEnum):
    """Which installation of a provider an account belongs to; money is real only in PRODUCTION."""

    SIMULATOR = "SIMULATOR"
    SANDBOX = "SANDBOX"
    PRODUCTION = "PRODUCTION"


class ShortCodeType(StrEnum):
    PAYBILL = "PAYBILL"
    TILL = "TILL"


class PullMethod(StrEnum):
    """How Pull Transactions is asked: Safaricom's pages say GET with a body, published clients POST."""

    POST = "POST"
    GET = "GET"


class InboundVersion(StrEnum):
    """Which version of its service a provider is asked to register addresses with."""

    V1 = "v1"
    V2 = "v2"


class RegistrationStatus(StrEnum):
    """
    What became of registering addresses.

    ELSEWHERE: some had been registered before, and the provider does not say which; FAILED: it was refused, or nobody
    can say.
    """

    DONE = "DONE"
    ELSEWHERE = "ELSEWHERE"
    FAILED = "FAILED"


class Flow(StrEnum):
    """What is done with a provider, one for each port: a code may mean different things in different flows."""

    COLLECTION = "COLLECTION"
    STATUS = "STATUS"
    REFUND = "REFUND"
    STATEMENT = "STATEMENT"
    INBOUND = "INBOUND"
    BALANCE = "BALANCE"
    QR = "QR"


class CallStatus(StrEnum):
    """What became of one HTTP exchange: an answer came, nothing left, or it left and no usable answer came."""

    ANSWERED = "ANSWERED"
    NOT_SENT = "NOT_SENT"
    NO_ANSWER = "NO_ANSWER"


class CallbackStatus(StrEnum):
    """
    How far a callback has come.

    RECEIVED waits for its reading; UNMATCHED is true and explained by nothing we know, so it waits for people; the
    others are final.
    """

    RECEIVED = "RECEIVED"
    UNMATCHED = "UNMATCHED"
    APPLIED = "APPLIED"
    DUPLICATE = "DUPLICATE"
    FORGED = "FORGED"
    MALFORMED = "MALFORMED"
    IGNORED = "IGNORED"


class ProviderAccountMissing(NotFound):
    """No enabled account of that provider and currency serves the branch, or there is no account with that id."""

    code = "provider_account_missing"
    title = "No such provider account"


@dataclass(frozen=True, slots=True)
class AccountTerms:
    """
    What is known of an account besides its secrets.

    ``short_code`` is the paybill number, or the store number that goes with ``till_number``. ``certificate`` is the
    provider's certificate in PEM, needed only for what an initiator does: refunds, and questions for the status of a
    movement. ``fee_bps`` is what the provider keeps of a payment, in basis points; the limits hold for one payment, in
    minor units of ``currency``. Where ``is_pull_enabled``, the movements are listed every 15 minutes; ``pull_number``
    is the telephone number nominated for that. Addresses for payments that come unasked are registered with
    ``inbound_version`` of the service; ``is_accepted_by_default`` is what happens where a check of one cannot be
    answered. Where ``is_balance_watched``, the provider is asked every 15 minutes what it holds. ``calls_per_second``
    is how many calls of one kind leave in a second at most. Money that comes unasked, of ``confirm_from_minor`` or more, is
    asked about before it is booked; None asks about nothing.
    """

    provider: str
    label: str
    branch_id: UUID
    environment: Environment
    base_url: str
    currency: str
    short_code: str
    minimum_minor: int
    maximum_minor: int
    short_code_type: ShortCodeType = ShortCodeType.PAYBILL
    till_number: str = ""
    certificate: str = ""
    fee_bps: int = 0
    is_pull_enabled: bool = False
    pull_number: str = ""
    pull_method: PullMethod = PullMethod.POST
    inbound_version: InboundVersion = InboundVersion.V2
    is_accepted_by_default: bool = True
    is_balance_watched: bool = False
    calls_per_second: int = CALLS_PER_SECOND
    confirm_from_minor: int | None = None


class Credentials(Protocol):
    """The secrets of one account: a frozen dataclass of texts that shows none of them. What may be left out has a default."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def secrets(self) -> tuple[str, ...]: ...

    @property
    def is_complete(self) -> bool: ...

    @property
    def can_ask(self) -> bool: ...


def credentials(slug: str, **secrets: str) -> Credentials:
    """Return the secrets of an account with this provider; TypeError for names that it does not know, or lacks."""
    return registry.providers()[slug].credentials(**secrets)


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """
    What refusals of one flow with a code, and a fragment in their text, stand for; see ``ProviderErrorRule``.

    ``retry_after_seconds`` is how long to wait before what never left is sent again; None keeps our own plan.
    ``may_fall_back``: another account may be asked in its place.
    """

    provider: str
    flow: Flow
    code: str
    reason_code: str
    contains: str = ""
    is_open: bool = False
    payer_message: str = ""
    retry_after_seconds: int | None = None
    may_fall_back: bool = False


@dataclass(frozen=True, slots=True)
class StoredCallback:
    """
    One callback as it came in: ``body`` is every byte of it, ``headers`` have names in lower case and no secrets; nothing
    of it has been believed.
    """

    id: UUID
    token: str
    kind: str
    body: bytes
    received_at: datetime
    remote_ip: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegistrationFact:
    """What became of registering an account's addresses; ``by`` is the name of who asked for it, empty for nobody of the team."""

    status: RegistrationStatus
    at: datetime
    by: str
    message: str


@dataclass(frozen=True, slots=True)
class ConnectionFact:
    """What came of signing in at a provider: nothing, where it works, or the reason, its sentence and the provider's own code."""

    code: str = ""
    message: str = ""
    provider_code: str = ""

    @property
    def is_well(self) -> bool:
        return not self.code


@dataclass(frozen=True, slots=True)
class Purse:
    name: str
    current: Money
    available: Money


@dataclass(frozen=True, slots=True)
class Holding:
    """
    What a provider says that it holds in an account: ``total`` is the sum of its purses.

    ``booked`` is what the books say, None where nothing has been booked; ``told_at`` is the provider's time.
    """

    account_id: UUID
    total: Money
    purses: tuple[Purse, ...]
    booked: Money | None
    told_at: datetime | None
    read_at: datetime

    @property
    def difference(self) -> Money | None:
        """What the provider says beyond the books."""
        return self.total - self.booked if self.booked is not None else None


@dataclass(frozen=True, slots=True)
class CallFact:
    """One exchange with a provider, for people: secrets are gone, phones are masked, JSON is indented."""

    id: UUID
    kind: str
    subject_id: UUID | None
    method: str
    url: str
    request_body: str
    status: str
    response_status: int | None
    response_body: str
    problem: str
    elapsed_ms: int
    called_at: datetime


@dataclass(frozen=True, slots=True)
class CallbackFact:
    """One callback and what became of it, for people: phones are masked, JSON is indented."""

    id: UUID
    kind: str
    subject_id: UUID | None
    body: str
    sha256: str
    remote_ip: str
    received_at: datetime
    status: str
    note: str
