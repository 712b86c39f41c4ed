"""Turns a provider account into the ports that the product speaks to; every call is recorded."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.integrations import registry
from apps.integrations.contracts import Environment, Flow, provider_name
from apps.integrations.models import ProviderAccount
from apps.integrations.ports import (
    AppealPort,
    BalancePort,
    CapturePort,
    CollectionPort,
    ConnectionPort,
    ConnectPort,
    DisputePort,
    InboundPort,
    MethodPort,
    Payer,
    PayerKind,
    ProviderDeclined,
    QrPort,
    RatePort,
    RefundPort,
    RefundQueryPort,
    RefundSearchPort,
    RefundTerms,
    StatementPort,
    StatementTerms,
    StatusPort,
    TransferPort,
    WebhookPort,
)
from apps.integrations.ports.providing import Line
from apps.integrations.selectors import accounts as stored
from apps.integrations.services import accounts, rate_sources, tokens
from apps.integrations.services.calls import RecordedTransport
from apps.integrations.services.gates import Gate
from apps.integrations.services.ruled import Ruled
from apps.kit import http

PORTS: dict[str, dict[type, type]] = {
    **{
        provider.slug: {port: adapter.kind for port, adapter in provider.ports.items()}
        for provider in registry.providers().values()
    },
    **{source: {RatePort: adapter} for source, adapter in rate_sources.SOURCES.items()},
}
"""Which provider keeps the promise of which port, and with what."""

FLOWS: dict[type, Flow] = {
    BalancePort: Flow.BALANCE,
    CapturePort: Flow.COLLECTION,
    CollectionPort: Flow.COLLECTION,
    InboundPort: Flow.INBOUND,
    MethodPort: Flow.COLLECTION,
    QrPort: Flow.QR,
    RefundPort: Flow.REFUND,
    RefundQueryPort: Flow.REFUND,
    RefundSearchPort: Flow.REFUND,
    StatementPort: Flow.STATEMENT,
    StatusPort: Flow.STATUS,
}
"""What the flow of each port of an account is called, in the rules about refusals; a port without one has no rules."""

READ_TIMEOUT = 30.0
READ_TIMEOUTS: dict[type, float] = {ConnectionPort: 8.0, QrPort: 8.0}
"""How long an answer is waited for where a person waits for it."""
NOT_OFFERED = "not_offered"


def offers(provider: str, port: type) -> bool:
    """Say whether a provider keeps the promise of a port."""
    return port in PORTS.get(provider, {})


def refund_terms(provider: str) -> RefundTerms | None:
    """Return what a provider promises of money that goes back; None where it gives nothing back from here."""
    terms: RefundTerms | None = getattr(PORTS.get(provider, {}).get(RefundPort), "terms", None)
    return terms


def statement_terms(provider: str) -> StatementTerms | None:
    """Return what a provider promises of its list of movements; None where it gives none."""
    adapter: type[StatementPort] | None = PORTS.get(provider, {}).get(StatementPort)
    return adapter.terms if adapter is not None else None


def repeat_within(provider: str) -> timedelta:
    """Return for how long a provider knows a collection asked for again under the same code; zero where it never does."""
    adapter: type[CollectionPort] | None = PORTS.get(provider, {}).get(CollectionPort)
    return adapter.repeat_within if adapter is not None else timedelta(0)


def method_known_for(provider: str) -> timedelta:
    """Return for how long a provider knows a request to keep a way to pay by its code; zero where it keeps none."""
    adapter: type[MethodPort] | None = PORTS.get(provider, {}).get(MethodPort)
    return adapter.repeat_within if adapter is not None else timedelta(0)


def connect_known_for(provider: str) -> timedelta:
    """Return for how long a provider knows a request to open an account by its code; zero where it opens none."""
    adapter: type[ConnectPort] | None = PORTS.get(provider, {}).get(ConnectPort)
    return adapter.repeat_within if adapter is not None else timedelta(0)


def transfer_known_for(provider: str) -> timedelta:
    """Return for how long a provider knows a transfer or a reversal by its code; zero where it makes none."""
    adapter: type[TransferPort] | None = PORTS.get(provider, {}).get(TransferPort)
    return adapter.repeat_within if adapter is not None else timedelta(0)


def payer(provider: str, text: str) -> Payer:
    """Return who paid as a provider tells it, from the text that came; UNKNOWN where it has no such service."""
    adapter: type[InboundPort] | None = PORTS.get(provider, {}).get(InboundPort)
    return Payer(PayerKind.UNKNOWN) if adapter is None else adapter.read_payer(text)


def collection(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> CollectionPort:
    """
    Return the port that collects money into an account, enabled or not (what is under way must be asked after).

    Calls are recorded under ``subject_id``, the attempt that they are made for, and refused inside a transaction;
    ``read_callback`` may be used anywhere. Raises ProviderAccountMissing, and ProviderDeclined with the code
    ``not_offered`` where the provider has no such service.
    """
    port: CollectionPort = _port(CollectionPort, account_id, now, subject_id)
    return port


def status(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> StatusPort:
    """Return the port that asks after a movement; recorded and refused as for ``collection``."""
    port: StatusPort = _port(StatusPort, account_id, now, subject_id)
    return port


def refund(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> RefundPort:
    """Return the port that gives an account's collections back; recorded and refused as for ``collection``."""
    port: RefundPort = _port(RefundPort, account_id, now, subject_id)
    return port


def statement(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> StatementPort:
    """Return the port that lists an account's movements; recorded and refused as for ``collection``."""
    port: StatementPort = _port(StatementPort, account_id, now, subject_id)
    return port


def inbound(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> InboundPort:
    """Return the port that is told of what payers send unasked; only ``register`` is a call, the rest may be used anywhere."""
    port: InboundPort = _port(InboundPort, account_id, now, subject_id)
    return port


def balance(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> BalancePort:
    """Return the port that asks what the provider holds; recorded and refused as for ``collection``."""
    port: BalancePort = _port(BalancePort, account_id, now, subject_id)
    return port


def qr(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> QrPort:
    """Return the port that makes pictures for payers; recorded and refused as for ``collection``."""
    port: QrPort = _port(QrPort, account_id, now, subject_id)
    return port


def capture(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> CapturePort:
    """Return the port that takes what is held back, or lets it go; recorded and refused as for ``collection``."""
    port: CapturePort = _port(CapturePort, account_id, now, subject_id)
    return port


def refund_query(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> RefundQueryPort:
    """Return the port that asks after a refund; recorded and refused as for ``collection``."""
    port: RefundQueryPort = _port(RefundQueryPort, account_id, now, subject_id)
    return port


def refund_search(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> RefundSearchPort:
    """Return the port that finds a refund again; recorded and refused as for ``collection``."""
    port: RefundSearchPort = _port(RefundSearchPort, account_id, now, subject_id)
    return port


def webhook(account_id: UUID, *, now: datetime) -> WebhookPort:
    """Return the port that proves a signed message; recorded and refused as for ``collection``."""
    port: WebhookPort = _port(WebhookPort, account_id, now, None)
    return port


def dispute(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> DisputePort:
    """Return the port that reads and answers disputes; recorded and refused as for ``collection``."""
    port: DisputePort = _port(DisputePort, account_id, now, subject_id)
    return port


def appeal(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> AppealPort:
    """Return the port that appeals against lost disputes; recorded and refused as for ``collection``."""
    port: AppealPort = _port(AppealPort, account_id, now, subject_id)
    return port


def method(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> MethodPort:
    """Return the port that keeps ways to pay; recorded and refused as for ``collection``."""
    port: MethodPort = _port(MethodPort, account_id, now, subject_id)
    return port


def connect(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> ConnectPort:
    """Return the port that opens accounts for parties; recorded and refused as for ``collection``."""
    port: ConnectPort = _port(ConnectPort, account_id, now, subject_id)
    return port


def transfer(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> TransferPort:
    """Return the port that pays such accounts; recorded and refused as for ``collection``."""
    port: TransferPort = _port(TransferPort, account_id, now, subject_id)
    return port


def connection(account_id: UUID, *, now: datetime) -> ConnectionPort:
    """Return the port that signs in at the provider and does nothing else; recorded and refused as for ``collection``."""
    port: ConnectionPort = _port(ConnectionPort, account_id, now, None)
    return port


def _port(port: type, account_id: UUID, now: datetime, subject_id: UUID | None) -> Any:
    account = stored.get(account_id)
    if not offers(account.provider, port):
        raise ProviderDeclined(NOT_OFFERED, f"{provider_name(account.provider)} has no such service here.")
    credentials = accounts.open_credentials(account)
    provider = registry.providers()[account.provider]
    gate = Gate(account.id, account.calls_per_second, provider.is_well, now)
    line = Line(
        account=account,
        credentials=credentials,
        transport=RecordedTransport(
            client=http.Client(policy=_policy(account), read_timeout=READ_TIMEOUTS.get(port, READ_TIMEOUT)),
            gate=gate,
            account_id=account.id,
            subject_id=subject_id,
            now=now,
            secrets=credentials.secrets,
        ),
        tokens=tokens.of_account(account, now=now),
        now=now,
    )
    built = provider.ports[port].build(line)
    return Ruled(built, account.provider, FLOWS[port]) if port in FLOWS else built


def _policy(account: ProviderAccount) -> http.AddressPolicy:
    """Loopback only for accounts of the simulator, and only below its address; otherwise public addresses by https."""
    simulator = settings.TREASURY["SIMULATOR_URL"]
    is_simulated = account.environment == Environment.SIMULATOR and simulator
    return http.AddressPolicy(allowed_loopback=(simulator,) if is_simulated else (), https_only=True)
