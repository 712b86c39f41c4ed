"""Connected accounts and transfers, as tests need them: opened and made by a provider that nobody asks."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from apps.disbursements.contracts import NewConnectedAccount, NewTransfer, TransferStatus
from apps.disbursements.models import ConnectedAccount, Transfer
from apps.disbursements.services import account_queries, connected_accounts, orders, transfers
from apps.integrations.models import ProviderAccount
from apps.integrations.ports import ConnectReport, ConnectStatus, Ticket, TransferReport
from apps.kit.actors import SYSTEM, Actor
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole
from apps.parties.contracts import PartyKind
from apps.parties.models import Party
from tests.factories import access, ledger, parties
from tests.payments import cards

NOW = access.NOW
USD_30 = Money(30_00, "USD")
USD_40 = Money(40_00, "USD")
USD_100 = Money(100_00, "USD")
WANTED = NewConnectedAccount(
    provider="stripe",
    currency="USD",
    country="KE",
    return_url="https://shop.example.test/connected",
    refresh_url="https://shop.example.test/connect",
    email="till@example.test",
)


def merchant(**facts: Any) -> Party:
    return parties.party(
        **{"kind": PartyKind.MERCHANT, "display_name": "Mama Njeri Supplies", "contacts": (), **facts}
    )


def asked(party: Party | None = None, *, actor: Actor = SYSTEM) -> ConnectedAccount:
    """Return one that the provider is to open; the Stripe account of head office is opened when there is none."""
    if not ProviderAccount.objects.filter(provider="stripe").exists():
        cards.account()
    return connected_accounts.open_account(party=party or merchant(), request=WANTED, actor=actor, now=NOW)


def unknown(party: Party | None = None, *, actor: Actor = SYSTEM, at: datetime = NOW) -> ConnectedAccount:
    """Return one of which nobody knows whether the provider opened it, asked for at an instant; its list is not due to be read."""
    account = asked(party, actor=actor)
    account.ask(at=at)
    account.lose(code="outcome_unknown", message="The answer was lost.", provider_code="")
    account.next_query_at = NOW + timedelta(days=36500)
    account.save_progress()
    return reloaded(account)


def opened(party: Party | None = None, *, actor: Actor = SYSTEM) -> ConnectedAccount:
    """Return one whose party has to tell the provider what it asks."""
    account = asked(party, actor=actor)
    account_queries.accept(account_id=account.id, ticket=Ticket(f"acct_{account.code}"), now=NOW)
    return reloaded(account)


def enabled(
    party: Party | None = None, *, owed: Money | None = USD_100, actor: Actor = SYSTEM
) -> ConnectedAccount:
    """Return one that may be paid to, whose party we owe a sum."""
    account = opened(party, actor=actor)
    stands(account, ConnectStatus.ENABLED)
    if owed is not None:
        owe(account.party, owed)
    return reloaded(account)


def stands(account: ConnectedAccount, status: ConnectStatus, **told: Any) -> None:
    """Let the provider say how an account stands."""
    report = ConnectReport(account.ticket, status, **told)
    account_queries.record(account_id=account.id, report=report, now=NOW)


def owe(party: Party, money: Money, *, branch_id: UUID | None = None) -> None:
    """Book what we owe a merchant, as its application's journals do."""
    branch = branch_id or party.branch_id
    sales = AccountRef(AccountRole.UNAPPLIED_COLLECTIONS, money.currency, branch)
    owed = AccountRef(AccountRole.MERCHANT_PAYABLE, money.currency, branch, owner_id=party.id)
    ledger.post(ledger.transfer(sales, owed, money.minor))


def wanted(account: ConnectedAccount, **facts: Any) -> NewTransfer:
    return NewTransfer(
        **{
            "connected_account_id": account.id,
            "money": USD_40,
            "branch_id": account.branch_id,
            "application_id": account.application_id,
            "reference": "week-47",
            "force": True,
            **facts,
        }
    )


def ordered(account: ConnectedAccount | None = None, **facts: Any) -> Transfer:
    """Return a transfer of USD 40.00 whose sending is due."""
    return transfers.order(request=wanted(account or enabled(), **facts), actor=SYSTEM, now=NOW)


def sending(account: ConnectedAccount | None = None, **facts: Any) -> Transfer:
    """Return a transfer that is being sent, of which no answer has come."""
    transfer = ordered(account, **facts)
    transfer.begin(at=NOW)
    transfer.save_progress()
    return again(transfer)


def contradicted(account: ConnectedAccount | None = None, **facts: Any) -> Transfer:
    """Return a transfer of USD 40.00 of which the provider told that it moved USD 30.00: nobody knows what became of it."""
    transfer = sending(account, **facts)
    report = TransferReport(f"tr_{transfer.code}", USD_30)
    orders.record(transfers.KIND, order_id=transfer.id, report=report, now=NOW)
    return again(transfer)


def made(account: ConnectedAccount | None = None, **facts: Any) -> Transfer:
    """Return a transfer that the provider has carried out."""
    transfer = sending(account, **facts)
    report = TransferReport(f"tr_{transfer.code}", transfer.money)
    orders.record(transfers.KIND, order_id=transfer.id, report=report, now=NOW)
    transfer = again(transfer)
    assert transfer.status == TransferStatus.SUCCEEDED
    return transfer


def reloaded(account: ConnectedAccount) -> ConnectedAccount:
    return ConnectedAccount.objects.select_related("party", "provider_account").get(id=account.id)


def again(transfer: Transfer) -> Transfer:
    return Transfer.objects.select_related("connected_account__party", "provider_account").get(id=transfer.id)
