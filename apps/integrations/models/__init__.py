"""Tables of the integrations app."""

from apps.integrations.models.account import ProviderAccount
from apps.integrations.models.call import ProviderCall
from apps.integrations.models.callback import CallbackProcessing, ProviderCallback

__all__ = ["CallbackProcessing", "ProviderAccount", "ProviderCall", "ProviderCallback"]
