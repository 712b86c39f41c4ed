"""Reading access tokens; a digest never leaves the app."""

from apps.access.models import AccessToken


def by_prefix(prefix: str) -> AccessToken | None:
    """Return the token with this public prefix, ended or not, with its key and what a caller needs."""
    tokens = AccessToken.objects.select_related("key__application", "key__created_by")
    return tokens.filter(prefix=prefix).first()
