"""Accounts of the ledger over the API."""

from typing import ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.kit import clock, money
from apps.kit.pagination import UidPagination
from apps.kit.views import TreasuryViewSet
from apps.ledger.api import filters, serializers
from apps.ledger.api.report_serializers import ExplainedFigureOut
from apps.ledger.models import Account
from apps.ledger.selectors import accounts, balances, books, explanations, statements
from apps.ledger.selectors.accounts import AccountBalance
from apps.ledger.selectors.point_in_time import NOTHING


class LedgerViewSet(TreasuryViewSet):
    """Rows of the ledger: their public id is ``uid``."""

    pagination_class = UidPagination
    lookup_field = "uid"


class AccountViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, LedgerViewSet):
    """Accounts of the key's branch, or of all. They are opened when something is first posted to them."""

    queryset = Account.objects.none()
    serializer_class = serializers.AccountOut
    filterset_class = filters.AccountFilter
    id_prefix = serializers.ACCOUNT
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "ledger:read",
        "retrieve": "ledger:read",
        "balance": "ledger:read",
        "statement": "ledger:read",
        "explanation": "evidence:read",
    }

    def get_queryset(self) -> QuerySet[Account]:
        return accounts.visible_to(self.request.user).with_net()

    @extend_schema(parameters=[serializers.BalanceQuery], responses=serializers.BalanceOut)
    @action(detail=True, methods=["get"])
    def balance(self, request: Request, **_: str) -> Response:
        """Tell what stood on an account at the end of a day, as known at an instant."""
        asked = serializers.BalanceQuery(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        account, now = self._account(), clock.now()
        as_of = asked.validated_data.get("as_of") or books.today(now)
        known_at = asked.validated_data["known_at"]
        totals = balances.totals([account.id], as_of=as_of, known_at=known_at).get(account.id, NOTHING)
        said = {
            "account_id": account.uid,
            "as_of": as_of,
            "known_at": known_at,
            "balance": money.Money(totals.net if account.is_debit_normal else -totals.net, account.currency),
            "debits": money.Money(totals.debits, account.currency),
            "credits": money.Money(totals.credits, account.currency),
            "final": known_at is not None and balances.is_settled(known_at, now=now),
        }
        return Response(serializers.BalanceOut(said).data)

    @extend_schema(parameters=[serializers.StatementQuery], responses=serializers.StatementOut)
    @action(detail=True, methods=["get"])
    def statement(self, request: Request, **_: str) -> Response:
        """Read an account's entries in the order of their dates, with opening, running and closing balance."""
        asked = serializers.StatementQuery(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        since, as_of = asked.days(books.today(clock.now()))
        page = statements.page(
            self._account(),
            since=since,
            as_of=as_of,
            known_at=data["known_at"],
            after=data["cursor"],
            rows=data["limit"],
        )
        return Response(serializers.StatementOut(page).data)

    @extend_schema(parameters=[serializers.StatementQuery], responses=ExplainedFigureOut)
    @action(detail=True, methods=["get"])
    def explanation(self, request: Request, **_: str) -> Response:
        """Read how a balance comes about: its formula, a page of its entries, and what each of them rests on."""
        asked = serializers.StatementQuery(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        since, as_of = asked.days(books.today(clock.now()))
        figure = explanations.figure(
            self._account(),
            since=since,
            as_of=as_of,
            known_at=data["known_at"],
            after=data["cursor"],
            rows=data["limit"],
        )
        return Response(ExplainedFigureOut(figure).data)

    def _account(self) -> AccountBalance:
        return accounts.get(self.path_id(), self.request.user)
