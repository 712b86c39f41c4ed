"""What the platform's operators do with organisations: open, try again, suspend, resume, limit their requests."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit.dialogs import Answer, Content, Dialog, ReasonForm
from apps.tenancy.contracts import NewOrganisation
from apps.tenancy.models import Organisation, OrganisationStatus
from apps.tenancy.models.organisation import RATE_MAX
from apps.tenancy.services import organisations, provisionings
from treasury import opening
from treasury.platform.dialogs import MANAGE, tell_link


class OpenForm(ReasonForm):
    """What an organisation is called, and who owns it."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    slug = forms.CharField(
        label=gettext_lazy("Name in addresses"),
        max_length=50,
        help_text=gettext_lazy("2 to 50 of a-z, 0-9 and hyphen, a letter first. It never changes."),
    )
    is_test = forms.BooleanField(
        label=gettext_lazy("Test organisation"),
        required=False,
        help_text=gettext_lazy("With the simulator as its providers: no real money."),
    )
    owner_email = forms.EmailField(label=gettext_lazy("E-mail of its owner"), max_length=254)
    owner_name = forms.CharField(label=gettext_lazy("Name of its owner"), max_length=120)

    field_order = ("name", "slug", "is_test", "owner_email", "owner_name", "reason")


class RatesForm(ReasonForm):
    """How many requests a second an organisation may make."""

    requests_per_second = forms.IntegerField(
        label=gettext_lazy("Requests a second"),
        required=False,
        min_value=1,
        max_value=RATE_MAX,
        help_text=gettext_lazy("Of all its keys together. Empty: as many as anybody's."),
    )
    money_per_second = forms.IntegerField(
        label=gettext_lazy("Of them, that move money"),
        required=False,
        min_value=1,
        max_value=RATE_MAX,
        help_text=gettext_lazy("Empty: bounded by its keys alone."),
    )
    field_order = ("requests_per_second", "money_per_second", "reason")


class OpenOrganisation(Dialog):
    """Have a new organisation set up."""

    name = "open"
    label = gettext_lazy("New organisation…")
    icon = "add"
    permission = MANAGE
    steps_up = True
    on_list = True
    form_class = OpenForm
    made: Any = None

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (there is no row yet)
        return Content(
            title=_("New organisation"),
            button=_("Set it up"),
            next_step=_(
                "A worker makes its schema, chart of accounts, roles and first approval rules within seconds. The page of the "
                "organisation shows how far it is. A new owner's link is shown this once."
            ),
        )

    def perform(self, rows: Sequence[Any], answer: Answer) -> list[str]:  # noqa: ARG002 (there is no row yet)
        given = answer.data
        opened = opening.ask(
            new=NewOrganisation(given["slug"], given["name"], is_test=given["is_test"]),
            owner_email=given["owner_email"],
            owner_name=given["owner_name"],
            actor=answer.actor,
            now=answer.now,
            reason=given["reason"],
        )
        self.made = opened.provisioning.organisation_id
        tell_link(answer.request, given["owner_email"], opened.link)
        return [_("%(organisation)s is being set up.") % {"organisation": given["name"]}]

    def landing(self, request: HttpRequest, rows: Sequence[Any]) -> str:  # noqa: ARG002 (the new one's page)
        return reverse("platform:tenancy_organisation_change", args=[self.made]) if self.made else ""


class TryAgain(Dialog):
    """Go on with a setting up that has failed."""

    name = "try-again"
    label = gettext_lazy("Try again…")
    icon = "refresh"
    permission = MANAGE
    steps_up = True
    form_class = ReasonForm

    def is_offered(self, row: Any) -> bool:
        return row.has_failed

    def content(self, request: HttpRequest, rows: Sequence[Organisation]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Set %(organisation)s up") % {"organisation": rows[0].name},
            button=_("Try again"),
            next_step=_("It goes on where it stopped. Find out first what was in the way."),
        )

    def act(self, row: Organisation, answer: Answer) -> str:
        provisionings.ask_again(
            organisation_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return _("%(organisation)s is being set up.") % {"organisation": row.name}


class SuspendOrganisation(Dialog):
    """Close an organisation to its people and products."""

    name = "suspend"
    label = gettext_lazy("Suspend…")
    icon = "pause_circle"
    permission = MANAGE
    steps_up = True
    is_danger = True
    form_class = ReasonForm

    def is_offered(self, row: Organisation) -> bool:
        return row.status == OrganisationStatus.READY

    def content(self, request: HttpRequest, rows: Sequence[Organisation]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Suspend %(organisation)s") % {"organisation": rows[0].name},
            button=_("Suspend the organisation"),
            typed_text=rows[0].slug,
            next_step=_(
                "The next request of its people and products is refused. Payments that are under way are finished and booked, "
                "callbacks are taken, webhooks delivered. It can be opened again at any time."
            ),
        )

    def act(self, row: Organisation, answer: Answer) -> str:
        organisations.suspend(
            organisation_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return _("%(organisation)s is suspended.") % {"organisation": row.name}


class ResumeOrganisation(Dialog):
    """Open a suspended organisation again."""

    name = "resume"
    label = gettext_lazy("Open again…")
    icon = "play_circle"
    permission = MANAGE
    steps_up = True
    form_class = ReasonForm

    def is_offered(self, row: Organisation) -> bool:
        return row.status == OrganisationStatus.SUSPENDED

    def content(self, request: HttpRequest, rows: Sequence[Organisation]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Open %(organisation)s again") % {"organisation": rows[0].name},
            button=_("Open the organisation"),
            next_step=_("Its people and products are let in from their next request on."),
        )

    def act(self, row: Organisation, answer: Answer) -> str:
        organisations.resume(
            organisation_id=row.pk, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        return _("%(organisation)s is open.") % {"organisation": row.name}


class LimitRequests(Dialog):
    """Say how many requests a second an organisation may make."""

    name = "limit-requests"
    label = gettext_lazy("Limit requests…")
    icon = "speed"
    permission = MANAGE
    steps_up = True

    def is_offered(self, row: Organisation) -> bool:
        return row.status in (OrganisationStatus.READY, OrganisationStatus.SUSPENDED)

    def form(self, request: HttpRequest, rows: Sequence[Organisation], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        present = {name: getattr(rows[0], name) for name in ("requests_per_second", "money_per_second")}
        return RatesForm(data, initial=present)

    def content(self, request: HttpRequest, rows: Sequence[Organisation]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Limit the requests of %(organisation)s") % {"organisation": rows[0].name},
            button=_("Set the limits"),
            next_step=_(
                "They hold from the next request on, four seconds of them at once. What is beyond is told when to ask again."
            ),
        )

    def act(self, row: Organisation, answer: Answer) -> str:
        organisations.set_rates(
            organisation_id=row.pk,
            requests_per_second=answer.data["requests_per_second"],
            money_per_second=answer.data["money_per_second"],
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("%(organisation)s: changed.") % {"organisation": row.name}
