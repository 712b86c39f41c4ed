"""The pages of integrations in the organisation's site."""

from apps.integrations.admin.accounts import ProviderAccountAdmin
from apps.integrations.admin.error_rules import ProviderErrorRuleAdmin
from apps.integrations.admin.exchanges import ProviderCallAdmin, ProviderCallbackAdmin

__all__ = ["ProviderAccountAdmin", "ProviderCallAdmin", "ProviderCallbackAdmin", "ProviderErrorRuleAdmin"]
