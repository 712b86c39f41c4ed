"""Setting an organisation up in the background: asked for by the application, done by the owner's worker, tried again."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, transaction
from django.utils.module_loading import import_string

from apps.accounts.services import platform_records
from apps.kit import errors, faults, jobs, logs, schema
from apps.kit.actors import Actor
from apps.tenancy.contracts import NewOrganisation
from apps.tenancy.models import Organisation, OrganisationStatus, Provisioning
from apps.tenancy.models.provisioning import TRIES_MAX
from apps.tenancy.services import organisations, provisioning

TASK = "tenancy.provision"
BUSY = "The table of people was locked for too long by somebody who signs in."

log = logs.get(__name__)


class NotFailed(errors.DomainError):
    """The setting up has not failed: it is under way, or done."""

    code = "provisioning_not_failed"
    title = "Nothing to try again"


@transaction.atomic
def ask(
    *,
    new: NewOrganisation,
    owner_id: UUID,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> Provisioning:
    """
    Record a new organisation and have a worker set it up; its owner can sign in when it is ready, seconds later.

    Raises as organisations.create. Works as the application's role.
    """
    organisation = organisations.create(
        slug=new.slug,
        name=new.name,
        is_test=new.is_test,
        base_domain=settings.TREASURY["BASE_DOMAIN"],
        actor=actor,
        now=now,
        reason=reason,
    )
    asked = Provisioning.objects.create(
        organisation=organisation,
        owner_id=owner_id,
        branch_code=new.branch_code,
        branch_name=new.branch_name,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_person=actor.person,
        created_at=now,
        next_try_at=now,
    )
    _wake(asked)
    return asked


def go_on(*, provisioning_id: UUID, now: datetime) -> Provisioning | None:
    """
    Do what is left of a setting up that is due; return None where nothing is, or another worker is at it.

    A lock that is not to be had, or a snapshot that the migrate job has still to take, puts it off; any other refusal
    ends it until somebody asks again. Each step is a transaction that notes itself, so a worker that is killed loses
    nothing: after its lease another goes on behind the last step. Needs the owner role; leaves the public schema entered.
    """
    schema.leave()
    if not _take_up(provisioning_id, now):
        return None
    try:
        _restore(provisioning_id, now)
        faults.reach("tenancy.after_restore")
        return _fill(provisioning_id, now)
    except OperationalError as error:
        log.warning("provisioning_put_off", provisioning=str(provisioning_id), reason=str(error))
        return _put_off(provisioning_id, BUSY, now)
    except provisioning.SnapshotStale as refusal:
        return _put_off(provisioning_id, refusal.detail, now)
    except errors.DomainError as refusal:
        return _fail(provisioning_id, refusal.detail, now)
    finally:
        schema.leave()


def wake_due(*, now: datetime) -> int:
    """Call a worker for each setting up that is due and return how many; for what a lost message left behind."""
    due = list(Provisioning.objects.due(now=now).order_by("created_at"))
    for asked in due:
        _wake(asked)
    return len(due)


@transaction.atomic
def ask_again(*, organisation_id: UUID, reason: str, actor: Actor, now: datetime) -> Provisioning:
    """Try a setting up that has failed again, from where it stopped. Raises NotFailed, NotFound."""
    asked = Provisioning.objects.locked().filter(organisation_id=organisation_id).first()
    if asked is None:
        raise errors.NotFound("This organisation was not set up in the background.")
    if asked.failed_at is None:
        raise NotFailed("It is under way or done: there is nothing to try again.")
    asked.ask_again(at=now)
    asked.save(update_fields=["failed_at", "tries", "next_try_at"])
    _record("organisation.provisioning_repeated", asked, actor, now, reason=reason)
    _wake(asked)
    return asked


@transaction.atomic
def _take_up(provisioning_id: UUID, now: datetime) -> bool:
    rows = Provisioning.objects.due(now=now).select_for_update(skip_locked=True, of=("self",))
    asked = rows.filter(id=provisioning_id).first()
    if asked is None:
        return False
    asked.take_up(at=now)
    asked.save(update_fields=["tries", "next_try_at"])
    return True


@transaction.atomic
def _restore(provisioning_id: UUID, now: datetime) -> None:
    asked = _held(provisioning_id)
    if asked.restored_at is not None:
        return
    provisioning.restore(organisation_id=asked.organisation_id)
    asked.restored_at = now
    asked.save(update_fields=["restored_at"])


@transaction.atomic
def _fill(provisioning_id: UUID, now: datetime) -> Provisioning:
    """Fill the schema, open the organisation to its people, and end: all of it in one transaction."""
    asked = _held(provisioning_id)
    organisation = Organisation.objects.select_for_update().get(id=asked.organisation_id)
    schema.enter(organisation)
    import_string(settings.TREASURY["BEGINNING"])(
        branch_code=asked.branch_code,
        branch_name=asked.branch_name,
        owner_id=asked.owner_id,
        actor=asked.actor,
        now=now,
    )
    schema.leave()
    organisation.status = OrganisationStatus.READY
    organisation.upgraded_to = provisioning.build_fingerprint()
    organisation.save(update_fields=["status", "upgraded_to"])
    asked.finish(at=now)
    asked.save(update_fields=["ready_at", "problem"])
    _record("organisation.ready", asked, asked.actor, now)
    return asked


@transaction.atomic
def _put_off(provisioning_id: UUID, problem: str, now: datetime) -> Provisioning:
    schema.leave()
    asked = _held(provisioning_id)
    if asked.tries >= TRIES_MAX:
        return _failed(asked, problem, now)
    wait = asked.put_off(problem, at=now)
    asked.save(update_fields=["problem", "next_try_at"])
    jobs.enqueue(TASK, countdown=wait.total_seconds(), provisioning_id=asked.id)
    return asked


@transaction.atomic
def _fail(provisioning_id: UUID, problem: str, now: datetime) -> Provisioning:
    schema.leave()
    return _failed(_held(provisioning_id), problem, now)


def _failed(asked: Provisioning, problem: str, now: datetime) -> Provisioning:
    asked.fail(problem, at=now)
    asked.save(update_fields=["problem", "failed_at"])
    _record("organisation.provisioning_failed", asked, asked.actor, now, reason=asked.problem[:200])
    return asked


def _held(provisioning_id: UUID) -> Provisioning:
    return Provisioning.objects.locked().get(id=provisioning_id)


def _wake(asked: Provisioning) -> None:
    jobs.enqueue(TASK, provisioning_id=asked.id)


def _record(action: str, asked: Provisioning, actor: Actor, now: datetime, *, reason: str = "") -> None:
    platform_records.write(
        action=action,
        object_type="organisation",
        object_id=str(asked.organisation_id),
        actor=actor,
        now=now,
        changes={"tries": [None, asked.tries]},
        reason=reason,
    )
