"""What people do with parties in the portal."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.selectors import branches, memberships, scope
from apps.kit import clock
from apps.kit.dialogs import Answer, Content, Dialog, Effect
from apps.parties.contracts import KINDS, NewParty, PartyKind
from apps.parties.forms import NewPartyForm, PartyForm, facts, said
from apps.parties.models import Party
from apps.parties.selectors import parties as visible_parties
from apps.parties.services import parties


class PartyDialog(Dialog):
    """What whoever keeps the parties may do with them."""

    permission = "parties.manage"

    def is_offered(self, row: Party) -> bool:
        return row.archived_at is None


class AddParty(PartyDialog):
    """Record a party."""

    name = "add"
    label = gettext_lazy("Add party…")
    icon = "add"
    on_list = True

    def form(self, request: HttpRequest, rows: Sequence[Party], data: Any = None) -> forms.Form:  # noqa: ARG002 (there is none yet)
        return NewPartyForm(data, person=request.user)

    def content(self, request: HttpRequest, rows: Sequence[Party]) -> Content:  # noqa: ARG002 (there is none yet)
        return Content(title=_("Add a party"), button=_("Add the party"))

    def perform(self, rows: Sequence[Party], answer: Answer) -> list[str]:  # noqa: ARG002 (there is none yet)
        person = answer.request.user
        made = parties.create(
            request=NewParty(
                kind=PartyKind(answer.data["kind"]),
                branch_id=branches.chosen(person, UUID(answer.data["branch"])).id,
                application_id=scope.application_id(person),
                facts=facts(answer.data),
                external_id=answer.data["external_id"],
            ),
            actor=answer.actor,
            now=answer.now,
        )
        return [_("%(party)s: added.") % {"party": made}]


class ChangeParty(PartyDialog):
    """Say something else of a party."""

    name = "edit"
    label = gettext_lazy("Change…")
    icon = "edit"

    def form(self, request: HttpRequest, rows: Sequence[Party], data: Any = None) -> forms.Form:
        if data is None:
            parties.contacts_seen(party=rows[0], actor=memberships.actor(request.user), now=clock.now())
        return PartyForm(data, initial=said(rows[0]))

    def content(self, request: HttpRequest, rows: Sequence[Party]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Change %(party)s") % {"party": rows[0]},
            button=_("Change the party"),
            next_step=_("Documents and payments that exist keep what they say."),
            version=str(rows[0].version),
        )

    def act(self, row: Party, answer: Answer) -> str:
        visible_parties.require_own(answer.request.user, row)
        changed = parties.change(
            party_id=row.id,
            version=row.version,
            facts=facts(answer.data),
            actor=answer.actor,
            now=answer.now,
        )
        return _("%(party)s: changed.") % {"party": changed}


class ArchiveParty(PartyDialog):
    """Offer a party no longer."""

    name = "archive"
    label = gettext_lazy("Archive…")
    icon = "archive"
    is_danger = True

    def content(self, request: HttpRequest, rows: Sequence[Party]) -> Content:  # noqa: ARG002 (the row says all)
        party = rows[0]
        return Content(
            title=_("Archive %(party)s") % {"party": party},
            button=_("Archive the party"),
            effects=[
                Effect(_("Kind"), str(KINDS[PartyKind(party.kind)])),
                Effect(_("Branch"), party.branch.name),
            ],
            next_step=_("It is offered no longer. What names it keeps it. It cannot be taken back."),
            version=str(party.version),
        )

    def act(self, row: Party, answer: Answer) -> str:
        visible_parties.require_own(answer.request.user, row)
        parties.archive(party_id=row.id, actor=answer.actor, now=answer.now)
        return _("%(party)s: archived.") % {"party": row}
