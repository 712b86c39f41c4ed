"""Reading what an organisation takes refusals for."""

from django.db.models import QuerySet

from apps.integrations.models import ProviderErrorRule


def everything() -> QuerySet[ProviderErrorRule]:
    """Return all rules, retired ones included. They belong to the organisation as a whole."""
    return ProviderErrorRule.objects.order_by("provider", "flow", "code", "contains")
