"""The ledger explorer: from the chart of accounts to the entries of one account, at a date and as known at an instant."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.kit.admin import BEFORE
from apps.kit.dialog_admin import exporting
from apps.kit.dialogs import Button, button
from apps.ledger.selectors import accounts as ledger_accounts
from apps.ledger.selectors import books
from apps.portal.forms import ChartForm, RangeForm
from apps.portal.pages import frame, history, ledger_downloads
from apps.portal.selectors import account as account_pages
from apps.portal.selectors import chart_of_accounts, states, words
from apps.tenancy.selectors import organisations

REFUSED = 422


@frame.page("ledger.view")
def accounts(request: HttpRequest) -> HttpResponse:
    form = ledger_downloads.chart_form(request)
    is_valid = form.is_valid()
    asked: dict[str, Any] = form.cleaned_data
    narrowed = form.narrowed()
    return frame.render(
        request,
        "portal/accounts.html",
        title=_("Ledger"),
        status=200 if is_valid else REFUSED,
        form=form,
        **_dates(form, narrowed),
        is_narrowed=bool(narrowed),
        may_import=request.user.has_perm("ledger.chart") and books.is_for_all_branches(request.user),
        chart=chart_of_accounts.page(
            request.user,
            as_of=asked["as_of"],
            known_at=asked["known_at"],
            part=chart_of_accounts.part(asked),
        )
        if is_valid
        else None,
        page_buttons=[*ledger_downloads.buttons(request, form), *_export_button(request)],
        history_url=history.url(request, "portal-chart-history"),
    )


def _books(request: HttpRequest) -> organisations.Organisation:  # noqa: ARG001 (the dialog's own reading asks him)
    return organisations.current()


EXPORT = exporting("ledger_entries")
export = frame.dialog(EXPORT, find=_books, back=lambda: reverse("portal-accounts"))
"""The entries of all accounts that the reader sees, or of those of the chosen role."""


def _export_button(request: HttpRequest) -> list[Button]:
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    address = reverse("portal-ledger-export") + query
    return button(request, EXPORT, organisations.current(), address)


@frame.page("ledger.view")
def account(request: HttpRequest, account_uid: UUID) -> HttpResponse:
    shown = ledger_accounts.get(account_uid, request.user)
    form = ledger_downloads.statement_form(request)
    is_valid = form.is_valid()
    asked: dict[str, Any] = form.cleaned_data
    page = (
        account_pages.page(
            shown.uid,
            request.user,
            since=asked["since"],
            as_of=asked["as_of"],
            known_at=asked["known_at"],
            before=request.GET.get(BEFORE, ""),
        )
        if is_valid
        else None
    )
    return frame.render(
        request,
        "portal/account.html",
        title=f"{shown.code} {shown.name}",
        status=200 if is_valid else REFUSED,
        crumbs=[frame.Crumb(_("Ledger"), reverse("portal-accounts"))],
        form=form,
        **_dates(form),
        account=shown,
        page=page,
        page_buttons=ledger_downloads.buttons(request, form, shown.uid),
        badge=states.ACCOUNT[shown.status],
        pages=frame.Pages(newer="" if page.is_newest else "newest", older=page.older) if page else None,
    )


def _dates(form: ChartForm | RangeForm, narrowed: Iterable[str] = ()) -> dict[str, Any]:
    """Return what a page says of its dates, as far as they can be read, and the query that keeps them on the next page."""
    asked = form.cleaned_data
    known_at = asked.get("known_at")
    said = (
        words.at_and_known(since=asked.get("since"), as_of=asked["as_of"], known_at=known_at)
        if form.is_valid()
        else ""
    )
    return {
        "as_of": asked.get("as_of"),
        "said": ", ".join([said or _("At which day, and as known when"), *narrowed]),
        "is_provisional": account_pages.is_provisional(known_at, now=form.now),
        "dates_query": urlencode(
            {name: form.data[name] for name in ("as_of", "known_at") if form.data.get(name)}
        ),
    }
