"""The list of parties as an export: what the screen shows, contacts and tax PIN masked as there."""

from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from apps.jobs.contracts import Choice, Column, Reach, Source, ValueKind, declare_source
from apps.kit import ids, masks
from apps.kit.admin import masked_phone
from apps.parties.contracts import (
    CHANNELS,
    KINDS,
    LANGUAGES,
    STATES,
    Channel,
    ContactKind,
    Language,
    PartyKind,
)
from apps.parties.models import ContactPoint, Party
from apps.parties.selectors import parties


def _rows(reach: Reach) -> QuerySet[Party]:
    rows = Party.objects.of_branches(None if reach.branch_ids is None else set(reach.branch_ids))
    rows = rows.of_applications(None if reach.application_ids is None else set(reach.application_ids))
    first = ContactPoint.objects.filter(party=OuterRef("pk")).order_by("-is_primary", "value")
    contacts = {kind.lower(): Subquery(first.filter(kind=kind).values("value")[:1]) for kind in ContactKind}
    return rows.with_state().annotate(**contacts).order_by("-id")


def _id(value: UUID) -> str:
    return ids.encode("pty", value)


def _phone(value: str | None) -> str:
    return masked_phone(value or "")


def _email(value: str | None) -> str:
    return masks.email(value or "")


PARTIES = declare_source(
    Source(
        name="parties",
        title=_("Parties"),
        permission="parties.view",
        scope="parties:read",
        columns=(
            Column(_("Recorded"), "created_at", ValueKind.INSTANT),
            Column(_("Party"), "id", shown=_id),
            Column(_("Kind"), "kind", shown=lambda value: str(KINDS[PartyKind(value)])),
            Column(_("Name"), "display_name"),
            Column(_("Legal name"), "legal_name"),
            Column(_("Tax PIN"), "tax_pin", shown=masks.tax_pin),
            Column(_("External id"), "external_id"),
            Column(_("Branch"), "branch__name"),
            Column(_("Phone"), "phone", shown=_phone),
            Column(_("E-mail"), "email", shown=_email),
            Column(_("Written to by"), "channel", shown=lambda value: str(CHANNELS[Channel(value)])),
            Column(_("Language"), "language", shown=lambda value: str(LANGUAGES[Language(value)])),
            Column(_("State"), "state", shown=lambda value: str(STATES[value])),
        ),
        rows=_rows,
        branch_field="branch_id",
        day_field="created_at",
        choices=(
            Choice("kind", _("Kind"), "kind", {name.value: word for name, word in KINDS.items()}),
            Choice("state", _("State"), "state", STATES),
        ),
        search=parties.found_by,
        is_of_parties=True,
        list_names={"kind": "kind", "state": "state", "branch": "branch_id", "q": "search"},
    )
)
