"""Tables of the integrations app."""

from apps.integrations.models.account import ProviderAccount
from apps.integrations.models.balance import ProviderBalanceReading
from apps.integrations.models.call import ProviderCall
from apps.integrations.models.callback import CallbackProcessing, ProviderCallback
from apps.integrations.models.error_rule import ProviderErrorRule
from apps.integrations.models.registration import AddressRegistration

__all__ = [
    "AddressRegistration",
    "CallbackProcessing",
    "ProviderAccount",
    "ProviderBalanceReading",
    "ProviderCall",
    "ProviderCallback",
    "ProviderErrorRule",
]
