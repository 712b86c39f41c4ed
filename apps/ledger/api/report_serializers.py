"""Bodies of the ledger's reports, of their files, and of what explains a booking."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.kit import ids
from apps.kit.pagination import LIMIT_DEFAULT, LIMIT_MAX
from apps.kit.serializers import (
    MONEY_SCHEMA,
    IdField,
    InstantField,
    LowerField,
    MoneyField,
    StrictSerializer,
)
from apps.ledger.api.serializers import (
    ACCOUNT,
    TRANSACTION,
    BalanceQuery,
    DayField,
    MomentField,
    RangeQuery,
    StatementLineOut,
    StatementOut,
)
from apps.ledger.contracts import AccountType
from apps.ledger.selectors.explanations import ExplainedFigure, Fact, FactKind, Unproven
from apps.ledger.selectors.reports.basis import Row
from apps.ledger.selectors.reports.ledger_pages import LedgerPage
from apps.ledger.services.reports import ReportFormat, ReportName

FINAL = "The same two times give this report for ever. False while known_at is less than a minute old."
BRANCH = "Only this branch. Default: all that the key reaches."
FACT_PREFIXES = {FactKind.EVENT: "evt", FactKind.APPROVAL: "apr"}


class ReportQuery(BalanceQuery):
    branch_id = IdField("br", required=False, default=None, help_text=BRANCH)


class RangeReportQuery(RangeQuery):
    branch_id = IdField("br", required=False, default=None, help_text=BRANCH)


class PagedSerializer(StrictSerializer):
    """A page of what is known at one instant: whoever goes on names that instant."""

    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=LIMIT_MAX, default=LIMIT_DEFAULT, help_text="Rows a page."
    )
    cursor = serializers.CharField(
        required=False,
        default="",
        help_text="next_cursor of the page before, with its known_at and the same other values.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a cursor without the instant that the first page was of."""
        if attrs["cursor"] and attrs["known_at"] is None:
            message = "Name the known_at of the page before."
            raise serializers.ValidationError({"known_at": serializers.ErrorDetail(message, code="required")})
        return attrs


class LedgerPageQuery(PagedSerializer, RangeReportQuery):
    pass


class EvidenceQuery(PagedSerializer, BalanceQuery):
    pass


class ChangesQuery(StrictSerializer):
    known_at = MomentField(help_text="When the report was printed that is compared (RFC 3339).")
    as_of = DayField(required=False, help_text="The day of that report. Default: today.")
    until = MomentField(
        required=False, default=None, help_text="The later of the two instants. Default: now."
    )
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=LIMIT_MAX, help_text="Rows a page."
    )
    cursor = serializers.CharField(required=False, help_text="next_cursor of the page before.")


class HeadingOut(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()


class ReportRowOut(serializers.Serializer):
    """An account in a report; with its id and the dates of the report, ``statement`` shows the entries behind it."""

    account_id = IdField(ACCOUNT, source="uid")
    code = serializers.CharField()
    name = serializers.CharField()
    type = LowerField(help_text=", ".join(kind.lower() for kind in AccountType))
    branch_id = IdField("br")
    headings = HeadingOut(many=True, help_text="Of the chart, the top one first.")
    balance = MoneyField(help_text="On the account's normal side.")


class TrialRowOut(ReportRowOut):
    debit = serializers.SerializerMethodField(help_text="What stands on the debit side, or null.")
    credit = serializers.SerializerMethodField(help_text="What stands on the credit side, or null.")

    @extend_schema_field({**MONEY_SCHEMA, "type": ["object", "null"]})
    def get_debit(self, row: Row) -> dict[str, str] | None:
        return row.net.wire() if row.net.is_positive else None

    @extend_schema_field({**MONEY_SCHEMA, "type": ["object", "null"]})
    def get_credit(self, row: Row) -> dict[str, str] | None:
        return None if row.net.is_positive else (-row.net).wire()


class ReportOut(serializers.Serializer):
    """What a report states beside its figures: those at the end of ``as_of``, as known at ``known_at``."""

    as_of = serializers.DateField(source="basis.as_of")
    known_at = InstantField(source="basis.known_at")
    branch_id = IdField("br", source="basis.branch_id", allow_null=True)
    final = serializers.SerializerMethodField(help_text=FINAL)

    def get_final(self, report: Any) -> bool:
        return not report.basis.is_provisional(self.context["now"])


class TrialTotalOut(serializers.Serializer):
    debits = MoneyField()
    credits = MoneyField()
    difference = MoneyField(help_text="Zero for a whole organisation; a branch by itself need not balance.")


class TrialBalanceOut(ReportOut):
    object = serializers.CharField(read_only=True, default="trial_balance")
    data = TrialRowOut(many=True, source="rows")  # type: ignore[assignment]  # the name means something else to REST framework
    totals = TrialTotalOut(many=True)
    balanced = serializers.BooleanField(source="is_balanced")


class SheetTotalOut(serializers.Serializer):
    assets = MoneyField()
    liabilities = MoneyField()
    equity = MoneyField()
    result = MoneyField(help_text="Income less expenses that no closing has carried to equity yet.")
    elsewhere = MoneyField(help_text="Booked against other branches or memo accounts.")


class BalanceSheetOut(ReportOut):
    object = serializers.CharField(read_only=True, default="balance_sheet")
    assets = ReportRowOut(many=True)
    liabilities = ReportRowOut(many=True)
    equity = ReportRowOut(many=True)
    totals = SheetTotalOut(many=True)


class ResultTotalOut(serializers.Serializer):
    income = MoneyField()
    expenses = MoneyField()
    profit = MoneyField()


class BranchResultOut(ResultTotalOut):
    branch_id = IdField("br")


class ProfitAndLossOut(ReportOut):
    object = serializers.CharField(read_only=True, default="profit_and_loss")
    since = serializers.DateField(source="basis.since")
    income = ReportRowOut(many=True)
    expenses = ReportRowOut(many=True)
    totals = ResultTotalOut(many=True)
    branches = BranchResultOut(many=True)


class LedgerAccountOut(serializers.Serializer):
    """An account of a page: opening, debits, credits and closing are of all days, the lines those of the page."""

    account_id = IdField(ACCOUNT, source="row.uid")
    code = serializers.CharField(source="row.code")
    name = serializers.CharField(source="row.name")
    branch_id = IdField("br", source="row.branch_id")
    opening = MoneyField()
    debits = MoneyField()
    credits = MoneyField()
    closing = MoneyField()
    brought_forward = MoneyField(help_text="Before the first line of this page.")
    lines = StatementLineOut(many=True)


class LedgerTotalOut(serializers.Serializer):
    debits = MoneyField()
    credits = MoneyField()


class GeneralLedgerOut(ReportOut):
    object = serializers.CharField(read_only=True, default="general_ledger")
    since = serializers.DateField(source="basis.since")
    data = LedgerAccountOut(many=True, source="accounts")  # type: ignore[assignment]  # the name means something else to REST framework
    totals = LedgerTotalOut(many=True, help_text="What moved in all of the report, by currency.")
    has_more = serializers.SerializerMethodField()
    next_cursor = serializers.SerializerMethodField()

    def get_has_more(self, page: LedgerPage) -> bool:
        return bool(page.next)

    def get_next_cursor(self, page: LedgerPage) -> str | None:
        return page.next or None


class FactOut(serializers.Serializer):
    kind = LowerField(help_text=", ".join(kind.lower() for kind in FactKind))
    id = serializers.SerializerMethodField(help_text="Of an event or approval with its prefix, else a UUID.")
    text = serializers.CharField()
    at = InstantField(allow_null=True)
    sha256 = serializers.CharField(help_text="Hex, over the bytes that came from a provider; else empty.")
    proof = serializers.BooleanField(source="is_proof")

    def get_id(self, fact: Fact) -> str:
        prefix = FACT_PREFIXES.get(fact.kind)
        return ids.encode(prefix, fact.id) if prefix else str(fact.id)


class ExplanationOut(serializers.Serializer):
    """A transaction, who wrote it and why, and what it rests on."""

    transaction_id = IdField(TRANSACTION, source="uid")
    object = serializers.CharField(read_only=True, default="ledger_explanation")
    number = serializers.CharField()
    kind = LowerField()
    description = serializers.CharField()
    effective_date = serializers.DateField()
    posted_at = InstantField()
    source_type = serializers.CharField()
    source_id = serializers.UUIDField()
    created_by = serializers.CharField()
    approved_by = serializers.CharField()
    reason = serializers.CharField()
    facts = FactOut(many=True, help_text="From its cause to the provider's own words.")
    lack = serializers.CharField(help_text="What is missing; empty where something proves it.")


class ExplainedFigureOut(serializers.Serializer):
    """A page of an account's statement with the formula of its closing balance, and what each entry of it rests on."""

    object = serializers.CharField(read_only=True, default="ledger_figure")
    formula = serializers.CharField(help_text="closing = opening + what raised it - what lowered it.")
    statement = StatementOut()
    explanations = serializers.SerializerMethodField(help_text="One for each transaction of the page.")

    @extend_schema_field(ExplanationOut(many=True))
    def get_explanations(self, figure: ExplainedFigure) -> Any:
        wanted = dict.fromkeys(line.transaction_uid for line in figure.statement.lines)
        return ExplanationOut([figure.explanations[uid] for uid in wanted], many=True).data


class EvidenceOut(serializers.Serializer):
    """Transactions that nothing proves, the oldest first; a page may be short, or empty, and have others after it."""

    object = serializers.CharField(read_only=True, default="list")
    as_of = serializers.DateField()
    known_at = InstantField()
    data = ExplanationOut(many=True, source="found.explanations")  # type: ignore[assignment]  # the name means something else to REST framework
    has_more = serializers.SerializerMethodField()
    next_cursor = serializers.SerializerMethodField()

    def get_has_more(self, said: dict[str, Unproven]) -> bool:
        return bool(said["found"].next)

    def get_next_cursor(self, said: dict[str, Unproven]) -> str | None:
        return said["found"].next or None


class ReportFileIn(RangeQuery):
    """Which report as a file: the same figures as the report itself, where ``known_at`` is of a whole second."""

    report = serializers.ChoiceField(choices=[name.lower() for name in ReportName])
    format = serializers.ChoiceField(choices=[name.lower() for name in ReportFormat], default="pdf")
    branch_id = IdField("br", required=False, allow_null=True, default=None, help_text=BRANCH)
    account_id = IdField(
        ACCOUNT, required=False, allow_null=True, default=None, help_text="Needed by a statement."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a statement of no account, and an account in any other report."""
        is_statement = attrs["report"] == ReportName.STATEMENT.lower()
        if is_statement != (attrs["account_id"] is not None):
            message = "A statement, and nothing else, is of one account."
            code = "required" if is_statement else "not_needed"
            raise serializers.ValidationError({"account_id": serializers.ErrorDetail(message, code=code)})
        return attrs


class LedgerJobOut(serializers.Serializer):
    """The job that does it: ``/jobs/{id}`` tells how far it is, ``/jobs/{id}/result`` is its file where it makes one."""

    id = IdField("job")
    object = serializers.CharField(read_only=True, default="job")
    kind = serializers.CharField()
    title = serializers.CharField()
    status = LowerField()
    created_at = InstantField()
