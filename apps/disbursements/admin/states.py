"""What the states of connected accounts and transfers look like."""

from collections.abc import Mapping

from django.utils.safestring import SafeString

from apps.disbursements.contracts import CONNECTED_STATES, TRANSFER_STATES, ConnectedStatus, TransferStatus
from apps.disbursements.models import ConnectedAccount, Order
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


def of_order(order: Order) -> SafeString:
    status = TransferStatus(order.status)
    return badge(*ORDERS[status], TRANSFER_STATES[status])
