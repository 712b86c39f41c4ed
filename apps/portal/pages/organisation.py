"""The settings of the organisation: what it looks like, whose name its messages bear, and in what it counts."""

import zoneinfo
from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.services import organisation_settings
from apps.kit.dialogs import Answer, Content, Dialog, ReasonForm, button
from apps.kit.money import EXPONENTS
from apps.ledger.services import regions
from apps.portal.pages import frame
from apps.portal.selectors import organisation as shown
from apps.tenancy.contracts import Branding

MANAGE = "access.manage"


def find(_request: HttpRequest) -> shown.Settings:
    return shown.settings()


def back(**_names: Any) -> str:
    return reverse("portal-organisation")


class BrandingForm(ReasonForm):
    """Colour and sender names."""

    brand_color = forms.CharField(
        label=gettext_lazy("Colour"),
        max_length=7,
        help_text=gettext_lazy("# and six hex digits. It must be seen well on white paper."),
    )
    email_sender = forms.CharField(
        label=gettext_lazy("Sender of e-mails"),
        max_length=64,
        required=False,
        help_text=gettext_lazy("Empty: the name of the organisation."),
    )
    sms_sender = forms.CharField(
        label=gettext_lazy("Sender of SMS"),
        max_length=11,
        required=False,
        help_text=gettext_lazy("11 letters and digits at most, as it was registered with the networks."),
    )
    field_order = ("brand_color", "email_sender", "sms_sender", "reason")


class SetBranding(Dialog):
    """Change what the organisation looks like."""

    name = "branding"
    label = gettext_lazy("Branding…")
    icon = "palette"
    permission = MANAGE

    def form(self, request: HttpRequest, rows: Sequence[Any], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        return BrandingForm(
            data, initial={name: getattr(rows[0], name) for name in BrandingForm.field_order[:3]}
        )

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Branding of %(organisation)s") % {"organisation": rows[0].name},
            button=_("Use it"),
            next_step=_(
                "The portal and new sheets show it at once. Receipts that were drawn stay as they are."
            ),
            version=f"{rows[0].brand_color} {rows[0].email_sender} {rows[0].sms_sender}",
        )

    def act(self, row: Any, answer: Answer) -> str:  # noqa: ARG002 (there is one organisation)
        organisation_settings.set_branding(
            branding=Branding(
                answer.data["brand_color"], answer.data["email_sender"], answer.data["sms_sender"]
            ),
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("The branding is in use.")


class RegionForm(ReasonForm):
    """Currency and zone."""

    base_currency = forms.ChoiceField(
        label=gettext_lazy("Base currency"), choices=[(code, code) for code in sorted(EXPONENTS)]
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=[(name, name) for name in sorted(zoneinfo.available_timezones()) if "/" in name],
    )
    field_order = ("base_currency", "time_zone", "reason")


class SetRegion(Dialog):
    """Change currency and zone before anything is booked."""

    name = "region"
    label = gettext_lazy("Currency and zone…")
    icon = "public"
    permission = MANAGE

    def is_offered(self, row: shown.Settings) -> bool:
        return not row.is_book_open

    def form(self, request: HttpRequest, rows: Sequence[Any], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        return RegionForm(
            data, initial={"base_currency": rows[0].base_currency, "time_zone": rows[0].time_zone}
        )

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Currency and time zone"),
            button=_("Count in these"),
            next_step=_("The first booking opens the book in them; they stay for good then."),
            version=f"{rows[0].base_currency} {rows[0].time_zone}",
        )

    def act(self, row: Any, answer: Answer) -> str:  # noqa: ARG002 (there is one organisation)
        regions.change(
            base_currency=answer.data["base_currency"],
            time_zone=answer.data["time_zone"],
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("Currency and time zone are set.")


@frame.page("access.view")
def show(request: HttpRequest) -> HttpResponse:
    settings = shown.settings()
    buttons = [
        shown_button
        for kind, url in ((SetBranding, "portal-branding"), (SetRegion, "portal-region"))
        for shown_button in button(request, kind, settings, reverse(url))
    ]
    return frame.render(
        request,
        "portal/organisation.html",
        title=_("Organisation"),
        settings=settings,
        page_buttons=buttons,
    )


BELOW = "organisation-settings/"
urlpatterns = [
    path(BELOW, show, name="portal-organisation"),
    path(f"{BELOW}do/branding/", frame.dialog(SetBranding, find=find, back=back), name="portal-branding"),
    path(f"{BELOW}do/region/", frame.dialog(SetRegion, find=find, back=back), name="portal-region"),
]
