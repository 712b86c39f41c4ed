"""Connected accounts: have a provider open one for a party, send the party there, and have it asked how one stands."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from apps.audit.services import records
from apps.disbursements import events
from apps.disbursements.contracts import OWED_ON, ConnectedStatus, NewConnectedAccount
from apps.disbursements.models import ConnectedAccount
from apps.disbursements.models.connected_account import OPENED_STATES
from apps.integrations.contracts import provider_name
from apps.integrations.ports import ConnectLink, ConnectPort, ProviderDeclined, ProviderError
from apps.integrations.selectors import accounts
from apps.integrations.services import providers
from apps.kit import errors, ids, jobs
from apps.kit.actors import Actor
from apps.kit.rooms import ROOM, RoomFull
from apps.parties.contracts import PartyKind

if TYPE_CHECKING:
    from apps.integrations.models import ProviderAccount
    from apps.parties.models import Party

NUDGED_STATES = (*OPENED_STATES, ConnectedStatus.UNKNOWN)
"""Where a message has the provider asked at once: while it is being asked to open one, its answer is on its way."""


class ConnectRefused(errors.DomainError):
    """The party cannot be connected so; the field error says why."""

    pointer = "/party_id"

    def __init__(self, detail: str, pointer: str = "") -> None:
        super().__init__(detail, errors=[errors.FieldError(pointer or self.pointer, self.code, detail)])


class PartyNotPayable(ConnectRefused):
    """Only merchants, riders and suppliers that are in use are paid by transfer."""

    code = "party_not_payable"
    title = "Party not paid by transfer"


class AlreadyConnected(ConnectRefused):
    """The party has an account at this provider under the same account of ours."""

    code = "already_connected"
    title = "Already connected"


class ConnectNotSupported(ConnectRefused):
    """No account of the party's branch pays parties by this provider in this currency."""

    code = "connect_not_supported"
    title = "Connecting not supported"
    status = 422
    category = "validation"
    pointer = "/currency"


class NotOpened(errors.DomainError):
    """The provider keeps no account for this party now: there is nothing to send it to."""

    code = "connected_account_not_open"
    title = "Connected account not open"
    retryable = True


class LinkRefused(errors.DomainError):
    """The provider makes no address for this account."""

    code = "connect_link_refused"
    title = "No link"


class LinkUnanswered(errors.DomainError):
    """The provider did not answer; nothing was changed, and the same request may succeed at once."""

    code = "connect_link_unanswered"
    title = "Provider did not answer"
    retryable = True


@transaction.atomic
def open_account(
    *, party: "Party", request: NewConnectedAccount, actor: Actor, now: datetime
) -> ConnectedAccount:
    """
    Have a provider open an account for a party that the caller sees; the provider is asked by a worker after the commit.

    Raises PartyNotPayable, ConnectNotSupported and AlreadyConnected.
    """
    if PartyKind(party.kind) not in OWED_ON or party.archived_at is not None:
        raise PartyNotPayable("Merchants, riders and suppliers that are in use are paid by transfer.")
    ours = _payer(party, request)
    live = ConnectedAccount.objects.live().filter(party_id=party.id, provider_account=ours)
    if live.exists():
        raise AlreadyConnected(f"This party has an account at {provider_name(ours.provider)} already.")
    account = ConnectedAccount(
        party=party,
        branch_id=party.branch_id,
        application_id=party.application_id,
        provider=ours.provider,
        provider_account=ours,
        code=ids.code(),
        country=request.country,
        currency=request.currency,
        email=request.email,
        return_url=request.return_url,
        refresh_url=request.refresh_url,
        created_by=str(actor),
        created_at=now,
        next_query_at=now,
    )
    account.save(force_insert=True)
    _audit("connected_account.requested", account, actor=actor, now=now)
    jobs.enqueue("disbursements.follow_account", account_id=account.id)
    return account


def _payer(party: "Party", request: NewConnectedAccount) -> "ProviderAccount":
    """Return our account that pays: of the party's branch, else of head office."""
    if not providers.offers(request.provider, ConnectPort):
        raise ConnectNotSupported("This provider keeps no accounts for parties.", "/provider")
    found = accounts.serving(branch_id=party.branch_id, provider=request.provider, currency=request.currency)
    if not found:
        name = provider_name(request.provider)
        raise ConnectNotSupported(f"No account of this branch pays by {name} in {request.currency}.")
    return found[0]


def link(*, account_id: UUID, actor: Actor, now: datetime) -> ConnectLink:
    """
    Ask the provider for the address of its pages on which the party tells what the provider asks, and return it.

    It is good for minutes and once, and is kept nowhere. Calls the provider, and refuses to do so inside a transaction; who
    asks waits for the answer. Raises NotFound, NotOpened, LinkRefused, LinkUnanswered, and RoomFull while too many wait.
    """
    account = ConnectedAccount.objects.filter(id=account_id).first()
    if account is None:
        raise errors.NotFound("There is no such connected account.")
    if account.status not in OPENED_STATES:
        raise NotOpened(f"This account is {account.status.lower()}: there is no page to send the party to.")
    try:
        with ROOM.place(at_least=1) as has_place:
            if not has_place:
                raise RoomFull("Others wait for an answer of a provider. Try again in a few seconds.")
            port = providers.connect(account.provider_account_id, now=now, subject_id=account.id)
            made = port.link(account.ticket, return_url=account.return_url, refresh_url=account.refresh_url)
    except ProviderDeclined as refusal:
        raise LinkRefused(refusal.message or "The provider makes no page for this account now.") from None
    except ProviderError:
        raise LinkUnanswered("The provider did not answer. Try again in a few seconds.") from None
    with transaction.atomic():
        _audit("connected_account.link_made", account, actor=actor, now=now)
    return made


@transaction.atomic
def refresh(*, account_id: UUID, actor: Actor, now: datetime) -> ConnectedAccount:
    """Have the provider asked at once how an account stands. One that has ended is not asked after. Raises NotFound."""
    account = locked(account_id)
    if account.status in OPENED_STATES:
        _ask_soon(account, now=now)
        _audit("connected_account.refresh_requested", account, actor=actor, now=now)
    return account


@transaction.atomic
def nudged(*, provider_account_id: UUID, ticket: str, code: str, now: datetime) -> ConnectedAccount | None:
    """
    Have the provider asked about the account that a signed message of it is of; None where we know of none.

    A message is no fact: only the answer to the question changes anything. Of an opening that is UNKNOWN, or that people closed
    as not opened, it brings the question forward.
    """
    ours = accounts.alike(accounts.get(provider_account_id))
    own = ConnectedAccount.objects.locked().filter(provider_account__in=ours)
    account = own.filter(ticket=ticket).first() if ticket else None
    if account is None and code:
        account = own.filter(code=code).first()
    if account is not None and (account.status in NUDGED_STATES or account.is_looked_for):
        _ask_soon(account, now=now)
    return account


def _ask_soon(account: ConnectedAccount, *, now: datetime) -> None:
    account.next_query_at, account.query_started_at = now, None
    account.save_progress()
    jobs.enqueue("disbursements.follow_account", account_id=account.id)


def locked(account_id: UUID) -> ConnectedAccount:
    """Lock a connected account and return it with its party and our account; inside a transaction. Raises NotFound."""
    linked = ConnectedAccount.objects.locked().select_related("party", "provider_account")
    account = linked.filter(id=account_id).first()
    if account is None:
        raise errors.NotFound("There is no such connected account.")
    return account


def locked_of_party(account_id: UUID) -> ConnectedAccount:
    """Lock all connected accounts of the party that has this one, and return this one as ``locked`` does: one transfer at a time."""
    of_party = ConnectedAccount.objects.filter(id=account_id).values("party_id")
    list(ConnectedAccount.objects.locked().filter(party_id__in=of_party).order_by("id"))
    return locked(account_id)


def _audit(action: str, account: ConnectedAccount, *, actor: Actor, now: datetime) -> None:
    records.write(
        action=action,
        object_type=events.CONNECTED_ACCOUNT,
        object_id=ids.encode("ca", account.id),
        actor=actor,
        now=now,
        changes={"status": [None, account.status], "party": [None, ids.encode("pty", account.party_id)]},
        branch=account.branch_id,
    )
