"""The providers that there are: settings name them, and each declares itself in its own folder."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from apps.integrations.ports.providing import Provider


@cache
def providers() -> Mapping[str, "Provider"]:
    """Return the declaration of each provider under its slug, in the order of the settings."""
    declared = [import_string(path) for path in settings.TREASURY["PROVIDERS"]]
    return {provider.slug: provider for provider in declared}
