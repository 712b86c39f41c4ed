"""What became of settings, as the database itself kept it: of one row, of the chart of accounts, of the organisation."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _

from apps.portal.pages import frame
from apps.portal.selectors import history

PERMISSION = history.PERMISSION


def url_of(request: HttpRequest, row: Any) -> str:
    """Return the address of the history of a row on the organisation's site; nothing for who may not read it, or if there is none."""
    if not history.is_kept(row._meta.db_table) or not request.user.has_perm(PERMISSION):
        return ""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_history", args=[row.pk])


def url(request: HttpRequest, name: str) -> str:
    """Return the address of a history of the whole organisation; nothing for who may not read it."""
    return reverse(name) if history.may_read_all(request.user) else ""


def of_row(request: HttpRequest, row: Any, heading: str) -> HttpResponse:
    """Answer with what became of a row which the reader may see."""
    options = row._meta
    if not request.user.has_perm(PERMISSION):
        return frame.forbidden(request, PERMISSION)
    name = f"admin:{options.app_label}_{options.model_name}"
    crumbs = [
        frame.Crumb(str(options.verbose_name_plural).capitalize(), reverse(f"{name}_changelist")),
        frame.Crumb(heading, reverse(f"{name}_change", args=[row.pk])),
    ]
    return _answer(request, history.of_row(options.db_table, row.pk), crumbs)


@frame.page(PERMISSION)
def of_organisation(request: HttpRequest) -> HttpResponse:
    """Answer with what became of the organisation's own settings."""
    crumbs = [frame.Crumb(_("Organisation"), reverse("portal-organisation"))]
    return _answer(request, history.of_organisation(request.user), crumbs)


@frame.page(PERMISSION)
def of_chart(request: HttpRequest) -> HttpResponse:
    """Answer with what became of the chart of accounts and of the book's settings."""
    crumbs = [frame.Crumb(_("Ledger"), reverse("portal-accounts"))]
    return _answer(request, history.of_chart(request.user), crumbs)


def _answer(request: HttpRequest, rows: QuerySet[Any], crumbs: Sequence[frame.Crumb]) -> HttpResponse:
    request.current_app = admin.site.name
    shown, pages = frame.keyset(request, rows)
    return frame.render(
        request,
        "portal/history.html",
        title=_("History"),
        crumbs=crumbs,
        rows=history.lines(shown, request.user),
        pages=pages,
    )


urlpatterns = [
    path("organisation-settings/history/", of_organisation, name="portal-organisation-history"),
    path("ledger/chart/history/", of_chart, name="portal-chart-history"),
]
