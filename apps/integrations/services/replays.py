"""Replays: what a provider sent is read again as it came, by the road that it came by, because a person asks for it."""

from collections.abc import Callable, Generator
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from apps.access.selectors import branches, memberships, scope
from apps.audit.services import records
from apps.integrations.contracts import WEBHOOK, CallbackStatus, StoredCallback
from apps.integrations.models import CallbackProcessing
from apps.integrations.selectors import exchanges
from apps.integrations.services import callbacks
from apps.integrations.services.registrations import CHECK
from apps.jobs.contracts import NewJob, Progress, ResultFile, Work
from apps.jobs.services import jobs
from apps.jobs.services.jobs import Job
from apps.kit import crypto, errors, problems
from apps.kit.actors import Actor, ActorKind

KIND = "callback_replay"
PERMISSION = "integrations.manage"
OBJECT_TYPE = "provider_callback"

type Read = Callable[..., None]


class CallbackForged(errors.DomainError):
    """The callback was proven by nothing, or contradicts what is known: it is kept as evidence and never applied."""

    code = "callback_forged"
    title = "Callback forged"


class CallbackAnswered(errors.DomainError):
    """The callback was a question, answered when it came: it books nothing, so there is nothing to read again."""

    code = "callback_answered"
    title = "Callback answered"


class CallbackSealed(errors.DomainError):
    """The credentials of the callback's account cannot be opened, so nothing of it was read."""

    code = "callback_sealed"
    title = "Callback cannot be read"


class NothingWaits(errors.DomainError):
    """No callback waits for people."""

    code = "no_callback_waits"
    title = "Nothing waits"


@transaction.atomic
def replay(*, callback_id: UUID, actor: Actor, now: datetime, reason: str) -> CallbackProcessing:
    """
    Read a stored callback again, byte for byte, and return what has become of it.

    Who reads is named in TREASURY["CALLBACK_READER"]: it is what read the callback when it came, so what was applied has no
    second effect. A signed message is read after the commit, by the road that it came by, for its proof may have to be fetched:
    what is returned waits for that. A verdict under which nothing was done is taken back first, and the new one stands in its place. Raises
    CallbackUnknown, CallbackForged, CallbackAnswered, and CallbackSealed while the account's credentials cannot be opened;
    nothing is changed then.
    """
    stored = callbacks.get(callback_id)
    before = _opened(stored)
    if stored.kind == WEBHOOK:
        callbacks.announce_again(stored.id, now=now)
    else:
        _read(stored, now=now)
    found = CallbackProcessing.objects.get(callback_id=stored.id)
    records.write(
        action="provider_callback.replayed",
        object_type=OBJECT_TYPE,
        object_id=str(stored.id),
        actor=actor,
        now=now,
        changes={"status": [before, found.status]},
        reason=reason,
    )
    return found


@transaction.atomic
def start(*, caller: scope.Person, actor: Actor, now: datetime, reason: str) -> Job:
    """
    Have a worker replay what waits for people in the branches that the caller sees, one after the other.

    Raises NothingWaits. What comes to wait later is not replayed.
    """
    reach = scope.branch_ids(caller)
    newest = exchanges.waiting_within(reach).order_by("-id").first()
    if newest is None:
        raise NothingWaits("No callback waits for people.")
    membership = memberships.of(caller)
    return jobs.start(
        request=NewJob(
            kind=KIND,
            title=_("Replay of callbacks"),
            branch_id=branches.head_office().id,
            application_id=scope.application_id(caller),
            branch_ids=None if reach is None else frozenset(reach),
            application_ids=None,
            permission=PERMISSION,
            scope="",
            actor=actor,
            starter_id=None if membership is None else membership.id,
            parameters={
                "through": str(newest.id),
                "person": actor.person,
                "application": actor.application,
                "reason": reason,
            },
        ),
        now=now,
    )


def run(work: Work) -> Generator[Progress, None, ResultFile | None]:
    """
    Replay one callback after the other, the oldest first, each in a step of its own; who asked for it is on each record.

    One that still waits, or is refused, counts as failed and stops no other.
    """
    asked = work.parameters
    actor = Actor(ActorKind.USER, asked["person"], asked["person"], asked["application"])
    waiting = exchanges.waiting_within(work.branch_ids).filter(id__lte=UUID(asked["through"])).order_by("id")
    done, failed, cursor = work.done, work.failed, work.cursor
    left = waiting.filter(id__gt=UUID(cursor)) if cursor else waiting
    total = done + left.count()
    yield Progress(done=done, failed=failed, total=total, cursor=cursor)
    while (callback := left.first()) is not None:
        is_done = _is_done(callback.id, actor=actor, now=work.read_clock(), reason=asked["reason"])
        done, failed, cursor = done + 1, failed + (not is_done), str(callback.id)
        yield Progress(done=done, failed=failed, total=max(total, done), cursor=cursor)
        left = waiting.filter(id__gt=callback.id)
    return None


def _read(stored: StoredCallback, *, now: datetime) -> None:
    read: Read = import_string(settings.TREASURY["CALLBACK_READER"])
    try:
        read(callback_id=stored.id, now=now)
    except crypto.Unreadable:
        raise CallbackSealed("The account's credentials cannot be opened. Nothing was changed.") from None


def _is_done(callback_id: UUID, *, actor: Actor, now: datetime, reason: str) -> bool:
    try:
        found = replay(callback_id=callback_id, actor=actor, now=now, reason=reason)
    except (errors.DomainError, TransitionNotAllowed, OperationalError) as error:
        if problems.as_domain_error(error) is None:
            raise
        return False
    return found.status != CallbackStatus.UNMATCHED


def _opened(stored: StoredCallback) -> str:
    """Take back a verdict under which nothing was done, and return the verdict that stood."""
    if stored.kind == CHECK:
        raise CallbackAnswered("This was a question, and it was answered when it came.")
    standing = CallbackProcessing.objects.get(callback_id=stored.id)
    if standing.is_undone:  # only then: who reads a callback locks its payment before its mark
        standing = CallbackProcessing.objects.locked().get(callback_id=stored.id)
    if standing.status == CallbackStatus.FORGED:
        raise CallbackForged("This callback is forged: it is kept as evidence and never applied.")
    before = str(standing.status)
    if standing.is_undone:
        standing.reopen()
        standing.save()
    return before
