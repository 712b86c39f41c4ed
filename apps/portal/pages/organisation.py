"""The settings of the organisation: what it looks like, whose name its messages bear, and in what it counts; and its logo."""

import zoneinfo
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.dates import MONTHS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from apps.access.services import organisation_settings
from apps.documents.contracts import PNG
from apps.documents.services import artifacts, logos, pictures
from apps.kit import storage
from apps.kit.dialogs import Answer, Content, Dialog, ReasonForm, button
from apps.kit.money import EXPONENTS
from apps.ledger.services import periods, regions
from apps.portal.pages import frame, history
from apps.portal.selectors import organisation as shown
from apps.tenancy.contracts import Branding, Region
from apps.tenancy.selectors import branding

MANAGE = "access.manage"
LOGO_HEADERS = {
    "Cache-Control": "public, max-age=86400",
    "Content-Disposition": 'inline; filename="logo.png"',
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Whoever opens it sees a picture and nothing else, on pages of the same host; another logo has another address."""


def find(_request: HttpRequest) -> shown.Settings:
    return shown.settings()


def back(**_names: Any) -> str:
    return reverse("portal-organisation")


class BrandingForm(ReasonForm):
    """Colour and sender names, and what stands at the foot of pay pages."""

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
    tax_number = forms.CharField(
        label=gettext_lazy("Tax number"),
        max_length=20,
        required=False,
        help_text=gettext_lazy("Payers see it on pay pages, as P051234567X."),
    )
    support_contact = forms.CharField(
        label=gettext_lazy("Help for payers"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("A phone number or an e-mail address that payers see on pay pages."),
    )
    field_order = (
        "brand_color", "email_sender", "sms_sender", "tax_number", "support_contact", "reason",
    )  # fmt: skip


class SetBranding(Dialog):
    """Change what the organisation looks like."""

    name = "branding"
    label = gettext_lazy("Branding…")
    icon = "palette"
    permission = MANAGE
    steps_up = True  # tells payers whom to call

    def form(self, request: HttpRequest, rows: Sequence[Any], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        return BrandingForm(
            data, initial={name: getattr(rows[0], name) for name in BrandingForm.field_order[:-1]}
        )

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Branding of %(organisation)s") % {"organisation": rows[0].name},
            button=_("Use it"),
            next_step=_(
                "The portal and new sheets show it at once. Receipts that were drawn stay as they are."
            ),
            version=" ".join(str(getattr(rows[0], name)) for name in BrandingForm.field_order[:-1]),
        )

    def act(self, row: Any, answer: Answer) -> str:  # noqa: ARG002 (there is one organisation)
        organisation_settings.set_branding(
            branding=Branding(*(answer.data[name] for name in BrandingForm.field_order[:-1])),
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("The branding is in use.")


class LogoForm(ReasonForm):
    """The picture."""

    logo = forms.FileField(
        label=gettext_lazy("Picture"),
        help_text=gettext_lazy(
            "PNG or JPEG, 1 MB at most, each side of 32 to 2,000 pixels. It is drawn on white."
        ),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg", "data-picture": ""}),
    )
    field_order = ("logo", "reason")

    def clean_logo(self) -> UploadedFile:
        chosen: UploadedFile = self.cleaned_data["logo"]
        if (chosen.size or 0) > pictures.BYTES_MAX:
            raise forms.ValidationError(_("A logo has 1 MB at most."))
        return chosen


class SetLogo(Dialog):
    """Choose the picture that stands for the organisation."""

    name = "logo"
    label = gettext_lazy("Logo…")
    icon = "image"
    permission = MANAGE

    def form(self, request: HttpRequest, rows: Sequence[Any], data: Any = None) -> forms.Form:  # noqa: ARG002 (there is one organisation)
        return LogoForm() if data is None else LogoForm(data, request.FILES)

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Logo of %(organisation)s") % {"organisation": rows[0].name},
            button=_("Use it"),
            next_step=_(
                "It is drawn anew, so that nothing else of the file is kept. The portal and new sheets show it at once; receipts "
                "that were drawn stay as they are."
            ),
            version=rows[0].look.logo_path,
        )

    def act(self, row: Any, answer: Answer) -> str:  # noqa: ARG002 (there is one organisation)
        logos.change(
            content=answer.data["logo"].read(),
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("The logo is in use.")


class RemoveLogo(Dialog):
    """Let the initials stand for the organisation again."""

    name = "remove-logo"
    label = gettext_lazy("Remove the logo…")
    icon = "hide_image"
    permission = MANAGE
    form_class = ReasonForm

    def is_offered(self, row: shown.Settings) -> bool:
        return row.look.logo is not None

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Remove the logo of %(organisation)s") % {"organisation": rows[0].name},
            button=_("Remove it"),
            next_step=_("The initials stand in its place. Receipts that were drawn stay as they are."),
            version=rows[0].look.logo_path,
        )

    def act(self, row: Any, answer: Answer) -> str:  # noqa: ARG002 (there is one organisation)
        logos.remove(reason=answer.data["reason"], actor=answer.actor, now=answer.now)
        return _("The logo is removed.")


class YearForm(ReasonForm):
    """The month."""

    fiscal_year_start = forms.TypedChoiceField(
        label=gettext_lazy("The fiscal year begins in"), choices=list(MONTHS.items()), coerce=int
    )
    field_order: tuple[str, ...] = ("fiscal_year_start", "reason")


class RegionForm(YearForm):
    """Currency, zone and month."""

    base_currency = forms.ChoiceField(
        label=gettext_lazy("Base currency"), choices=[(code, code) for code in sorted(EXPONENTS)]
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=[(name, name) for name in sorted(zoneinfo.available_timezones()) if "/" in name],
    )
    field_order = ("base_currency", "time_zone", "fiscal_year_start", "reason")


class SetRegion(Dialog):
    """Change currency, zone and fiscal year before anything is booked."""

    name = "region"
    label = gettext_lazy("Currency, zone and year…")
    icon = "public"
    permission = MANAGE

    def is_offered(self, row: shown.Settings) -> bool:
        return not row.is_book_open

    def form(self, request: HttpRequest, rows: Sequence[Any], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        names = ("base_currency", "time_zone", "fiscal_year_start")
        return RegionForm(data, initial={name: getattr(rows[0], name) for name in names})

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Currency, time zone and fiscal year"),
            button=_("Count in these"),
            next_step=_(
                "The first booking opens the book in them. Currency and zone stay for good then, the month from the first year that is opened."
            ),
            version=f"{rows[0].base_currency} {rows[0].time_zone} {rows[0].fiscal_year_start}",
        )

    def act(self, row: Any, answer: Answer) -> str:  # noqa: ARG002 (there is one organisation)
        regions.change(
            region=Region(
                answer.data["base_currency"], answer.data["time_zone"], answer.data["fiscal_year_start"]
            ),
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("Currency, time zone and fiscal year are set.")


class SetFiscalYear(Dialog):
    """Change the month in which years begin while the book has none yet."""

    name = "fiscal-year"
    label = gettext_lazy("Fiscal year…")
    icon = "calendar_month"
    permission = MANAGE

    def is_offered(self, row: shown.Settings) -> bool:
        return row.is_book_open and not row.has_periods

    def form(self, request: HttpRequest, rows: Sequence[Any], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        return YearForm(data, initial={"fiscal_year_start": rows[0].fiscal_year_start})

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Fiscal year of %(organisation)s") % {"organisation": rows[0].name},
            button=_("Begin years so"),
            next_step=_("It stays so once the first year of the book is opened, on the page of the periods."),
            version=str(rows[0].fiscal_year_start),
        )

    def act(self, row: Any, answer: Answer) -> str:  # noqa: ARG002 (there is one organisation)
        periods.set_fiscal_year_start(
            month=answer.data["fiscal_year_start"],
            reason=answer.data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        return _("The fiscal year is set.")


@frame.page("access.view")
def show(request: HttpRequest) -> HttpResponse:
    settings = shown.settings()
    buttons = [
        shown_button
        for kind, url in (
            (SetBranding, "portal-branding"),
            (SetLogo, "portal-set-logo"),
            (RemoveLogo, "portal-remove-logo"),
            (SetRegion, "portal-region"),
            (SetFiscalYear, "portal-fiscal-year"),
        )
        for shown_button in button(request, kind, settings, reverse(url))
    ]
    return frame.render(
        request,
        "portal/organisation.html",
        title=_("Organisation"),
        settings=settings,
        page_buttons=buttons,
        history_url=history.url(request, "portal-organisation-history"),
    )


@require_safe
def logo(request: HttpRequest, logo_id: UUID) -> HttpResponse:  # noqa: ARG001 (who asks does not matter)
    """Give the present logo of the organisation whose host this is, to anybody: it stands on the page to sign in at, too."""
    own = branding.present().logo
    if own is None or own.file_id != logo_id:
        return HttpResponse(status=404)
    try:
        content = artifacts.read(file_id=logo_id)
    except (storage.FileDamaged, storage.StorageUnavailable) as refusal:
        return HttpResponse(status=refusal.status)
    return HttpResponse(content, content_type=PNG, headers=LOGO_HEADERS)


logo.permission = ""  # type: ignore[attr-defined]

BELOW = "organisation-settings/"
urlpatterns = [
    path("logo/<uuid:logo_id>.png", logo, name=branding.LOGO),
    path(f"{BELOW}do/logo/", frame.dialog(SetLogo, find=find, back=back), name="portal-set-logo"),
    path(
        f"{BELOW}do/remove-logo/", frame.dialog(RemoveLogo, find=find, back=back), name="portal-remove-logo"
    ),
    path(BELOW, show, name="portal-organisation"),
    path(f"{BELOW}do/branding/", frame.dialog(SetBranding, find=find, back=back), name="portal-branding"),
    path(f"{BELOW}do/region/", frame.dialog(SetRegion, find=find, back=back), name="portal-region"),
    path(
        f"{BELOW}do/fiscal-year/",
        frame.dialog(SetFiscalYear, find=find, back=back),
        name="portal-fiscal-year",
    ),
]
