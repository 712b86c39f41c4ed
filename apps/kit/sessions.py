"""Sessions as people see them: from where, since when, seen when. Django's own row alone decides whether one opens anything."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import models
from django.utils.crypto import constant_time_compare

from apps.kit import errors
from apps.kit.models import UuidModel

KEPT = timedelta(days=30)
"""How long one that is over stays listed: the sign-ins are in the audit trail."""
AGENT_MAX = 200
BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


class SessionOver(errors.NotFound):
    """There is no such session of this person, or it has ended."""

    code = "session_over"
    title = "Session over"


class KnownSession(UuidModel):
    """
    What is known of one session beside Django's own row; where that is gone, the session has ended.

    ``session_key`` follows the session when its key changes.
    """

    session_key = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ip = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)

    class Meta:
        abstract = True


@dataclass(frozen=True, slots=True)
class Line:
    """One session as a list shows it."""

    session: KnownSession
    browser: str
    system: str
    is_present: bool


def live[T: KnownSession](known: models.QuerySet[T], *, user: Any, at: datetime) -> list[T]:
    """Return the sessions among these of a person that still open pages, the one that was seen last first."""
    rows = {row.session_key: row for row in known.filter(seen_at__gt=at - idle_limit())}
    keys = set(_opening(user, rows, at))
    return sorted(
        (row for key, row in rows.items() if key in keys), key=lambda row: row.seen_at, reverse=True
    )


def lines(rows: Iterable[KnownSession], *, present: str | None) -> list[Line]:
    """Return what a person reads of his sessions; ``present`` is the key of the one that he reads it in."""
    return [
        Line(row, _named(row.agent, BROWSERS), _named(row.agent, SYSTEMS), row.session_key == present)
        for row in rows
    ]


def idle_limit() -> timedelta:
    """Return how long a session lasts that nobody uses."""
    return timedelta(seconds=settings.TREASURY["IDLE_SECONDS"])


def remove(keys: Iterable[str]) -> int:
    """Remove what the sessions live by, and say how many there were."""
    removed, _ = Session.objects.filter(session_key__in=list(keys)).delete()
    return removed


def _opening(user: Any, keys: Mapping[str, object], at: datetime) -> Iterator[str]:
    """Produce the keys whose session is stored, not over, and of the present password."""
    for stored in Session.objects.filter(session_key__in=keys, expire_date__gt=at):
        if constant_time_compare(
            stored.get_decoded().get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()
        ):
            yield stored.session_key


def _named(agent: str, names: tuple[tuple[str, str], ...]) -> str:
    return next((name for sign, name in names if sign in agent), "")
