"""Registering the applications that use the treasury."""

import re
from datetime import datetime

from django.db import IntegrityError, transaction

from apps.access.models import Application
from apps.audit.services import records
from apps.kit import errors
from apps.kit.actors import Actor

SLUG = re.compile(r"[a-z][a-z0-9-]{0,49}")


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
    records.write(
        action="application.created",
        object_type="application",
        object_id=str(application.id),
        actor=actor,
        now=now,
        changes={"slug": [None, slug], "name": [None, name]},
    )
    return application
