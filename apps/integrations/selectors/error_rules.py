"""Reading what an organisation takes refusals for."""

from django.db.models import QuerySet

from apps.integrations.models import ProviderErrorRule


def says(provider: str, text: str) -> bool:
    """Say whether a text for payers is the organisation's own, by a rule that is in force."""
    own = ProviderErrorRule.objects.of_provider(provider)
    return bool(text) and own.filter(payer_message=text).exists()


def everything() -> QuerySet[ProviderErrorRule]:
    """Return all rules, retired ones included. They belong to the organisation as a whole."""
    return ProviderErrorRule.objects.order_by("provider", "flow", "code", "contains")
