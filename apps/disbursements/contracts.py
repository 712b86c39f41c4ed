"""What crosses the border of disbursements: connected accounts of parties, and transfers to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.approvals.contracts import declare_kind
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.parties.contracts import PartyKind

TRANSFER = declare_kind(
    name="transfer",
    title=_("Transfer"),
    permission="disbursements.transfer",
    page="admin:disbursements_transfer_change",
    has_sum=True,
)
"""A transfer to a connected account, as approval rules call it."""

TRANSFER_VERDICT = declare_kind(
    name="transfer_verdict",
    title=_("Close of an unknown transfer"),
    permission="disbursements.transfer",
    page="admin:disbursements_transfer_change",
)
"""Saying what became of a transfer of which the provider told another sum, as approval rules call it."""


CONNECTED_ACCOUNT_VERDICT = declare_kind(
    name="connected_account_verdict",
    title=_("Close of an unknown connected account"),
    permission="disbursements.connect",
    page="admin:disbursements_connectedaccount_change",
)
"""Saying that a provider of which nobody knows opened no account for a party, as approval rules call it."""


class TransferVerdict(StrEnum):
    """MADE: the provider moved a sum, as its pages show. NOT_MADE: it moved nothing, and we owe the party all of it again."""

    MADE = "MADE"
    NOT_MADE = "NOT_MADE"


OWED_ON: Mapping[PartyKind, AccountRole] = {
    PartyKind.MERCHANT: AccountRole.MERCHANT_PAYABLE,
    PartyKind.RIDER: AccountRole.RIDER_PAYABLE,
    PartyKind.SUPPLIER: AccountRole.PAYABLE,
}
"""On which account stands what we owe a party, by its kind; others are paid nothing from here."""


class ConnectedStatus(StrEnum):
    """
    Where a party's account at a provider stands.

    REQUESTED: the provider is being asked to open it; UNKNOWN: nobody knows whether it did. PENDING: the party has not told
    the provider all that it asks. ENABLED may be paid to; RESTRICTED not until the party tells more. CLOSED and FAILED are ends.
    """

    REQUESTED = "REQUESTED"
    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    ENABLED = "ENABLED"
    RESTRICTED = "RESTRICTED"
    CLOSED = "CLOSED"
    FAILED = "FAILED"


class TransferStatus(StrEnum):
    """
    Where a transfer stands, or what is taken back of one.

    SENDING: the provider is being told; UNKNOWN: nobody knows whether it was carried out. A transfer that SUCCEEDED may be
    reversed, in parts; that is told by sums and not by a state.
    """

    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    REQUESTED = "REQUESTED"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


CONNECTED_STATES: Mapping[ConnectedStatus, Promise] = {
    ConnectedStatus.REQUESTED: _("Being opened"),
    ConnectedStatus.UNKNOWN: _("Unknown"),
    ConnectedStatus.PENDING: _("Waits for the party"),
    ConnectedStatus.ENABLED: _("Enabled"),
    ConnectedStatus.RESTRICTED: _("Restricted"),
    ConnectedStatus.CLOSED: _("Closed"),
    ConnectedStatus.FAILED: _("Not opened"),
}
TRANSFER_STATES: Mapping[TransferStatus, Promise] = {
    TransferStatus.AWAITING_APPROVAL: _("Waits for approval"),
    TransferStatus.REQUESTED: _("To be sent"),
    TransferStatus.SENDING: _("Sending"),
    TransferStatus.UNKNOWN: _("Unknown"),
    TransferStatus.SUCCEEDED: _("Transferred"),
    TransferStatus.FAILED: _("Failed"),
    TransferStatus.CANCELLED: _("Cancelled"),
}
"""What people call them."""


@dataclass(frozen=True, slots=True)
class NewConnectedAccount:
    """
    Have a provider open an account for a party, to be paid in a currency; the party tells it what it asks on its pages.

    The party is sent to ``return_url`` from there, and to ``refresh_url`` when an address of those pages has expired: a page
    of the application that asks for a new one. ``country`` is the party's, as ISO 3166 has it (``KE``).
    """

    provider: str
    currency: str
    country: str
    return_url: str
    refresh_url: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class NewTransfer:
    """
    Pay a party what we owe it in a branch, to its connected account.

    ``reference`` is the application's own, and is shown to the party; ``nonce`` is of one asking: sent twice, it makes one transfer.
    ``force``: it is paid even where the party was paid the same sum for the same reference a short while ago.
    """

    connected_account_id: UUID
    money: Money
    branch_id: UUID
    application_id: UUID
    reference: str
    force: bool
    nonce: UUID | None = None
