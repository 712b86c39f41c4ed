"""Opening and changing branches."""

import zoneinfo
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.access.models import Branch
from apps.audit.services import records
from apps.kit import errors
from apps.kit.actors import Actor

CODE_LENGTH = 20


class BranchCodeTaken(errors.DomainError):
    """Another branch has this code, or there is a head office already."""

    code = "branch_exists"
    title = "Branch exists"


class BranchInvalid(errors.Invalid):
    """Code or time zone cannot be."""

    code = "branch_invalid"
    title = "Branch not valid"


@transaction.atomic
def create(
    *, code: str, name: str, is_head_office: bool = False, time_zone: str = "", actor: Actor, now: datetime
) -> Branch:
    """
    Open a branch; the first one of an organisation is its head office, and there is only one.

    Raises BranchInvalid and BranchCodeTaken.
    """
    _check(code, time_zone)
    branch = Branch(code=code, name=name, is_head_office=is_head_office, time_zone=time_zone, created_at=now)
    try:
        with transaction.atomic():
            branch.save(force_insert=True)
    except IntegrityError:
        raise BranchCodeTaken(f"A branch {code} or another head office exists already.") from None
    records.write(
        action="branch.created",
        object_type="branch",
        object_id=str(branch.id),
        actor=actor,
        now=now,
        changes={"code": [None, code], "name": [None, name]},
    )
    return branch


@transaction.atomic
def change(*, branch_id: UUID, name: str, time_zone: str, actor: Actor, now: datetime) -> Branch:
    """Rename a branch or give it another time zone; its code stays, because reports and receipts bear it."""
    branch = Branch.objects.select_for_update().get(id=branch_id)
    _check(branch.code, time_zone)
    changes = {"name": [branch.name, name], "time_zone": [branch.time_zone, time_zone]}
    branch.name, branch.time_zone = name, time_zone
    branch.save(update_fields=["name", "time_zone"])
    records.write(
        action="branch.changed",
        object_type="branch",
        object_id=str(branch.id),
        actor=actor,
        now=now,
        changes={field: pair for field, pair in changes.items() if pair[0] != pair[1]},
    )
    return branch


def _check(code: str, time_zone: str) -> None:
    allowed = code.isascii() and code.replace("-", "").isalnum() and code == code.upper()
    if not allowed or code.startswith("-") or len(code) > CODE_LENGTH:
        message = "A code is 1 to 20 capital letters, digits and dashes."
        raise BranchInvalid(message, errors=[errors.FieldError("/code", "branch_invalid", message)])
    if time_zone and time_zone not in zoneinfo.available_timezones():
        message = f"{time_zone} is no time zone."
        raise BranchInvalid(message, errors=[errors.FieldError("/time_zone", "branch_invalid", message)])
