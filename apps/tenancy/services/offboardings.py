"""Ending an organisation: exported, a grace in which it can be called off, closed, exported again, its schema dropped."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from psycopg import sql

from apps.accounts.services import platform_records
from apps.kit import errors, jobs, logs, schema, storage
from apps.kit.actors import SYSTEM, Actor
from apps.tenancy.models import Offboarding, Organisation, OrganisationStatus, UserOrganisation
from apps.tenancy.models.offboarding import GRACE_MIN
from apps.tenancy.services import archives, provisioning, schemas

TASK = "tenancy.offboard"

log = logs.get(__name__)


class NotSuspended(errors.DomainError):
    """Only a suspended organisation is ended: nobody works in it any more."""

    code = "organisation_not_suspended"
    title = "Organisation not suspended"


class GraceTooShort(errors.Invalid):
    """The day of the drop is too near."""

    code = "grace_too_short"
    title = "Grace too short"


class OffboardingUnderWay(errors.DomainError):
    """The organisation is being ended already, or it can no longer be called off."""

    code = "offboarding_under_way"
    title = "The end is under way"


@transaction.atomic
def begin(
    *, organisation_id: UUID, drop_after: datetime, reason: str, actor: Actor, now: datetime
) -> Offboarding:
    """
    Have a suspended organisation exported, and its schema dropped after ``drop_after``, 30 days from now or later.

    Until then it can be called off. Raises NotSuspended, GraceTooShort, OffboardingUnderWay.
    """
    organisation = Organisation.objects.select_for_update().get(id=organisation_id)
    if Offboarding.objects.live().filter(organisation=organisation).exists():
        raise OffboardingUnderWay("This organisation is being ended already.")
    if organisation.status != OrganisationStatus.SUSPENDED:
        raise NotSuspended("Suspend the organisation first: nobody may work in what is exported.")
    if drop_after < now + GRACE_MIN:
        message = f"Its data is kept for {GRACE_MIN.days} days at least."
        raise GraceTooShort(message, errors=[errors.FieldError("/drop_after", GraceTooShort.code, message)])
    asked = Offboarding.objects.create(
        organisation=organisation, reason=reason, asked_by=str(actor), asked_at=now, drop_after=drop_after
    )
    changes = {"drop_after": [None, drop_after.isoformat()]}
    _record("organisation.offboarding_begun", asked, actor, now, changes, reason)
    jobs.enqueue(TASK, offboarding_id=asked.id)
    return asked


@transaction.atomic
def hand_out(*, organisation_id: UUID, reason: str, actor: Actor, now: datetime) -> Offboarding:
    """
    Put on record that somebody is given the newest archive, and return where it lies. Raises NotFound.

    The file itself is read afterwards, by ``archives.read``.
    """
    asked = (
        Offboarding.objects.select_related("organisation")
        .filter(organisation_id=organisation_id, cancelled_at__isnull=True, exported_at__isnull=False)
        .first()
    )
    if asked is None:
        raise errors.NotFound("There is no archive of this organisation.")
    changes = {"archive_sha256": [None, asked.archive_sha256], "archive_size": [None, asked.archive_size]}
    _record("organisation.archive_handed_out", asked, actor, now, changes, reason)
    return asked


@transaction.atomic
def cancel(*, organisation_id: UUID, reason: str, actor: Actor, now: datetime) -> Offboarding:
    """Call it off within the grace; the organisation stays suspended. Raises NotFound, and OffboardingUnderWay afterwards."""
    asked = Offboarding.objects.locked().live().filter(organisation_id=organisation_id).first()
    if asked is None:
        raise errors.NotFound("Nobody ends this organisation.")
    if asked.closed_at is not None:
        raise OffboardingUnderWay("Its grace is over: it can no longer be called off.")
    asked.cancelled_at = now
    asked.save(update_fields=["cancelled_at"])
    _record("organisation.offboarding_cancelled", asked, actor, now, {}, reason)
    return asked


def go_on(*, offboarding_id: UUID, now: datetime) -> Offboarding:
    """
    Do the next step that is due, one only: export; close when the grace is over; export what came since; drop.

    Safe to repeat. A storage or a lock that is not to be had is tried again by the sweep. Needs the owner role; leaves
    the public schema entered.
    """
    schema.leave()
    asked = Offboarding.objects.select_related("organisation").get(id=offboarding_id)
    try:
        if asked.is_to_be_exported(now):
            return _export(asked, now)
        if asked.is_to_be_closed(now):
            return _close(offboarding_id, now)
        return _drop(offboarding_id, now) if asked.is_to_be_dropped(now) else asked
    except (OperationalError, storage.StorageUnavailable) as error:
        log.warning("offboarding_put_off", offboarding=str(offboarding_id), reason=str(error))
        return asked
    finally:
        schema.leave()


def wake_due(*, now: datetime) -> int:
    """Call the owner's worker for each that has something to do, and return how many."""
    due = [asked for asked in Offboarding.objects.live().order_by("asked_at") if asked.is_due(now)]
    for asked in due:
        jobs.enqueue(TASK, offboarding_id=asked.id)
    return len(due)


def _export(asked: Offboarding, now: datetime) -> Offboarding:
    made = archives.store(
        organisation=asked.organisation,
        folder=f"offboarding/{asked.id.hex}",
        is_last=asked.closed_at is not None,
        now=now,
    )
    stored = made.stored
    with transaction.atomic():
        held = _held(asked.id)
        held.archive_key, held.archive_sha256, held.archive_size = stored.key, stored.sha256, stored.size
        held.exported_at = now
        held.save(update_fields=["archive_key", "archive_sha256", "archive_size", "exported_at"])
        changes = {
            "archive_sha256": [None, stored.sha256],
            "files": [None, made.files],
            "damaged_files": [None, made.damaged],
        }
        _record("organisation.exported", held, SYSTEM, now, changes)
    return held


@transaction.atomic
def _close(offboarding_id: UUID, now: datetime) -> Offboarding:
    """Take neither callbacks nor jobs any more, and let nothing of ours write there, so that the last export is whole."""
    asked = _held(offboarding_id)
    if not asked.is_to_be_closed(now):
        return asked
    organisation = Organisation.objects.select_for_update().get(id=asked.organisation_id)
    organisation.status = OrganisationStatus.ENDING
    organisation.save(update_fields=["status"])
    schemas.shut(organisation.schema_name)
    asked.closed_at = now
    asked.save(update_fields=["closed_at"])
    _record("organisation.closed", asked, SYSTEM, now, {"status": ["SUSPENDED", "ENDING"]})
    return asked


@transaction.atomic
def _drop(offboarding_id: UUID, now: datetime) -> Offboarding:
    """Drop the schema, never before the day and never without the last export; the row of the organisation stays."""
    asked = _held(offboarding_id)
    if not asked.is_to_be_dropped(now):
        return asked
    organisation = Organisation.objects.select_for_update().get(id=asked.organisation_id)
    name = organisation.schema_name
    if not provisioning.NAME.fullmatch(name) or name == schemas.TEMPLATE:
        raise ValueError(f"{name!r} is no organisation's schema")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
    schemas.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))
    UserOrganisation.objects.filter(organisation=organisation).delete()
    organisation.status = OrganisationStatus.ENDED
    organisation.save(update_fields=["status"])
    asked.dropped_at = now
    asked.save(update_fields=["dropped_at"])
    _record("organisation.dropped", asked, SYSTEM, now, {"status": ["ENDING", "ENDED"]})
    return asked


def _held(offboarding_id: UUID) -> Offboarding:
    return Offboarding.objects.locked().get(id=offboarding_id)


def _record(
    action: str,
    asked: Offboarding,
    actor: Actor,
    now: datetime,
    changes: dict[str, Any],
    reason: str = "",
) -> None:
    platform_records.write(
        action=action,
        object_type="organisation",
        object_id=str(asked.organisation_id),
        actor=actor,
        now=now,
        changes=changes,
        reason=reason,
    )
