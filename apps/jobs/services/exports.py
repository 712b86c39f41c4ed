"""Exports: a list becomes a file, as a job of the person or key that asks for it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.access.contracts import Caller
from apps.access.selectors import branches, memberships, scope
from apps.jobs.contracts import SOURCES, NewExport, NewJob, Source
from apps.jobs.models import Job
from apps.jobs.selectors import export_requests
from apps.jobs.services import jobs
from apps.kit import errors
from apps.kit.actors import Actor

KIND = "export"
PERMISSION = "jobs.export"


class ExportUnknown(errors.Invalid):
    """There is no list of this name that the caller could export."""

    code = "export_unknown"
    title = "Export unknown"


class ExportForbidden(errors.Forbidden):
    """The caller may not read this list, or may not take it away as a file."""

    code = "export_forbidden"
    title = "Export not allowed"


@transaction.atomic
def start(*, request: NewExport, caller: scope.Principal, actor: Actor, now: datetime) -> Job:
    """
    Start the export of what the caller sees of a list; the file is the result of the job.

    Raises ExportUnknown, ExportForbidden, export_requests.ExportFilterInvalid, or branches.BranchForbidden for a branch that is not his.
    """
    source = find(request.source, caller)
    export_requests.check(source, request)
    branch_id, reach = _read(source, request, caller)
    applications = scope.application_ids(caller)
    membership = None if isinstance(caller, Caller) else memberships.of(caller)
    return jobs.start(
        request=NewJob(
            kind=KIND,
            title=str(source.title),
            branch_id=branch_id,
            application_id=scope.application_id(caller),
            branch_ids=None if reach is None else frozenset(reach),
            application_ids=None if applications is None else frozenset(applications),
            permission=source.permission,
            scope=source.scope,
            actor=actor,
            starter_id=None if membership is None else membership.id,
            parameters=_parameters(source, request, caller),
        ),
        now=now,
    )


def find(name: str, caller: scope.Principal) -> Source:
    """Return the list of this name; raise ExportUnknown, or ExportForbidden unless the caller may export it."""
    source = SOURCES.get(name)
    if source is None:
        message = f"There is no list {name!r} to export. There are: {', '.join(sorted(SOURCES))}."
        raise ExportUnknown(message, errors=[errors.FieldError("/source", ExportUnknown.code, message)])
    if isinstance(caller, Caller):
        if not source.scope:
            raise ExportForbidden("Only people export this list, in the portal.")
        if source.scope not in caller.scopes:
            raise ExportForbidden(f"This needs a key with the scope {source.scope} too.")
    elif not {source.permission, PERMISSION} <= (memberships.permissions_of(caller) or frozenset()):
        raise ExportForbidden("Your role may not export this list.")
    return source


def _read(source: Source, request: NewExport, caller: scope.Principal) -> tuple[UUID, set[UUID] | None]:
    """Return the branch that the file is kept for, and those whose rows it holds, None for all: as the list shows them."""
    reach = scope.branch_ids(caller)
    own = [] if reach is None else sorted(reach)
    home = own[0] if len(own) == 1 else branches.head_office().id
    if source.is_of_parties:
        reach = scope.party_branch_ids(caller)
    if request.branch_id is None:
        return home, reach
    if source.is_of_parties and reach is None:
        return home, {branches.existing(request.branch_id).id}
    branch_id = branches.chosen(caller, request.branch_id).id
    return branch_id, {branch_id}


def _parameters(source: Source, request: NewExport, caller: scope.Principal) -> dict[str, Any]:
    return {
        "source": source.name,
        "format": request.file_format.value,
        "with_bom": request.with_bom,
        "branch_id": str(request.branch_id) if request.branch_id else "",
        "from_date": request.from_date.isoformat() if request.from_date else "",
        "to_date": request.to_date.isoformat() if request.to_date else "",
        "search": request.search,
        "choices": {name: list(values) for name, values in request.choices.items()},
        "made_by": _name(caller),
        "asked_for": export_requests.summary(source, request, caller),
    }


def _name(caller: scope.Principal) -> str:
    if isinstance(caller, Caller):
        return f"{caller.key.application.name}, {caller.key.name}"
    return str(caller)
