"""Keeping the list of sessions on the platform's site, and ending them: Django's row goes, so the next request finds none."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.accounts.models import PlatformSession
from apps.accounts.selectors import platform_sessions
from apps.accounts.services import platform_records
from apps.kit import sessions
from apps.kit.actors import Actor


@transaction.atomic
def begin(*, user_id: UUID, session_key: str, ip: str, agent: str, now: datetime) -> None:
    """List a session that begins; older ones than a month are forgotten."""
    PlatformSession.objects.filter(user_id=user_id, seen_at__lt=now - sessions.KEPT).delete()
    PlatformSession.objects.update_or_create(
        session_key=session_key,
        defaults={"user_id": user_id, "started_at": now, "seen_at": now, "ip": ip, "agent": agent[:sessions.AGENT_MAX]},
    )  # fmt: skip


def follow(*, before: str, after: str) -> None:
    """Keep a session in the list whose key has changed."""
    PlatformSession.objects.filter(session_key=before).update(session_key=after)


def see(*, session_key: str, now: datetime) -> None:
    """Note that a session is in use."""
    PlatformSession.objects.filter(session_key=session_key).update(seen_at=now)


@transaction.atomic
def end(*, session_id: UUID, actor: Actor, now: datetime) -> None:
    """End one session of the actor's own. Raises SessionOver, also for anybody else's."""
    row = PlatformSession.objects.filter(id=session_id, user_id=actor.person).first()
    if row is None or not sessions.remove([row.session_key]):
        raise sessions.SessionOver("This session has ended.")
    _record(row.user_id, 1, actor, now)


@transaction.atomic
def end_others(*, user_id: UUID, spare: str, actor: Actor, now: datetime) -> int:
    """End a person's sessions here but the one with the key ``spare``, and say how many."""
    rows = platform_sessions.of_user(user_id, at=now)
    ended = sessions.remove([row.session_key for row in rows if row.session_key != spare])
    if ended:
        _record(user_id, ended, actor, now)
    return ended


def _record(user_id: UUID, count: int, actor: Actor, now: datetime) -> None:
    platform_records.write(
        action="session.ended",
        object_type="user",
        object_id=str(user_id),
        actor=actor,
        now=now,
        changes={"count": [None, count]},
        reason="",
    )
