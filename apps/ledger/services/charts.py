"""The chart of accounts: laid out when an organisation begins, and changed where that changes nothing that was booked."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.access.selectors import branches
from apps.audit.services import records
from apps.kit import errors, locks, money
from apps.kit.actors import Actor
from apps.ledger.contracts import CHART, AccountRef, AccountRole, AccountType
from apps.ledger.importers import FORMULA_SIGNS
from apps.ledger.models import Account, ChartLine
from apps.ledger.services import accounts, chart_template, refusals
from apps.ledger.services.chart_template import TemplateLine
from apps.ledger.services.refusals import LineInvalid

CODE_MAX = 16
NAME_MAX = 120


class LineUnknown(errors.NotFound):
    """The chart has no line with this code."""

    code = "ledger_chart_line_unknown"
    title = "No such line in the chart"


@transaction.atomic
def install(*, actor: Actor, now: datetime, reason: str = "") -> int:
    """
    Lay out the template and return how many lines were added; safe to repeat.

    Lines that are there stay as they are, by their code or their role; one of a role that stands nowhere is put below its
    heading.
    """
    locks.advisory("ledger:chart")
    there = {line.code: line for line in ChartLine.objects.all()}
    of_role = {line.role: line for line in there.values() if line.role}
    made: list[ChartLine] = []
    for line in chart_template.lines():
        parent = there.get(line.parent)
        known = of_role.get(line.role) if line.role else there.get(line.code)
        if known is None:
            there[line.code] = _line(line, parent)
            made.append(there[line.code])
        elif known.role and known.parent_id is None:
            known.parent = parent
    ChartLine.objects.bulk_create(made)
    for adopted in of_role.values():
        adopted.save(update_fields=["parent"])
    if made:
        _record("chart.installed", "chart", {"lines": [0, len(made)]}, actor, now, reason)
    return len(made)


@transaction.atomic
def add(
    *,
    code: str,
    name: str,
    type: AccountType,  # noqa: A002 (the word of the chart)
    parent: str,
    actor: Actor,
    now: datetime,
    is_heading: bool = False,
) -> ChartLine:
    """
    Add a heading or a line of the organisation's own below a heading of the same type; an empty ``parent`` is the top.

    Raises LineInvalid, which names the field, and LineUnknown for the parent.
    """
    locks.advisory("ledger:chart")
    code = checked_code(code)
    if ChartLine.objects.filter(code=code).exists():
        raise _wrong("/code", f"There is a line {code} already.")
    above = _heading(parent, type)
    made = ChartLine(
        code=code,
        name=checked_name(name),
        type=type.value,
        parent=above,
        is_heading=is_heading,
        role=None,
        width=1,
        shards=1,
    )
    with refusals.translated():
        made.save(force_insert=True)
    _record("chart.line_added", code, {"name": [None, made.name], "parent": [None, parent]}, actor, now)
    return made


@transaction.atomic
def rename(*, code: str, name: str, actor: Actor, now: datetime) -> ChartLine:
    """Call a line otherwise; its accounts keep the names that they were opened under. Raises LineInvalid, LineUnknown."""
    line = _changing(code)
    before, line.name = line.name, checked_name(name)
    if line.name != before:
        line.save(update_fields=["name"])
        _record("chart.line_renamed", code, {"name": [before, line.name]}, actor, now)
    return line


@transaction.atomic
def move(*, code: str, parent: str, actor: Actor, now: datetime) -> ChartLine:
    """
    Put a line below another heading of its type; an empty ``parent`` is the top.

    Raises LineUnknown, and LineInvalid for a heading of another type or one that stands below the line itself.
    """
    line = _changing(code)
    above = _heading(parent, AccountType(line.type))
    before = line.parent.code if line.parent else ""
    if before != parent:
        line.parent = above
        with refusals.translated():
            line.save(update_fields=["parent"])
        _record("chart.line_moved", code, {"parent": [before, parent]}, actor, now)
    return line


@transaction.atomic
def open_account(
    *, code: str, branch_id: UUID, currency: str, actor: Actor, now: datetime, name: str = ""
) -> Account:
    """
    Return the account of one of the organisation's own lines for a branch and currency; open it if need be.

    Raises LineUnknown, LineInvalid for a heading or a line of a role, NotFound for the branch and CurrencyUnknown.
    """
    line = _known(code)
    if line.is_heading or line.role:
        raise _wrong("/code", f"{line} is no line that accounts are opened on by hand.")
    branches.get(branch_id)
    money.exponent(currency)
    ref = AccountRef(AccountRole.GENERAL, currency, branch_id, owner_id=line.id)
    is_new = not Account.objects.matching([ref]).exists()
    account = accounts.ensure(ref=ref, now=now, name=name)
    if is_new:
        records.write(
            action="ledger.account_opened",
            object_type=accounts.OBJECT,
            object_id=str(account.uid),
            branch=branch_id,
            actor=actor,
            now=now,
            changes={"code": [None, account.code]},
        )
    return account


def _line(line: TemplateLine, parent: ChartLine | None) -> ChartLine:
    role = CHART[line.role] if line.role else None
    return ChartLine(
        code=line.code,
        name=line.name,
        type=line.type.value,
        parent=parent,
        is_heading=line.is_heading,
        role=line.role,
        width=role.width if role else 1,
        shards=role.shards if role else 1,
    )


def _changing(code: str) -> ChartLine:
    """
    Return a line while no other change of the chart runs.

    The row itself is not locked: an opening holds the fence of the chart when it refers to the line, and a change takes
    that fence after this lock.
    """
    locks.advisory("ledger:chart")
    return _known(code)


def _known(code: str) -> ChartLine:
    line = ChartLine.objects.filter(code=code).first()
    if line is None:
        message = f"The chart has no line {code}."
        raise LineUnknown(message, errors=[errors.FieldError("/code", LineUnknown.code, message)])
    return line


def _heading(code: str, kind: AccountType) -> ChartLine | None:
    if not code:
        return None
    line = ChartLine.objects.filter(code=code).first()
    if line is None or not line.is_heading or line.type != kind:
        raise _wrong("/parent", f"{code} is no heading of type {kind.lower()}.")
    return line


def checked_code(text: str) -> str:
    """Return a code without blanks around it; raise LineInvalid for what can be none."""
    code = text.strip()
    if not 1 <= len(code) <= CODE_MAX or not all(
        part.isascii() and part.isalnum() for part in code.split("-")
    ):
        raise _wrong("/code", f"A code is 1 to {CODE_MAX} letters, digits and dashes.")
    return code


def checked_name(text: str) -> str:
    """Return a name without blanks around it; raise LineInvalid for what can be none."""
    name = text.strip()
    if not 1 <= len(name) <= NAME_MAX or not name.isprintable() or name.startswith(FORMULA_SIGNS):
        raise _wrong(
            "/name", f"A name is 1 to {NAME_MAX} characters on one line, and begins as no formula does."
        )
    return name


def _wrong(pointer: str, message: str) -> LineInvalid:
    return LineInvalid(message, errors=[errors.FieldError(pointer, LineInvalid.code, message)])


def _record(
    action: str, subject: str, changes: dict[str, Any], actor: Actor, now: datetime, reason: str = ""
) -> None:
    records.write(
        action=action,
        object_type=accounts.LINE_OBJECT,
        object_id=subject,
        actor=actor,
        now=now,
        reason=reason,
        changes=changes,
    )
