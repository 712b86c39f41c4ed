"""What the states of connected accounts and transfers look like."""

from collections.abc import Mapping

from django.utils import formats, timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.disbursements.contracts import CONNECTED_STATES, TRANSFER_STATES, ConnectedStatus, TransferStatus
from apps.disbursements.models import ConnectedAccount, Order, Transfer
from apps.integrations.contracts import provider_name
from apps.kit.admin import badge

ACCOUNTS: Mapping[ConnectedStatus, tuple[str, str]] = {
    ConnectedStatus.REQUESTED: ("pending", "schedule_send"),
    ConnectedStatus.UNKNOWN: ("unknown", "help"),
    ConnectedStatus.PENDING: ("held", "touch_app"),
    ConnectedStatus.ENABLED: ("done", "check_circle"),
    ConnectedStatus.RESTRICTED: ("failed", "block"),
    ConnectedStatus.CLOSED: ("quiet", "lock"),
    ConnectedStatus.FAILED: ("failed", "cancel"),
}
ORDERS: Mapping[TransferStatus, tuple[str, str]] = {
    TransferStatus.AWAITING_APPROVAL: ("held", "approval"),
    TransferStatus.REQUESTED: ("pending", "schedule_send"),
    TransferStatus.SENDING: ("pending", "schedule_send"),
    TransferStatus.UNKNOWN: ("unknown", "help"),
    TransferStatus.SUCCEEDED: ("done", "check_circle"),
    TransferStatus.FAILED: ("failed", "cancel"),
    TransferStatus.CANCELLED: ("quiet", "block"),
}


def of_account(account: ConnectedAccount) -> SafeString:
    status = ConnectedStatus(account.status)
    return badge(*ACCOUNTS[status], CONNECTED_STATES[status])


def doubt(transfer: Transfer) -> str:
    """Return what happens next with a transfer of which nobody knows, or an empty text."""
    if transfer.status != TransferStatus.UNKNOWN:
        return ""
    rail = {"rail": provider_name(transfer.provider)}
    if transfer.verdict:
        return gettext("Somebody has said what became of it, and other people decide whether that counts.")
    if transfer.next_query_at is not None:
        at = formats.date_format(timezone.localtime(transfer.next_query_at), "j M Y, H:i")
        return gettext("%(rail)s is asked again on %(at)s.") % {**rail, "at": at}
    return (
        gettext("%(rail)s told of another sum, and is asked no more. Ask there why, then close it here.")
        % rail
    )


def of_reversal(order: Order) -> SafeString:
    """Return how it stands with what is taken back of a transfer."""
    if order.status == TransferStatus.SUCCEEDED:
        return badge("done", "undo", _("Came back"))
    return of_order(order)


def of_order(order: Order) -> SafeString:
    status = TransferStatus(order.status)
    return badge(*ORDERS[status], TRANSFER_STATES[status])
