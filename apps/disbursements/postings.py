"""The only place where transfers to parties become debits and credits."""

from typing import TYPE_CHECKING
from uuid import UUID

from apps.disbursements.contracts import OWED_ON
from apps.disbursements.models import Transfer, TransferReversal
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole, Draft, credit, debit
from apps.parties.contracts import PartyKind

if TYPE_CHECKING:
    from apps.parties.models import Party

SOURCE = "transfer"


def order_key(transfer: Transfer) -> str:
    return f"transfer:{transfer.id}"


def order(transfer: Transfer) -> Draft:
    """Book a transfer as on its way, once: Dr what we owe the party, Cr payouts in transit. What fails is reversed."""
    return _draft(
        transfer,
        order_key(transfer),
        f"Transfer {transfer.code} to {transfer.connected_account.party}",
        debited=owed_to(transfer),
        credited=_in_transit(transfer),
        money=transfer.money,
    )


def success(transfer: Transfer) -> Draft:
    """
    Book that a transfer was carried out, once: Dr payouts in transit, Cr provider balance.

    Where people agreed that another sum moved, that leaves the provider balance: what moved beyond the sum asked for is Dr what we
    owe the party, what is short of it Cr what we owe it.
    """
    beyond = transfer.moved - transfer.money
    legs = [debit(_in_transit(transfer), transfer.money), credit(_provider_balance(transfer), transfer.moved)]
    if not beyond.is_zero:
        party = owed_to(transfer)
        legs.append(debit(party, beyond) if beyond.is_positive else credit(party, -beyond))
    return Draft(
        key=f"transfer-success:{transfer.id}",
        description=f"Transfer {transfer.code} carried out",
        source_type=SOURCE,
        source_id=transfer.id,
        legs=tuple(legs),
        reference=transfer.reference,
    )


def reversal(part: TransferReversal) -> Draft:
    """Book a part of a transfer with the sum that came back, once per part: Dr provider balance, Cr what we owe the party."""
    transfer = part.transfer
    return _draft(
        transfer,
        f"transfer-reversal:{part.id}",
        f"Reversal {part.number} of transfer {transfer.code}",
        debited=_provider_balance(transfer),
        credited=owed_to(transfer),
        money=part.returned,
    )


def owed_to(transfer: Transfer) -> AccountRef:
    """Return the account of what we owe the party in the branch of a transfer."""
    return owed(transfer.connected_account.party, currency=transfer.currency, branch_id=transfer.branch_id)


def owed(party: "Party", *, currency: str, branch_id: UUID) -> AccountRef:
    """Return the account of what we owe a party in a branch."""
    role = OWED_ON[PartyKind(party.kind)]
    return AccountRef(role, currency, branch_id, owner_id=party.id, name=party.display_name)


def _in_transit(transfer: Transfer) -> AccountRef:
    return AccountRef(AccountRole.PAYOUTS_IN_TRANSIT, transfer.currency, transfer.branch_id)


def _provider_balance(transfer: Transfer) -> AccountRef:
    """Return what the provider holds for us: one account per provider account, in that account's branch."""
    account = transfer.provider_account
    return AccountRef(
        AccountRole.PROVIDER_BALANCE,
        transfer.currency,
        account.branch_id,
        owner_id=account.id,
        name=account.label,
    )


def _draft(
    transfer: Transfer,
    key: str,
    description: str,
    *,
    debited: AccountRef,
    credited: AccountRef,
    money: Money,
) -> Draft:
    return Draft(
        key=key,
        description=description,
        source_type=SOURCE,
        source_id=transfer.id,
        legs=(debit(debited, money), credit(credited, money)),
        reference=transfer.reference,
    )
