"""Turns a provider account into the ports that the product speaks to; every call is recorded."""

from datetime import datetime
from uuid import UUID

from django.conf import settings

from apps.integrations.contracts import MPESA, Environment, MpesaCredentials
from apps.integrations.models import ProviderAccount
from apps.integrations.mpesa.client import DarajaClient
from apps.integrations.mpesa.initiator import Initiator
from apps.integrations.mpesa.pull import PullTransactions
from apps.integrations.mpesa.reversal import Reversal
from apps.integrations.mpesa.status import TransactionStatus
from apps.integrations.mpesa.stk import StkPush
from apps.integrations.ports import CollectionPort, RatePort, RefundPort, StatementPort, StatusPort
from apps.integrations.selectors import accounts as stored
from apps.integrations.services import accounts, rate_sources, tokens
from apps.integrations.services.calls import RecordedTransport
from apps.kit import http

PORTS: dict[str, dict[type, type]] = {
    MPESA: {
        CollectionPort: StkPush,
        RefundPort: Reversal,
        StatementPort: PullTransactions,
        StatusPort: TransactionStatus,
    },
    **{source: {RatePort: adapter} for source, adapter in rate_sources.SOURCES.items()},
}
"""Which provider keeps the promise of which port, and with what."""

READ_TIMEOUT = 30.0


def collection(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> CollectionPort:
    """
    Return the port that collects money into an account, enabled or not (what is under way must be asked after).

    Calls are recorded under ``subject_id``, the attempt that they are made for, and refused inside a transaction;
    ``read_callback`` may be used anywhere. Raises ProviderAccountMissing.
    """
    account = stored.get(account_id)
    credentials = accounts.open_credentials(account)
    return StkPush(
        client=_client(account, credentials, subject_id, now),
        short_code=account.short_code,
        till_number=account.till_number,
        passkey=credentials.passkey,
        clock=lambda: now,
    )


def status(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> StatusPort:
    """Return the port that asks after a movement; recorded and refused as for ``collection``."""
    account = stored.get(account_id)
    credentials = accounts.open_credentials(account)
    return TransactionStatus(
        client=_client(account, credentials, subject_id, now),
        short_code=account.short_code,
        initiator=_initiator(account, credentials),
    )


def refund(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> RefundPort:
    """Return the port that gives an account's collections back; recorded and refused as for ``collection``."""
    account = stored.get(account_id)
    credentials = accounts.open_credentials(account)
    return Reversal(
        client=_client(account, credentials, subject_id, now),
        short_code=account.short_code,
        initiator=_initiator(account, credentials),
    )


def statement(account_id: UUID, *, now: datetime, subject_id: UUID | None = None) -> StatementPort:
    """Return the port that lists an account's movements; recorded and refused as for ``collection``."""
    account = stored.get(account_id)
    credentials = accounts.open_credentials(account)
    return PullTransactions(
        client=_client(account, credentials, subject_id, now),
        short_code=account.short_code,
        method=account.pull_method,
    )


def _initiator(account: ProviderAccount, credentials: MpesaCredentials) -> Initiator:
    return Initiator(credentials.initiator, credentials.initiator_password, account.certificate)


def _client(
    account: ProviderAccount, credentials: MpesaCredentials, subject_id: UUID | None, now: datetime
) -> DarajaClient:
    return DarajaClient(
        base_url=account.base_url,
        consumer_key=credentials.consumer_key,
        consumer_secret=credentials.consumer_secret,
        transport=RecordedTransport(
            client=http.Client(policy=_policy(account), read_timeout=READ_TIMEOUT),
            account_id=account.id,
            subject_id=subject_id,
            now=now,
            secrets=credentials.secrets,
        ),
        tokens=tokens.of_account(account, now=now),
    )


def _policy(account: ProviderAccount) -> http.AddressPolicy:
    """Loopback only for accounts of the simulator, and only below its address; otherwise public addresses by https."""
    simulator = settings.TREASURY["SIMULATOR_URL"]
    is_simulated = account.environment == Environment.SIMULATOR and simulator
    return http.AddressPolicy(allowed_loopback=(simulator,) if is_simulated else (), https_only=True)
