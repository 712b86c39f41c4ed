"""The applications that use the treasury: registered by people, let in by a link, and closed."""

import re
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from apps.access.models import Application
from apps.audit.services import records
from apps.kit import errors, ids
from apps.kit.actors import Actor
from apps.tenancy.selectors import directory

SLUG = re.compile(r"[a-z][a-z0-9-]{0,49}")
NAMED_LENGTH = 40
SUFFIX_LENGTH = 6


class ApplicationExists(errors.DomainError):
    """Another application has this slug."""

    code = "application_exists"
    title = "Application exists"


class ApplicationInvalid(errors.Invalid):
    """The slug cannot be."""

    code = "application_invalid"
    title = "Application not valid"


@transaction.atomic
def create(*, slug: str, name: str, actor: Actor, now: datetime) -> Application:
    """Register an application; its slug never changes. Raises ApplicationInvalid and ApplicationExists."""
    if not SLUG.fullmatch(slug):
        message = "A slug is 1 to 50 small letters, digits and dashes, a letter first."
        raise ApplicationInvalid(message, errors=[errors.FieldError("/slug", "application_invalid", message)])
    application = Application(slug=slug, name=name, created_at=now)
    try:
        with transaction.atomic():
            application.save(force_insert=True)
    except IntegrityError:
        raise ApplicationExists(f"An application {slug} exists already.") from None
    _record("application.created", application, {"slug": [None, slug], "name": [None, name]}, actor, now)
    return application


@transaction.atomic
def let_in(
    *,
    directory_id: UUID,
    name: str,
    scopes: Collection[str],
    branch_id: UUID | None,
    granted_by_id: UUID | None,
    actor: Actor,
    now: datetime,
) -> Application:
    """
    Let an application of the platform's directory in, with scopes and branch that no key of it exceeds.

    One that was here before is opened again: its rows stay its own. Its slug is made of its name.
    """
    application = Application.objects.locked().filter(directory_id=directory_id).first()
    bounds = {
        "granted_scopes": sorted(set(scopes)),
        "granted_branch_id": branch_id,
        "granted_by_id": granted_by_id,
    }
    if application is None:
        application = Application(
            slug=_free_slug(name), name=name, directory_id=directory_id, created_at=now, **bounds
        )
        application.save(force_insert=True)
    else:
        for field, value in bounds.items():
            setattr(application, field, value)
        application.closed_at = None
        application.save(update_fields=[*bounds, "closed_at"])
    _record(
        "application.let_in",
        application,
        {
            "slug": [None, application.slug],
            "scopes": [None, application.granted_scopes],
            "branch": [None, str(branch_id) if branch_id else None],
        },
        actor,
        now,
    )
    return application


@transaction.atomic
def close(*, application_id: UUID, reason: str, actor: Actor, now: datetime) -> Application:
    """Close an application from its next request on; its rows stay. A second time changes nothing. Raises NotFound."""
    application = Application.objects.locked().filter(id=application_id).first()
    if application is None:
        raise errors.NotFound("There is no such application.")
    if application.closed_at is None:
        application.closed_at = now
        application.save(update_fields=["closed_at"])
        _record("application.closed", application, {"closed_at": [None, now.isoformat()]}, actor, now, reason)
    return application


def is_open(application: Application) -> bool:
    """Say whether an application may act: neither the organisation has closed it nor the platform suspended it."""
    if application.closed_at is not None:
        return False
    return application.directory_id is None or not directory.is_suspended(application.directory_id)


def _free_slug(name: str) -> str:
    """Return a slug for an application by its name; beside one that is taken a few characters follow."""
    wanted = slugify(name)[:NAMED_LENGTH].strip("-_").replace("_", "-")
    wanted = wanted if SLUG.fullmatch(wanted) else "app"
    if not Application.objects.filter(slug=wanted).exists():
        return wanted
    return f"{wanted}-{ids.code(SUFFIX_LENGTH).lower()}"


def _record(
    action: str,
    application: Application,
    changes: dict[str, object],
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> None:
    records.write(
        action=action,
        object_type="application",
        object_id=str(application.id),
        actor=actor,
        now=now,
        changes=changes,
        reason=reason,
    )
