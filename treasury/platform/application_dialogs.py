"""What the platform's operators decide about registered applications, and about the organisations that these ask for."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit.dialogs import Answer, Content, Dialog, Effect, Notice, ReasonForm
from apps.tenancy.contracts import ApplicationStatus, OrganisationRequestStatus
from apps.tenancy.models import OrganisationRequest, RegisteredApplication
from apps.tenancy.services import directory, organisation_requests
from treasury import opening
from treasury.platform.dialogs import MANAGE, tell_link


class ApplicationDialog(Dialog):
    """What is decided about one registered application."""

    permission = MANAGE
    steps_up = True
    source: ApplicationStatus

    def is_offered(self, row: RegisteredApplication) -> bool:
        return row.status == self.source


class AcceptApplication(ApplicationDialog):
    """Let a registered application ask organisations and make test ones."""

    name = "accept"
    label = gettext_lazy("Accept…")
    icon = "check_circle"
    source = ApplicationStatus.PENDING

    def content(self, request: HttpRequest, rows: Sequence[RegisteredApplication]) -> Content:  # noqa: ARG002 (the row says all)
        row = rows[0]
        return Content(
            title=_("Accept %(application)s") % {"application": row.name},
            button=_("Accept it"),
            effects=[Effect(_("Homepage"), row.homepage), Effect(_("Contact"), row.contact_email)],
            next_step=_(
                "It may ask organisations for a link, take invites, and make three test organisations. Each organisation still "
                "decides by itself."
            ),
            version=row.status,
        )

    def act(self, row: RegisteredApplication, answer: Answer) -> str:
        directory.accept(application_id=row.pk, actor=answer.actor, now=answer.now)
        return _("%(application)s is accepted.") % {"application": row.name}


class RefuseApplication(ApplicationDialog):
    """Refuse a registered application for good."""

    name = "refuse"
    label = gettext_lazy("Refuse…")
    icon = "block"
    is_danger = True
    form_class = ReasonForm
    source = ApplicationStatus.PENDING

    def content(self, request: HttpRequest, rows: Sequence[RegisteredApplication]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Refuse %(application)s") % {"application": rows[0].name},
            button=_("Refuse it"),
            next_step=_("It reads your reason, and can do nothing here. It may register anew."),
            version=rows[0].status,
        )

    def act(self, row: RegisteredApplication, answer: Answer) -> str:
        directory.refuse(
            application_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return _("%(application)s is refused.") % {"application": row.name}


class SuspendApplication(ApplicationDialog):
    """Close an application at every organisation at once."""

    name = "suspend"
    label = gettext_lazy("Suspend…")
    icon = "pause_circle"
    is_danger = True
    form_class = ReasonForm
    source = ApplicationStatus.ACCEPTED

    def content(self, request: HttpRequest, rows: Sequence[RegisteredApplication]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Suspend %(application)s") % {"application": rows[0].name},
            button=_("Suspend the application"),
            typed_text=rows[0].name,
            next_step=_(
                "Its directory secret and its keys at every organisation open nothing from the next request on. What it made "
                "stays. It can be opened again, with the same keys."
            ),
            version=rows[0].status,
        )

    def act(self, row: RegisteredApplication, answer: Answer) -> str:
        directory.suspend(
            application_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return _("%(application)s is suspended.") % {"application": row.name}


class ResumeApplication(ApplicationDialog):
    """Open a suspended application again."""

    name = "resume"
    label = gettext_lazy("Open again…")
    icon = "play_circle"
    form_class = ReasonForm
    source = ApplicationStatus.SUSPENDED

    def content(self, request: HttpRequest, rows: Sequence[RegisteredApplication]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Open %(application)s again") % {"application": rows[0].name},
            button=_("Open it again"),
            next_step=_("The keys that it has open again at once."),
            version=rows[0].status,
        )

    def act(self, row: RegisteredApplication, answer: Answer) -> str:
        directory.resume(
            application_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return _("%(application)s is open.") % {"application": row.name}


class SlugForm(forms.Form):
    """What the organisation is called in addresses; the application's wish may be another's already."""

    slug = forms.CharField(
        label=gettext_lazy("Name in addresses"),
        max_length=50,
        help_text=gettext_lazy("2 to 50 of a-z, 0-9 and hyphen, a letter first. It never changes."),
    )


class AgreeToOrganisation(Dialog):
    """Have a live organisation set up that an application asked for."""

    name = "agree"
    label = gettext_lazy("Set it up…")
    steps_up = True
    icon = "domain_add"
    permission = MANAGE

    def is_offered(self, row: OrganisationRequest) -> bool:
        return row.status == OrganisationRequestStatus.PENDING

    def form(self, request: HttpRequest, rows: Sequence[OrganisationRequest], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        return SlugForm(data, initial={"slug": rows[0].slug})

    def content(self, request: HttpRequest, rows: Sequence[OrganisationRequest]) -> Content:  # noqa: ARG002 (the row says all)
        row = rows[0]
        return Content(
            title=_("Set up %(organisation)s") % {"organisation": row.name},
            button=_("Set it up"),
            about=row.message,
            notices=[
                Notice(
                    _("It is an organisation for real money"),
                    _("Make sure that its owner wants this, and that the address is his."),
                )
            ],
            effects=[
                Effect(_("Asked by"), row.application.name),
                Effect(_("Owner"), f"{row.owner_name}, {row.owner_email}"),
                Effect(_("The application may"), ", ".join(row.scopes)),
            ],
            next_step=_(
                "A worker sets it up within seconds, and its owner is asked to let the application in. A new owner's link is shown this once: "
                "hand it to him yourself."
            ),
            version=row.status,
        )

    def act(self, row: OrganisationRequest, answer: Answer) -> str:
        opened = opening.agree(
            request_id=row.pk, slug=answer.data["slug"], actor=answer.actor, now=answer.now
        )
        tell_link(answer.request, row.owner_email, opened.link)
        return _("%(organisation)s is being set up.") % {"organisation": row.name}


class RefuseOrganisation(Dialog):
    """Refuse to set up an organisation that an application asked for."""

    name = "refuse"
    label = gettext_lazy("Refuse…")
    steps_up = True
    icon = "block"
    permission = MANAGE
    is_danger = True
    form_class = ReasonForm

    def is_offered(self, row: OrganisationRequest) -> bool:
        return row.status == OrganisationRequestStatus.PENDING

    def content(self, request: HttpRequest, rows: Sequence[OrganisationRequest]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Refuse to set up %(organisation)s") % {"organisation": rows[0].name},
            button=_("Refuse it"),
            next_step=_("The application reads your reason. It may ask again."),
            version=rows[0].status,
        )

    def act(self, row: OrganisationRequest, answer: Answer) -> str:
        organisation_requests.refuse(
            request_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return _("%(organisation)s: refused.") % {"organisation": row.name}
