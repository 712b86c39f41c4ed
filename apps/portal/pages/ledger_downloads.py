"""What people take away of the ledger explorer: the chart as it stands on the page, and the statement of an account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.kit import clock, errors
from apps.kit.dialogs import Button, Content, Effect, button
from apps.ledger.selectors import accounts, books, statements
from apps.ledger.selectors.accounts import AccountBalance
from apps.ledger.services.reports import NewReport, ReportName
from apps.portal.forms import INSTANT, BookDatesForm, ChartForm, RangeForm
from apps.portal.pages import frame
from apps.portal.pages.reports import PERMISSION, Download, Wanted
from apps.portal.selectors import chart_of_accounts, words


@dataclass(frozen=True, slots=True)
class WantedStatement:
    """The statement of an account between two days that somebody wants as a file."""

    pk: str
    request: NewReport
    account: AccountBalance
    since: date


class DownloadStatement(Download):
    """Take the statement of one account away, with the opening and the closing balance of the page."""

    def content(self, request: HttpRequest, rows: Sequence[Any]) -> Content:  # noqa: ARG002 (the row says all)
        account, since, asked = rows[0].account, rows[0].since, rows[0].request
        found = statements.latest(account, since=since, as_of=asked.as_of, known_at=asked.known_at, rows=1)
        return Content(
            title=_("Download the statement of %(account)s") % {"account": f"{account.code} {account.name}"},
            button=_("Download"),
            about=words.at_and_known(since=since, as_of=asked.as_of, known_at=asked.known_at),
            effects=[
                Effect(_("Opening balance"), found.opening),
                Effect(_("Debits"), found.debits),
                Effect(_("Credits"), found.credits),
                Effect(_("Closing balance"), found.closing, is_result=True),
            ],
            next_step=_("A job writes the file, with its control totals. You can leave the page meanwhile."),
        )


def chart_form(request: HttpRequest) -> ChartForm:
    """Return what the address of the chart asks for."""
    now = clock.now()
    choices = chart_of_accounts.choices(request.user)
    return ChartForm(request.GET, now=now, today=books.today(now), choices=choices)


def statement_form(request: HttpRequest) -> RangeForm:
    """Return what the address of an account asks for."""
    now = clock.now()
    return RangeForm(request.GET, now=now, today=books.today(now))


def find_chart(request: HttpRequest) -> Wanted:
    """Return the chart that an address asks for; raise NotFound for what its page would refuse."""
    form = chart_form(request)
    _require(request, form)
    part = chart_of_accounts.part(form.cleaned_data)
    asked = NewReport(
        name=ReportName.CHART_OF_ACCOUNTS,
        as_of=form.cleaned_data["as_of"],
        known_at=_known_at(form),
        branch_id=part.branch_id,
        currency=part.currency,
        type=part.type,
        role=part.role,
    )
    return Wanted(f"chart?{request.GET.urlencode()}", asked)


def find_statement(request: HttpRequest, account_uid: UUID) -> WantedStatement:
    """Return the statement that an address asks for; raise NotFound for what its page would refuse or not show."""
    form = statement_form(request)
    _require(request, form)
    account = accounts.get(account_uid, request.user)
    since = form.cleaned_data["since"]
    asked = NewReport(
        name=ReportName.STATEMENT,
        as_of=form.cleaned_data["as_of"],
        known_at=_known_at(form),
        since=since,
        account_uid=account.uid,
    )
    return WantedStatement(f"{account_uid}?{request.GET.urlencode()}", asked, account, since)


def buttons(request: HttpRequest, form: BookDatesForm, *names: Any) -> list[Button]:
    """Return the button that takes away what the page shows, at the very instant that it shows."""
    if not form.is_valid():
        return []
    kind, name = (DownloadStatement, "account") if names else (Download, "chart")
    known_at = timezone.localtime(_known_at(form)).strftime(INSTANT)
    query = {**request.GET.dict(), "as_of": form.cleaned_data["as_of"].isoformat(), "known_at": known_at}
    address = reverse(f"portal-{name}-download", args=names)
    return button(request, kind, None, f"{address}?{urlencode(query)}")


def _known_at(form: BookDatesForm) -> datetime:
    """Return the instant of the figures in whole seconds, as a file states it."""
    known_at: datetime = form.cleaned_data["known_at"] or form.now
    return known_at.replace(microsecond=0)


def _require(request: HttpRequest, form: BookDatesForm) -> None:
    if not request.user.has_perm(PERMISSION):
        raise errors.NotFound(_("There is no such report."))
    if not form.is_valid():
        raise errors.NotFound(_("These dates cannot be read. Open the report again."))


BELOW = "ledger/accounts/"
urlpatterns = [
    path(
        f"{BELOW}do/download/",
        frame.dialog(Download, find=find_chart, back=lambda: reverse("portal-accounts")),
        name="portal-chart-download",
    ),
    path(
        f"{BELOW}<uuid:account_uid>/do/download/",
        frame.dialog(
            DownloadStatement,
            find=find_statement,
            back=lambda account_uid: reverse("portal-account", args=[account_uid]),
        ),
        name="portal-account-download",
    ),
]
