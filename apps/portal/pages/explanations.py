"""Explain: what a balance and a transaction rest on, what nothing proves, and what changed since a report was made."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kit import clock
from apps.ledger.selectors import balances, books
from apps.portal.forms import INSTANT, BookDatesForm, InstantField, RangeForm
from apps.portal.pages import frame
from apps.portal.pages.reports import BELOW, PERMISSION, REFUSED, tabs
from apps.portal.selectors import explanations, words


class ChangesForm(BookDatesForm):
    """Which report, and up to which later instant: without the first instant nothing is asked for."""

    until = InstantField(gettext_lazy("Until"), gettext_lazy("Now, if empty."))
    field_order = ["as_of", "known_at", "until"]


@frame.page(PERMISSION)
def figure(request: HttpRequest, account_uid: UUID) -> HttpResponse:
    form = _form(request, RangeForm)
    asked: dict[str, Any] = form.cleaned_data
    page = None
    if form.is_valid():
        page = explanations.figure(
            account_uid,
            request.user,
            may=request.user.has_perm,
            since=asked["since"],
            as_of=asked["as_of"],
            known_at=_known_at(form),
            after=request.GET.get("after", ""),
        )
    return frame.render(
        request,
        "portal/explain_figure.html",
        title=_("Explain %(account)s") % {"account": f"{page.account.code} {page.account.name}"}
        if page
        else _("Explain"),
        status=200 if page else REFUSED,
        crumbs=[frame.Crumb(_("Ledger"), reverse("portal-accounts"))],
        page=page,
        **_asked(form),
    )


@frame.page(PERMISSION)
def transaction(request: HttpRequest, transaction_uid: UUID) -> HttpResponse:
    row = explanations.transaction(transaction_uid, request.user, may=request.user.has_perm)
    return frame.render(
        request,
        "portal/explain_transaction.html",
        title=_("Explain %(account)s") % {"account": row.number},
        crumbs=[
            frame.Crumb(_("Ledger"), reverse("portal-accounts")),
            frame.Crumb(row.number, reverse("portal-transaction", args=[row.uid])),
        ],
        row=row,
    )


@frame.page(PERMISSION)
def unproven(request: HttpRequest) -> HttpResponse:
    form = _form(request, BookDatesForm)
    page = None
    if form.is_valid():
        page = explanations.unproven(
            request.user,
            may=request.user.has_perm,
            as_of=form.cleaned_data["as_of"],
            known_at=_known_at(form),
            after=request.GET.get("after", ""),
        )
    said = _asked(form)
    return frame.render(
        request,
        "portal/unproven.html",
        title=_("Without evidence"),
        status=200 if page else REFUSED,
        tabs=tabs("without-evidence", said["query"]),
        page=page,
        **said,
    )


@frame.page(PERMISSION)
def changed(request: HttpRequest) -> HttpResponse:
    """Answer with what was posted after the instant of a report; its address is that of a tab of the report."""
    form = _form(request, ChangesForm)
    is_valid = form.is_valid()
    asked: dict[str, Any] = form.cleaned_data
    is_asked = is_valid and asked["known_at"] is not None
    rows: list[Any] = []
    pages = frame.Pages()
    if is_asked:
        found = explanations.changed(
            request.user, as_of=asked["as_of"], known_at=asked["known_at"], until=asked["until"]
        )
        rows, pages = frame.keyset(request, found)
    said = _asked(form)
    return frame.render(
        request,
        "portal/changes.html",
        title=_("What changed since"),
        status=200 if is_valid else REFUSED,
        tabs=tabs("changes", said["query"]),
        is_asked=is_asked,
        rows=explanations.changes_of(rows),
        pages=pages,
        **said,
    )


def _form[Form: BookDatesForm](request: HttpRequest, kind: type[Form]) -> Form:
    now = clock.now()
    form = kind(request.GET, now=now, today=books.today(now))
    form.is_valid()
    return form


def _known_at(form: BookDatesForm) -> datetime:
    """Return the instant that is asked for, in whole seconds as an address says it."""
    known_at: datetime = form.cleaned_data["known_at"] or form.now
    return known_at.replace(microsecond=0)


def _asked(form: BookDatesForm) -> dict[str, Any]:
    """Return what a page says of its dates; ``query`` asks for the same again."""
    if not form.is_valid():
        return {
            "form": form,
            "said": _("At which day, and as known when"),
            "is_provisional": False,
            "query": "",
        }
    asked = form.cleaned_data
    since = {"since": asked["since"].isoformat()} if asked.get("since") else {}
    known_at = _known_at(form)
    instant = timezone.localtime(known_at).strftime(INSTANT)
    return {
        "form": form,
        "said": words.at_and_known(
            since=asked.get("since"), as_of=asked["as_of"], known_at=asked["known_at"]
        ),
        "is_provisional": not balances.is_settled(known_at, now=form.now),
        "query": urlencode({**since, "as_of": asked["as_of"].isoformat(), "known_at": instant}),
    }


urlpatterns = [
    path("ledger/accounts/<uuid:account_uid>/explain/", figure, name="portal-explain-account"),
    path(
        "ledger/transactions/<uuid:transaction_uid>/explain/", transaction, name="portal-explain-transaction"
    ),
    path(f"{BELOW}without-evidence/", unproven, name="portal-without-evidence"),
    path(f"{BELOW}changes/", changed, name="portal-changes"),
]
