"""Access tokens of providers: kept sealed in the cache until shortly before they expire, fetched by one process at a time."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis
from django.core.cache import cache

from apps.integrations.models import ProviderAccount
from apps.integrations.ports import Token
from apps.kit import crypto, ids, logs, schema
from apps.tenancy.services import data_keys

EARLY_SECONDS = 60
LOCK_SECONDS = 45
WAIT_STEP = 0.05
WAIT_STEPS = 400
PURPOSE = "provider-token"

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class CachedTokens:
    """
    The token of one account's present credentials; new credentials mean a new token.

    Whether it has expired is told by ``now``, the caller's time, and not by the cache alone: where time is played it
    passes faster than the cache can see. Without a working cache every call fetches a token of its own: slower, and
    still right.
    """

    key: str
    now: datetime

    def get(self, fetch: Callable[[], Token]) -> str:
        found = self._read()
        if found:
            return found
        with self._alone() as is_alone:
            found = self._read() if not is_alone else ""
            if found:
                return found
            token = fetch()
            self._write(token)
            return token.value

    def forget(self, token: str) -> None:
        if self._read() == token:
            with _cache_may_be_down():
                cache.delete(self.key)

    def _read(self) -> str:
        sealed = None
        with _cache_may_be_down():
            sealed = cache.get(self.key)
        if not sealed:
            return ""
        try:
            expires_at, _, token = data_keys.decrypt(value=sealed, purpose=PURPOSE).decode().partition(" ")
            return token if self.now < datetime.fromisoformat(expires_at) else ""
        except (crypto.Unreadable, ValueError):
            return ""

    def _write(self, token: Token) -> None:
        seconds = token.seconds - EARLY_SECONDS
        if seconds <= 0:
            return
        expires_at = self.now + timedelta(seconds=seconds)
        kept = f"{expires_at.isoformat()} {token.value}"
        sealed = data_keys.encrypt(plaintext=kept.encode(), purpose=PURPOSE)
        with _cache_may_be_down():
            cache.set(self.key, sealed, timeout=seconds)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """
        Take the lock and yield True, or wait for the token of whoever has it and yield False.

        Waits 20 seconds at most: then it fetches beside the other one, which costs a token and no money.
        """
        lock, mark = f"{self.key}:lock", ids.token()
        is_alone = True
        with _cache_may_be_down():
            is_alone = cache.add(lock, mark, timeout=LOCK_SECONDS)
            for _ in range(0 if is_alone else WAIT_STEPS):
                if cache.get(lock) is None:
                    break
                time.sleep(WAIT_STEP)
        try:
            yield is_alone
        finally:
            with _cache_may_be_down():
                if cache.get(lock) == mark:
                    cache.delete(lock)


def of_account(account: ProviderAccount, *, now: datetime) -> CachedTokens:
    credentials = hashlib.sha256(bytes(account.sealed_credentials)).hexdigest()[:16]
    return CachedTokens(f"provider-token:{schema.name()}:{account.id}:{credentials}", now)


@contextmanager
def _cache_may_be_down() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        log.warning("token_cache_unreachable", reason=type(error).__name__)
