"""The platform's admin site: organisations, applications, people and the platform's audit trail; only in the public schema."""

from treasury.platform import applications, organisations, people, trail  # noqa: F401 (their pages register themselves)
from treasury.platform.site import site

__all__ = ["site"]
