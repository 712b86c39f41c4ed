"""What people do with roles."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.contracts import LimitKind
from apps.access.forms import LimitsForm, RoleForm
from apps.access.models import Role
from apps.access.selectors import limits as visible_limits
from apps.access.selectors import memberships
from apps.access.services import limits, roles
from apps.kit.dialogs import Answer, Content, Dialog, Effect, ReasonForm
from apps.kit.money import Money


class RoleDialog(Dialog):
    """What whoever manages the team does with roles."""

    permission = "access.manage"
    steps_up = True

    def is_offered(self, row: Role) -> bool:
        return row.retired_at is None


class AddRole(RoleDialog):
    """Make a role of what the person holds himself."""

    name = "add-role"
    label = gettext_lazy("New role…")
    icon = "add"
    on_list = True

    def form(self, request: HttpRequest, rows: Sequence[Role], data: Any = None) -> forms.Form:  # noqa: ARG002 (there is none yet)
        form = RoleForm(data)
        form.offer(memberships.permissions_of(request.user) or ())
        return form

    def content(self, request: HttpRequest, rows: Sequence[Role]) -> Content:  # noqa: ARG002 (there is none yet)
        return Content(
            title=_("Make a role"),
            button=_("Make the role"),
            next_step=_("You give what you hold yourself. To start from another role, copy that one."),
        )

    def perform(self, rows: Sequence[Role], answer: Answer) -> list[str]:  # noqa: ARG002 (there is none yet)
        made = roles.create(
            name=answer.data["name"],
            permissions=answer.data["permissions"],
            actor=answer.actor,
            now=answer.now,
        )
        return [_("%(role)s: made.") % {"role": made}]


class RoleOnRow(RoleDialog):
    """A dialog about one role, whose form offers what the person holds and what the role has."""

    on_rows = True

    def form(self, request: HttpRequest, rows: Sequence[Role], data: Any = None) -> forms.Form:
        role = rows[0]
        form = RoleForm(data, initial=self.initial(role))
        form.offer({*(memberships.permissions_of(request.user) or ()), *role.permissions})
        return form

    def initial(self, role: Role) -> dict[str, Any]:
        return {"name": role.name, "permissions": role.permissions}


class CopyRole(RoleOnRow):
    """Make a role that begins as another one."""

    name = "copy"
    label = gettext_lazy("Copy…")
    icon = "content_copy"

    def is_offered(self, row: Role) -> bool:  # noqa: ARG002 (a retired one too)
        return True

    def initial(self, role: Role) -> dict[str, Any]:
        return {"permissions": role.permissions}

    def content(self, request: HttpRequest, rows: Sequence[Role]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Copy the role %(role)s") % {"role": rows[0]},
            button=_("Make the role"),
            next_step=_("Nobody has the new role until you give it to somebody."),
            version=",".join(rows[0].permissions),
        )

    def act(self, row: Role, answer: Answer) -> str:
        made = roles.create(
            name=answer.data["name"],
            permissions=answer.data["permissions"],
            copied_from=row.code,
            actor=answer.actor,
            now=answer.now,
        )
        return _("%(role)s: made.") % {"role": made}


class ChangeRole(RoleOnRow):
    """Rename a role, and change what it may do."""

    name = "edit"
    label = gettext_lazy("Change…")
    icon = "edit"

    def content(self, request: HttpRequest, rows: Sequence[Role]) -> Content:  # noqa: ARG002 (the row says all)
        role = rows[0]
        return Content(
            title=_("Change the role %(role)s") % {"role": role},
            button=_("Change the role"),
            effects=[
                Effect(
                    _("People with it"), str(role.memberships.filter(is_active=True).count()), is_live=True
                )
            ],
            next_step=_("It holds for all of them from their next page on."),
            version=",".join([role.name, *role.permissions]),
        )

    def act(self, row: Role, answer: Answer) -> str:
        changed = roles.change(
            code=row.code,
            name=answer.data["name"],
            permissions=answer.data["permissions"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("%(role)s: changed.") % {"role": changed}


class SetLimits(RoleDialog):
    """Say how much a role may ask for, and approve, at once."""

    name = "limits"
    label = gettext_lazy("Limits…")
    icon = "price_check"

    def form(self, request: HttpRequest, rows: Sequence[Role], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        return LimitsForm(data, initial={kind.lower(): sums for kind, sums in self._now(rows[0]).items()})

    def content(self, request: HttpRequest, rows: Sequence[Role]) -> Content:  # noqa: ARG002 (the row says all)
        role = rows[0]
        return Content(
            title=_("Limits of the role %(role)s") % {"role": role},
            button=_("Set the limits"),
            next_step=_("They hold for each deed by itself, from the next one on."),
            version=str(self._now(role)),
        )

    def act(self, row: Role, answer: Answer) -> str:
        limits.put(
            code=row.code,
            wanted={kind: answer.data[kind.lower()] for kind in LimitKind},
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("%(role)s: limits set.") % {"role": row}

    def _now(self, role: Role) -> dict[str, tuple[Money, ...]]:
        rows = visible_limits.of_roles([role.id])[role.id]
        return {kind.value: tuple(row.maximum for row in rows if row.kind == kind) for kind in LimitKind}


class RetireRole(RoleDialog):
    """Give a role to nobody any more."""

    name = "retire"
    label = gettext_lazy("Retire…")
    icon = "archive"
    is_danger = True
    form_class = ReasonForm

    def content(self, request: HttpRequest, rows: Sequence[Role]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Retire the role %(role)s") % {"role": rows[0]},
            button=_("Retire the role"),
            next_step=_(
                "It is given to nobody any more. What was decided with it keeps its name. It can be copied."
            ),
        )

    def act(self, row: Role, answer: Answer) -> str:
        roles.retire(code=row.code, reason=answer.data["reason"], actor=answer.actor, now=answer.now)
        return _("%(role)s: retired.") % {"role": row}
