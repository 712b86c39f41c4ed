"""Runs one command: enters the organisations, keeps all or nothing, and collects what went on the trails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from typing import Any, TextIO

from django.db import transaction
from structlog.contextvars import bound_contextvars

from apps.accounts.selectors import platform_records
from apps.audit.selectors import records
from apps.kit import actors, clock, errors, ids, schema
from apps.tenancy.selectors import organisations
from treasury.operations import printing
from treasury.operations.calls import Answer, Call, Report, Row
from treasury.operations.parsing import Asked
from treasury.operations.verbs import Reach

DONE, WRONG, REFUSED = 0, 1, 2


class TenantUnknown(errors.NotFound):
    """No organisation that is set up has this slug."""

    code = "tenant_unknown"
    title = "Organisation unknown"


def run(asked: Asked, *, out: TextIO, err: TextIO) -> int:
    """Do what is asked for, print what came of it, and return the exit code."""
    try:
        report = perform(asked)
    except errors.DomainError as refusal:
        printing.refuse(asked, refusal, out=out, err=err)
        return REFUSED
    printing.show(asked, report, out=out)
    return WRONG if report.is_wrong else DONE


def perform(asked: Asked) -> Report:
    """
    Return what a command comes to; raise the DomainError that refused it: nothing is kept then.

    Everything that it puts on a trail bears one request id, ``cmd_…``, which the logs of its jobs have too.
    """
    function = function_of(asked)
    report = Report(is_dry=asked.is_dry)
    command_id = f"cmd_{ids.token(8)}"
    call = Call(
        given=asked.given,
        actor=actors.operator(asked.operator) if asked.verb.writes else actors.SYSTEM,
        reason=asked.reason,
        now=clock.now(),
        is_dry=asked.is_dry,
    )
    with bound_contextvars(request_id=command_id), _kept_or_not(asked):
        for organisation in _places(asked):
            with _inside(organisation):
                answer = function(call)
                report.answers.append((organisation.slug if organisation else "", answer))
                if asked.verb.writes:
                    report.records += _records(command_id, call)
    return report


def function_of(asked: Asked) -> Callable[[Call], Answer]:
    """Return the function that does it: of the verb's name, in the module of the noun's name."""
    module = import_module(f"treasury.operations.nouns.{asked.noun.name}")
    function: Callable[[Call], Answer] = getattr(module, asked.verb.function)
    return function


@contextmanager
def _kept_or_not(asked: Asked) -> Iterator[None]:
    """One transaction around a verb that writes, taken back where it is only rehearsed."""
    is_one = asked.verb.writes and asked.verb.is_whole
    with transaction.atomic() if is_one else nullcontext():
        yield
        if is_one and asked.is_dry:
            transaction.set_rollback(True)


def _places(asked: Asked) -> Iterator[organisations.Organisation | None]:
    if asked.verb.reach is Reach.PLATFORM:
        yield None
    elif asked.tenant is None:
        yield from organisations.working().order_by("slug")
    else:
        found = organisations.working_by_slug(asked.tenant)
        if found is None:
            message = f"No organisation that is set up is called {asked.tenant!r}."
            raise TenantUnknown(message, errors=[errors.FieldError("/tenant", TenantUnknown.code, message)])
        yield found


@contextmanager
def _inside(organisation: organisations.Organisation | None) -> Iterator[None]:
    if organisation is None:
        yield
        return
    schema.enter(organisation)
    try:
        yield
    finally:
        schema.leave()


def _records(command_id: str, call: Call) -> list[Row]:
    """Return what the command has put on the platform's trail and, inside an organisation, on its own."""
    found: list[Any] = list(platform_records.of_request(command_id, at=call.now))
    if schema.name() != schema.PUBLIC:
        found += list(records.of_request(command_id, at=call.now))
    return [
        {
            "action": record.action,
            "object": f"{record.object_type} {record.object_id}",
            "changes": record.changes,
        }
        for record in found
    ]
