"""The pages of connected accounts and transfers in the organisation's site."""

from apps.disbursements.admin.accounts import ConnectedAccountAdmin
from apps.disbursements.admin.transfers import TransferAdmin

__all__ = ["ConnectedAccountAdmin", "TransferAdmin"]
