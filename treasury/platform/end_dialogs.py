"""What the platform's operators do about the end of an organisation: ask for it, call it off while its grace lasts, take its archive."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.core import signing
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit.dialogs import Answer, Content, Dialog, Effect, ReasonForm
from apps.tenancy.models import Offboarding, OrganisationStatus
from apps.tenancy.selectors import offboardings as stored
from apps.tenancy.services import offboardings
from treasury.platform.dialogs import MANAGE

SALT = "treasury.platform.archive"
TICKET = timedelta(minutes=5)


class EndForm(ReasonForm):
    """How long its data is kept."""

    days = forms.IntegerField(
        label=gettext_lazy("Days until it is dropped"), min_value=30, max_value=3650, initial=30
    )
    field_order = ("days", "reason")


class EndOrganisation(Dialog):
    """Have a suspended organisation exported and, after a grace, dropped."""

    name = "end"
    label = gettext_lazy("End…")
    icon = "delete_forever"
    permission = MANAGE
    steps_up = True
    is_danger = True
    form_class = EndForm

    def is_offered(self, row: Any) -> bool:
        return row.status == OrganisationStatus.SUSPENDED and not row.is_ending

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("End %(organisation)s") % {"organisation": rows[0].name},
            button=_("End the organisation"),
            typed_text=rows[0].slug,
            next_step=_(
                "All that it holds is exported now and once more at the end. It can be called off until the day; then its data "
                "is dropped for good."
            ),
        )

    def act(self, row: Any, answer: Answer) -> str:
        asked = offboardings.begin(
            organisation_id=row.pk,
            drop_after=answer.now + timedelta(days=answer.data["days"]),
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("%(organisation)s ends on %(day)s.") % {
            "organisation": row.name,
            "day": f"{asked.drop_after:%d %b %Y}",
        }


class CallOffEnd(Dialog):
    """Keep an organisation that was to be ended."""

    name = "call-off-end"
    label = gettext_lazy("Call off the end…")
    icon = "undo"
    permission = MANAGE
    steps_up = True
    form_class = ReasonForm

    def is_offered(self, row: Any) -> bool:
        return row.status == OrganisationStatus.SUSPENDED and row.is_ending

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Keep %(organisation)s") % {"organisation": rows[0].name},
            button=_("Call off the end"),
            next_step=_("It stays suspended until somebody opens it again. The archive stays."),
        )

    def act(self, row: Any, answer: Answer) -> str:
        offboardings.cancel(
            organisation_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return _("%(organisation)s is kept.") % {"organisation": row.name}


class DownloadArchive(Dialog):
    """Take the newest archive of an organisation that is being ended, or has ended."""

    name = "archive"
    label = gettext_lazy("Download the archive…")
    icon = "download"
    permission = MANAGE
    steps_up = True
    form_class = ReasonForm

    def is_offered(self, row: Any) -> bool:
        return row.has_archive

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the row says all)
        asked = stored.of_organisation(rows[0].pk)
        return Content(
            title=_("Archive of %(organisation)s") % {"organisation": rows[0].name},
            button=_("Have the archive"),
            effects=[
                Effect(_("Made"), f"{asked.exported_at:%d %b %Y, %H:%M} UTC"),
                Effect(_("Size"), filesizeformat(stored.archive(asked).size)),
                Effect("SHA-256", asked.archive_sha256),
            ]
            if asked and asked.exported_at
            else [],
            next_step=_(
                "It holds everything of the organisation: tables and files, names and phone numbers. That you took it stands in the "
                "platform's trail. The link that you are shown works for you, for five minutes."
            ),
        )

    def act(self, row: Any, answer: Answer) -> str:
        asked = offboardings.hand_out(
            organisation_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        address = reverse("platform:tenancy_organisation_download", args=[row.pk])
        return format_html(
            _('<a class="t-a" href="{}">Download the archive of {}</a>: the link works for five minutes.'),
            f"{address}?ticket={ticket(answer.request, asked)}",
            row.name,
        )


def ticket(request: HttpRequest, asked: Offboarding) -> str:
    """Return what opens the archive to this person for a while, after a proof of his and a record of why."""
    return signing.dumps(_named(request, asked), salt=SALT)


def is_good(request: HttpRequest, asked: Offboarding) -> bool:
    """Whether a request brings a ticket of its own person for this very file that is not too old."""
    try:
        named = signing.loads(request.GET.get("ticket", ""), salt=SALT, max_age=TICKET)
    except signing.BadSignature:
        return False
    return bool(named == _named(request, asked))


def _named(request: HttpRequest, asked: Offboarding) -> list[str]:
    return [str(asked.organisation_id), str(request.user.pk), asked.archive_sha256]
