"""Access tokens: a key is exchanged for one that lives a quarter of an hour and may do no more, and no keys."""

import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from apps.access.contracts import Caller
from apps.access.models import AccessToken
from apps.access.selectors import access_tokens
from apps.access.services import api_keys, credentials
from apps.audit.services import records
from apps.kit import errors, logs

FORM = re.compile(r"(?P<prefix>tsa_(?:live|test)_[0-9A-Za-z]{8})_(?P<secret>[0-9A-Za-z]{40})")
LIFETIME = timedelta(minutes=15)
NOT_GIVEN = frozenset({"keys:write"})
"""What outlives a token is not made with one."""
PURGE_BATCH = 1000

log = logs.get(__name__)


class ScopeNotGiven(errors.Forbidden):
    """The key does not have a scope that its token was to have, or no token has it."""

    code = "insufficient_scope"
    title = "Scope missing"


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token: its text, which is nowhere kept, how long it opens, and what it may do."""

    text: str
    lifetime: timedelta
    scopes: list[str]


def offered(caller: Caller) -> frozenset[str]:
    """Return what a token of this key may do at most."""
    return caller.scopes - NOT_GIVEN


@transaction.atomic
def issue(*, caller: Caller, scopes: Collection[str], now: datetime) -> IssuedToken:
    """Make a token of the caller's key with these scopes; it does not outlive the key. Raises ScopeNotGiven."""
    wanted = sorted(set(scopes))
    if not wanted or set(wanted) - offered(caller):
        raise ScopeNotGiven("A token has scopes of its key, one at least, and never keys:write.")
    ends_at = min(now + LIFETIME, caller.key.ends_at or now + LIFETIME)
    prefix, text = credentials.new_secret("tsa")
    AccessToken.objects.create(
        key=caller.key,
        prefix=prefix,
        digest=credentials.digest(text),
        scopes=wanted,
        created_at=now,
        expires_at=ends_at,
    )
    log.info("access_token_issued", prefix=prefix, key=caller.key.prefix)
    return IssuedToken(text, ends_at - now, wanted)


@transaction.atomic
def revoke(*, caller: Caller, secret: str, now: datetime) -> None:
    """End a token of the caller's own key, with the next request; of what is no such token, or no longer, nothing is said."""
    form = FORM.fullmatch(secret)
    token = access_tokens.by_prefix(form["prefix"]) if form else None
    kept = token.digest if token else credentials.NO_DIGEST
    if (
        not hmac.compare_digest(credentials.digest(secret), kept)
        or token is None
        or token.key_id != caller.key.id
    ):
        return
    ended, _ = AccessToken.objects.filter(id=token.id).delete()
    if ended:
        records.write(
            action="access_token.revoked",
            object_type="access_token",
            object_id=str(token.id),
            actor=caller.actor,
            now=now,
            changes={"prefix": [token.prefix, None]},
        )


def is_one(secret: str) -> bool:
    """Whether a text has the form of a token."""
    return FORM.fullmatch(secret) is not None


def authenticate(*, secret: str, now: datetime, ip: str = "") -> Caller | None:
    """Return the caller that a token stands for, or None for one that does not open, or whose key would not."""
    form = FORM.fullmatch(secret)
    if form is None:
        return None
    token = access_tokens.by_prefix(form["prefix"])
    matches = hmac.compare_digest(
        credentials.digest(secret), token.digest if token else credentials.NO_DIGEST
    )
    if token is None or not matches or now >= token.expires_at:
        return None
    return api_keys.admit(token.key, now=now, ip=ip, granted=frozenset(token.scopes))


def purge(*, now: datetime) -> int:
    """Remove the tokens that have ended and return how many there were; in batches, so that nobody waits long."""
    removed = 0
    while True:
        with transaction.atomic():
            ended = AccessToken.objects.filter(expires_at__lte=now).order_by("expires_at")
            batch = list(ended.values_list("id", flat=True)[:PURGE_BATCH])
            removed += AccessToken.objects.filter(id__in=batch).delete()[0]
        if len(batch) < PURGE_BATCH:
            return removed
