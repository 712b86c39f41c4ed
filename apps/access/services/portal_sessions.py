"""Keeping the list of portal sessions, and ending them: Django's row goes, so the next request finds none."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.access.models import Membership, PortalSession
from apps.access.selectors import portal_sessions
from apps.access.services import doors
from apps.kit import sessions
from apps.kit.actors import Actor
from apps.tenancy.services import handovers


@transaction.atomic
def begin(*, user_id: UUID, session_key: str, ip: str, agent: str, now: datetime) -> None:
    """List a session that begins; older ones than a month are forgotten: the sign-ins are in the audit trail."""
    membership = Membership.objects.get(user_id=user_id)
    PortalSession.objects.filter(membership=membership, seen_at__lt=now - sessions.KEPT).delete()
    PortalSession.objects.update_or_create(
        session_key=session_key,
        defaults={"membership": membership, "started_at": now, "seen_at": now, "ip": ip, "agent": agent[:sessions.AGENT_MAX]},
    )  # fmt: skip


def follow(*, before: str, after: str) -> None:
    """Keep a session in the list whose key has changed."""
    PortalSession.objects.filter(session_key=before).update(session_key=after)


def see(*, session_key: str, now: datetime) -> None:
    """Note that a session is in use."""
    PortalSession.objects.filter(session_key=session_key).update(seen_at=now)


@transaction.atomic
def end(*, session_id: UUID, actor: Actor, now: datetime) -> None:
    """End one session of the actor's own. Raises SessionOver, also for anybody else's."""
    row = PortalSession.objects.filter(id=session_id, membership__user_id=actor.person).first()
    if row is None or not sessions.remove([row.session_key]):
        raise sessions.SessionOver("This session has ended.")
    handovers.void(user_id=row.membership.user_id, now=now)
    doors.record(
        "session.ended", user_id=row.membership.user_id, actor=actor, now=now, changes={"count": [None, 1]}
    )


@transaction.atomic
def end_others(*, user_id: UUID, spare: str, actor: Actor, now: datetime) -> int:
    """End a member's sessions here but the one with the key ``spare`` (empty: none is spared), and say how many."""
    rows = portal_sessions.of_user(user_id, at=now)
    ended = sessions.remove([row.session_key for row in rows if row.session_key != spare])
    handovers.void(user_id=user_id, now=now)
    if ended:
        doors.record("session.ended", user_id=user_id, actor=actor, now=now, changes={"count": [None, ended]})
    return ended
