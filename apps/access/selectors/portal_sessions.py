"""Which sessions a member has that are not over."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils.crypto import constant_time_compare

from apps.access.models import Membership, PortalSession

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


@dataclass(frozen=True, slots=True)
class Line:
    """One session as a list shows it."""

    session: PortalSession
    browser: str
    system: str
    is_present: bool


def live(membership: Membership, *, at: datetime) -> list[PortalSession]:
    """Return the sessions of a member that still open pages, the one that was seen last first."""
    known = PortalSession.objects.filter(membership=membership, seen_at__gt=at - idle_limit())
    rows = {row.session_key: row for row in known}
    keys = set(_opening(membership.user, rows, at))
    return sorted(
        (row for key, row in rows.items() if key in keys), key=lambda row: row.seen_at, reverse=True
    )


def lines(membership: Membership, *, present: str | None, at: datetime) -> list[Line]:
    """Return what a member reads of his sessions; ``present`` is the key of the one that he reads it in."""
    return [
        Line(row, _named(row.agent, BROWSERS), _named(row.agent, SYSTEMS), row.session_key == present)
        for row in live(membership, at=at)
    ]


def idle_limit() -> timedelta:
    """Return how long a session lasts that nobody uses."""
    return timedelta(seconds=settings.TREASURY["IDLE_SECONDS"])


def _opening(user: Any, keys: Any, at: datetime) -> Iterator[str]:
    """Produce the keys whose session is stored, not over, and of the present password."""
    for stored in Session.objects.filter(session_key__in=keys, expire_date__gt=at):
        if constant_time_compare(
            stored.get_decoded().get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()
        ):
            yield stored.session_key


def _named(agent: str, names: tuple[tuple[str, str], ...]) -> str:
    return next((name for sign, name in names if sign in agent), "")
