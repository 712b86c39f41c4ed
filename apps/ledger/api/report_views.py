"""Reports over the API: as JSON of a bounded size, and as files that a job makes."""

from datetime import date, datetime
from typing import Any, ClassVar, cast

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Caller
from apps.jobs.services.jobs import Job
from apps.kit import clock
from apps.kit.pagination import UidPagination
from apps.kit.views import TreasuryViewSet
from apps.ledger.api import booking_serializers
from apps.ledger.api import report_serializers as serializers
from apps.ledger.models import Transaction
from apps.ledger.selectors import books, explanations, transactions
from apps.ledger.selectors.reports import balance_sheet, changes, ledger_pages, profit_and_loss, trial_balance
from apps.ledger.selectors.reports.general_ledger import TooManyEntries
from apps.ledger.services import reports
from apps.ledger.services.reports import NewReport, ReportFormat, ReportName

ROWS_MAX = 5_000
READ: Any = {"methods": ["get"], "detail": False, "filterset_class": None, "pagination_class": None}


class ReportViewSet(TreasuryViewSet):
    """
    Reports on the key's branch, or on all of them, at the end of a day and as known at an instant.

    The same two times give the same figures for ever, here and in a file.
    """

    queryset = Transaction.objects.none()
    id_prefix = "job"
    required_scopes: ClassVar[dict[str, str]] = {
        "trial_balance": "ledger:read",
        "balance_sheet": "ledger:read",
        "profit_and_loss": "ledger:read",
        "general_ledger": "ledger:read",
        "changes": "ledger:read",
        "without_evidence": "evidence:read",
        "create": "exports:write",
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"create"})

    @extend_schema(parameters=[serializers.ReportQuery], responses=serializers.TrialBalanceOut)
    @action(**READ, url_path="trial-balance")
    def trial_balance(self, request: Request, **_: str) -> Response:
        """Read what stands on every account, debit beside credit, equal in sum by currency; 5,000 accounts at most."""
        asked, now = _at(request), clock.now()
        report = trial_balance.read(**asked, caller=request.user)
        _bounded(len(report.rows))
        return Response(serializers.TrialBalanceOut(report, context={"now": now}).data)

    @extend_schema(parameters=[serializers.ReportQuery], responses=serializers.BalanceSheetOut)
    @action(**READ, url_path="balance-sheet")
    def balance_sheet(self, request: Request, **_: str) -> Response:
        """Read assets against liabilities, equity and the result not yet closed; 5,000 accounts at most."""
        asked, now = _at(request), clock.now()
        report = balance_sheet.read(**asked, caller=request.user)
        _bounded(len(report.assets) + len(report.liabilities) + len(report.equity))
        return Response(serializers.BalanceSheetOut(report, context={"now": now}).data)

    @extend_schema(parameters=[serializers.RangeReportQuery], responses=serializers.ProfitAndLossOut)
    @action(**READ, url_path="profit-and-loss")
    def profit_and_loss(self, request: Request, **_: str) -> Response:
        """Read income less expenses of a range of days, by branch; 5,000 accounts at most."""
        query = serializers.RangeReportQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked, now = _within(query), clock.now()
        report = profit_and_loss.read(**asked, caller=request.user)
        _bounded(len(report.income) + len(report.expenses))
        return Response(serializers.ProfitAndLossOut(report, context={"now": now}).data)

    @extend_schema(parameters=[serializers.LedgerPageQuery], responses=serializers.GeneralLedgerOut)
    @action(**READ, url_path="general-ledger")
    def general_ledger(self, request: Request, **_: str) -> Response:
        """Read every entry of every account between opening and closing balance, page by page."""
        query = serializers.LedgerPageQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        now = clock.now()
        page = ledger_pages.page(
            **_within(query),
            after=query.validated_data["cursor"],
            limit=query.validated_data["limit"],
            caller=request.user,
        )
        return Response(serializers.GeneralLedgerOut(page, context={"now": now}).data)

    @extend_schema(
        parameters=[serializers.ChangesQuery], responses=booking_serializers.TransactionOut(many=True)
    )
    @action(methods=["get"], detail=False, filterset_class=None, pagination_class=UidPagination)
    def changes(self, request: Request, **_: str) -> Response:
        """List exactly the transactions that a report would hold now, or at ``until``, and did not at ``known_at``."""
        query = serializers.ChangesQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        found = changes.since(
            asked["known_at"],
            as_of=asked.get("as_of") or books.today(clock.now()),
            until=asked["until"],
            caller=request.user,
        )
        page = self.paginate_queryset(transactions.with_entries(found)) or []
        return self.get_paginated_response(booking_serializers.TransactionOut(page, many=True).data)

    @extend_schema(parameters=[serializers.EvidenceQuery], responses=serializers.EvidenceOut)
    @action(**READ, url_path="without-evidence")
    def without_evidence(self, request: Request, **_: str) -> Response:
        """List the transactions that nothing proves, each with what it lacks; 2,000 are looked at for a page."""
        query = serializers.EvidenceQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        data = query.validated_data
        as_of, known_at = _times(data)
        found = explanations.page_without_evidence(
            as_of=as_of, known_at=known_at, after=data["cursor"], rows=data["limit"], caller=request.user
        )
        said = {"as_of": as_of, "known_at": known_at, "found": found}
        return Response(serializers.EvidenceOut(said).data)

    @extend_schema(request=serializers.ReportFileIn, responses={202: serializers.LedgerJobOut})
    def create(self, request: Request, **_: str) -> Response:
        """Have a report made as CSV, XLSX or PDF by a job, whose result is the file; the scope ledger:read is needed too."""
        body = serializers.ReportFileIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        since, as_of = body.days(books.today(clock.now()))
        _as_of, known_at = _times(data)
        caller = cast(Caller, request.user)
        job = reports.start(
            request=NewReport(
                name=ReportName(data["report"].upper()),
                as_of=as_of,
                known_at=known_at,
                file_format=ReportFormat(data["format"].upper()),
                since=since,
                branch_id=data["branch_id"],
                account_uid=data["account_id"],
            ),
            caller=caller,
            actor=caller.actor,
            now=clock.now(),
        )
        return job_answer(request, job)


def job_answer(request: Request, job: Job) -> Response:
    """Return the answer that a job has begun, and where it is found."""
    said = serializers.LedgerJobOut(job).data
    location = f"{request.path.partition('/ledger/')[0]}/jobs/{said['id']}"
    return Response(said, status=status.HTTP_202_ACCEPTED, headers={"Location": location})


def _at(request: Request) -> dict[str, Any]:
    """Return the day, the instant and the branch that a report is asked for."""
    query = serializers.ReportQuery(data=request.query_params.dict())
    query.is_valid(raise_exception=True)
    as_of, known_at = _times(query.validated_data)
    return {"as_of": as_of, "known_at": known_at, "branch_id": query.validated_data["branch_id"]}


def _within(query: serializers.RangeReportQuery) -> dict[str, Any]:
    since, as_of = query.days(books.today(clock.now()))
    _as_of, known_at = _times(query.validated_data)
    return {
        "since": since,
        "as_of": as_of,
        "known_at": known_at,
        "branch_id": query.validated_data["branch_id"],
    }


def _times(data: dict[str, Any]) -> tuple[date, datetime]:
    """Return the day and the instant that are asked for: today and now, in the milliseconds that the answer states."""
    now = clock.now()
    known_at = data["known_at"] or now.replace(microsecond=now.microsecond // 1000 * 1000)
    return data.get("as_of") or books.today(now), known_at


def _bounded(rows: int) -> None:
    if rows > ROWS_MAX:
        raise TooManyEntries(f"This report has {rows:,} accounts. Ask for one branch, or for a file.")
