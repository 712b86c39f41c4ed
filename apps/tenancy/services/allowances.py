"""How often strangers may try something: counted in the cache for all processes, and closed when nobody can count."""

from datetime import timedelta

import redis
from django.core.cache import cache

from apps.kit import errors, logs

log = logs.get(__name__)


class AllowanceSpent(errors.DomainError):
    """This was tried too often from here; ``wait`` says for how many seconds."""

    code = "rate_limited"
    title = "Too many requests"
    status = 429
    category = "rate"
    retryable = True

    def __init__(self, wait: timedelta) -> None:
        super().__init__("This was tried too often. Try again later.")
        self.wait = int(wait.total_seconds()) - 1


class AllowanceUnknown(errors.DomainError):
    """Nobody can count at the moment, so nothing is let through."""

    code = "busy"
    title = "Busy"
    status = 503
    category = "internal"
    retryable = True


def spend(name: str, *, limit: int, window: timedelta) -> None:
    """Count one try under a name. Raises AllowanceSpent beyond ``limit`` in a window, AllowanceUnknown without a cache."""
    key = f"allowance:{name}"
    try:
        cache.add(key, 0, timeout=int(window.total_seconds()))
        spent = int(cache.incr(key))
    except ValueError:  # the window ended between the two
        return
    except redis.RedisError as error:
        log.warning("allowance_unknown", reason=type(error).__name__)
        raise AllowanceUnknown("This cannot be done at the moment. Try again later.") from None
    if spent > limit:
        raise AllowanceSpent(window)
