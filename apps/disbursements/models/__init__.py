"""Accounts of parties at a provider, transfers to them, and what is taken back of these."""

from apps.disbursements.models.connected_account import ConnectedAccount
from apps.disbursements.models.order import Order
from apps.disbursements.models.reversal import TransferReversal
from apps.disbursements.models.transfer import Transfer

__all__ = ["ConnectedAccount", "Order", "Transfer", "TransferReversal"]
