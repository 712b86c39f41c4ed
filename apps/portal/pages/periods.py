"""Periods: the years of the book, and the page on which one is signed off, closed and opened again."""

from collections.abc import Mapping
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _

from apps.kit import clock
from apps.kit.dialogs import Button, Dialog, button
from apps.ledger.contracts import REVALUATION_DONE
from apps.ledger.selectors import books
from apps.portal.pages import book_dialogs, frame
from apps.portal.pages import period_dialogs as dialogs
from apps.portal.pages.revaluations import Revalue
from apps.portal.selectors import period_lists, periods

PERMISSION = "ledger.view"
OF_PERIOD = (dialogs.Announce, dialogs.Resume, dialogs.Close, dialogs.Reopen)
OF_SLOT = (dialogs.SignOff, dialogs.TakeBack)
OF_BOOK = (book_dialogs.SetLateItems, book_dialogs.OpenYear)


@frame.page(PERMISSION)
def index(request: HttpRequest) -> HttpResponse:
    return frame.render(
        request,
        "portal/periods.html",
        title=_("Periods"),
        listing=period_lists.listing(request.GET.get("year", ""), request.user, now=clock.now()),
        has_book=books.of_organisation() is not None,
        page_buttons=_book_buttons(request),
    )


@frame.page(PERMISSION)
def show(request: HttpRequest, period_id: UUID) -> HttpResponse:
    shown = periods.page(period_id, request.user, now=clock.now())
    return frame.render(
        request,
        "portal/period.html",
        title=shown.line.title,
        crumbs=[frame.Crumb(_("Periods"), reverse("portal-periods"))],
        page=shown,
        line=shown.line,
        page_buttons=_period_buttons(request, shown),
        steps=[
            (condition, [] if shown.under_way else _step_buttons(request, period_id, condition))
            for condition in shown.conditions
        ],
    )


@frame.page(PERMISSION)
def progress(request: HttpRequest, period_id: UUID) -> HttpResponse:
    """Answer with the card of a close that is under way; once it has ended the whole page is asked for again."""
    attempt = periods.under_way(period_id)
    facts = {"attempt": attempt, "period_id": period_id}
    response = render(request, "portal/parts/period_progress.html", facts)
    if attempt is None:
        response["HX-Refresh"] = "true"
    return response


def _may_decide(request: HttpRequest) -> bool:
    """Say whether to show buttons; the dialogs ask all the same."""
    return request.user.has_perm(dialogs.BookDialog.permission) and books.is_for_all_branches(request.user)


def _book_buttons(request: HttpRequest) -> list[Button]:
    book = books.of_organisation()
    if book is None or not _may_decide(request):
        return []
    return [
        each for kind in OF_BOOK for each in button(request, kind, book, reverse(f"portal-book-{kind.name}"))
    ]


def _period_buttons(request: HttpRequest, shown: periods.PeriodPage) -> list[Button]:
    """Return what can be done now: a close that would be refused and a reopening of an older period are not offered."""
    if not _may_decide(request) or shown.under_way:
        return []
    is_possible: Mapping[type[Dialog], bool] = {
        dialogs.Close: shown.is_ready,
        dialogs.Reopen: shown.is_last_closed and shown.reopening is None,
    }
    period = dialogs.find_period(request, shown.line.uid)
    return [
        each
        for kind in OF_PERIOD
        if is_possible.get(kind, True)
        for each in button(request, kind, period, reverse(f"portal-period-{kind.name}", args=[period.uid]))
    ]


def _step_buttons(request: HttpRequest, period_id: UUID, condition: periods.Condition) -> list[Button]:
    """Return what meets a step here and now: the booking that it waits for, and the signature of a person."""
    return _mending(request, period_id, condition) + _slot_buttons(request, period_id, condition)


def _mending(request: HttpRequest, period_id: UUID, condition: periods.Condition) -> list[Button]:
    if condition.name != REVALUATION_DONE.name or condition.is_met:
        return []
    if not books.is_for_all_branches(request.user):
        return []
    period = dialogs.find_period(request, period_id)
    return button(request, Revalue, period, reverse("portal-period-revalue", args=[period_id]))


def _slot_buttons(request: HttpRequest, period_id: UUID, condition: periods.Condition) -> list[Button]:
    if condition.kind is None or not _may_decide(request):
        return []
    is_signed = condition.signature is not None and condition.signature.is_signed
    wanted = {dialogs.SignOff: not condition.is_met, dialogs.TakeBack: is_signed}
    return [
        Button(
            kind.label,
            kind.icon,
            reverse(f"portal-period-{kind.name}", args=[period_id, condition.name]),
            kind.is_danger,
        )
        for kind in OF_SLOT
        if wanted[kind]
    ]


BELOW = "ledger/periods/"
urlpatterns = [
    path(BELOW, index, name="portal-periods"),
    path(f"{BELOW}<uuid:period_id>/", show, name="portal-period"),
    path(f"{BELOW}<uuid:period_id>/progress", progress, name="portal-period-progress"),
    *(
        path(
            f"{BELOW}do/{kind.name}/",
            frame.dialog(kind, find=book_dialogs.find_book, back=book_dialogs.list_page),
            name=f"portal-book-{kind.name}",
        )
        for kind in OF_BOOK
    ),
    *(
        path(
            f"{BELOW}<uuid:period_id>/do/{kind.name}/",
            frame.dialog(kind, find=dialogs.find_period, back=dialogs.page_of),
            name=f"portal-period-{kind.name}",
        )
        for kind in (*OF_PERIOD, Revalue)
    ),
    *(
        path(
            f"{BELOW}<uuid:period_id>/do/{kind.name}/<str:kind>/",
            frame.dialog(kind, find=dialogs.find_slot, back=dialogs.page_of),
            name=f"portal-period-{kind.name}",
        )
        for kind in OF_SLOT
    ),
]
