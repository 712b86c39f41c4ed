"""Exchange rates: which one holds, what waits for a second person, the history of a pair, and a rate by hand."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit import clock
from apps.kit.dialogs import REASON_MAX, Answer, Content, Dialog, button
from apps.ledger.selectors import books
from apps.ledger.selectors.rates import functional_currency
from apps.ledger.services import rates
from apps.portal.forms import InstantField
from apps.portal.pages import frame
from apps.portal.pages.reports import Tab
from apps.portal.selectors import rates as rate_pages
from apps.tenancy.selectors import organisations

PERMISSION = "ledger.view"
CURRENCY = 3


@frame.page(PERMISSION)
def show(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    pair = request.GET.get("pair", "")
    rows, pages = frame.keyset(request, rate_pages.recorded(pair))
    names = [f"{base}/{quote}" for base, quote in rate_pages.pairs()]
    return frame.render(
        request,
        "portal/rates.html",
        title=_("Exchange rates"),
        now=now,
        max_days=rate_pages.max_age().days,
        standing=rate_pages.standing(now=now),
        waiting=rate_pages.waiting(request.user) if request.user.has_perm("approvals.view") else (),
        tabs=[Tab(name or _("All"), f"?pair={name}" if name else "?", name == pair) for name in ("", *names)],
        lines=rate_pages.lines(rows),
        pages=pages,
        page_buttons=button(request, RecordRate, None, reverse("portal-rate-record")),
    )


class RateForm(forms.Form):
    """What one unit of a currency is worth, as somebody said it."""

    base = forms.CharField(label=gettext_lazy("One unit of"), max_length=CURRENCY, min_length=CURRENCY)
    quote = forms.CharField(
        label=gettext_lazy("is worth so many of"), max_length=CURRENCY, min_length=CURRENCY
    )
    rate = forms.CharField(
        label=gettext_lazy("Rate"), max_length=60, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    as_of = InstantField(gettext_lazy("As of"), gettext_lazy("When it was said. Now, if empty."))
    source = forms.CharField(
        label=gettext_lazy("Source"),
        help_text=gettext_lazy("Who said it, as CBK."),
        max_length=rates.SOURCE_MAX,
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=REASON_MAX, required=False)


class RecordRate(Dialog):
    """Record a rate by hand; one that is far from the last waits for another person."""

    name = "record-rate"
    label = gettext_lazy("Record a rate…")
    icon = "add"
    permission = "ledger.rates"

    def form(self, request: HttpRequest, rows: Sequence[Any], data: Any = None) -> forms.Form:  # noqa: ARG002 (there is one list)
        return RateForm(data, initial={"quote": functional_currency()})

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the form says all)
        return Content(
            title=_("Record a rate"),
            button=_("Record it"),
            next_step=_(
                "It holds from its time on and is not corrected: a later one follows it. "
                "More than 5 % off the last one, it waits for another person."
            ),
        )

    def act(self, row: Any, answer: Answer) -> str:  # noqa: ARG002 (there is one list)
        data = answer.data
        rates.require_own_source(data["source"])
        recorded = rates.record(
            base=data["base"].upper(),
            quote=data["quote"].upper(),
            rate=rates.parsed(data["rate"]),
            as_of=data["as_of"] or answer.now,
            source=data["source"],
            reason=data["reason"],
            actor=answer.actor,
            now=answer.now,
        )
        if recorded.approval_id is not None:
            return _("The rate is far from the last one: another person decides.")
        return _("The rate is recorded.")


def _books(request: HttpRequest) -> organisations.Organisation:
    """Rates hold for all branches, and so must who records one work for all of them."""
    books.require_all_branches(request.user)
    return organisations.current()


urlpatterns = [
    path("ledger/rates/", show, name="portal-rates"),
    path(
        "ledger/rates/do/record-rate/",
        frame.dialog(RecordRate, find=_books, back=lambda: reverse("portal-rates")),
        name="portal-rate-record",
    ),
]
