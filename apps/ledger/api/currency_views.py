"""Exchange rates and exchanges over the API."""

from typing import ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.kit import clock, ids
from apps.kit.views import TreasuryViewSet
from apps.ledger.api import currency_serializers as serializers
from apps.ledger.api import filters
from apps.ledger.api.booking_serializers import TransactionOut
from apps.ledger.api.booking_views import caller_of, key_of
from apps.ledger.api.serializers import RATE, TRANSACTION
from apps.ledger.api.views import LedgerViewSet
from apps.ledger.models import FxRate, Transaction
from apps.ledger.selectors import rates as stored_rates
from apps.ledger.selectors import transactions
from apps.ledger.services import partner_exchanges, partner_rates


class RateViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet):
    """Exchange rates as they were recorded. They are the organisation's: a key of any branch reads them."""

    queryset = FxRate.objects.none()
    serializer_class = serializers.RateOut
    filterset_class = filters.RateFilter
    id_prefix = RATE
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "ledger:read",
        "retrieve": "ledger:read",
        "latest": "ledger:read",
        "create": "rates:write",
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"create"})

    def get_queryset(self) -> QuerySet[FxRate]:
        return stored_rates.everything()

    @extend_schema(
        request=serializers.RateIn,
        responses={200: serializers.RateOut, 201: serializers.RateOut, 202: serializers.AskedOut},
    )
    def create(self, request: Request, **_: str) -> Response:
        """
        Record a rate: 200 where it is known, 202 where it is more than 5 % off the last one and other people agree first.

        Rates hold for all branches, so a key that is bound to one is refused.
        """
        body = serializers.RateIn(data=request.data)
        body.is_valid(raise_exception=True)
        recorded = partner_rates.record(**body.validated_data, caller=caller_of(request), now=clock.now())
        if recorded.rate_id is None:
            said = serializers.AskedOut({"approval_id": recorded.approval_id}).data
            return Response(said, status=status.HTTP_202_ACCEPTED)
        made = status.HTTP_200_OK if recorded.is_replay else status.HTTP_201_CREATED
        location = f"{request.path.rstrip('/')}/{ids.encode(self.id_prefix, recorded.rate_id)}"
        row = self.get_queryset().get(id=recorded.rate_id)
        return Response(self.get_serializer(row).data, status=made, headers={"Location": location})

    @extend_schema(parameters=[serializers.LatestRateQuery], responses=serializers.LatestRateOut)
    @action(detail=False, methods=["get"], filterset_class=None, pagination_class=None)
    def latest(self, request: Request, **_: str) -> Response:
        """Read the rate that holds at an instant: one that is missing or too old is refused, never guessed."""
        asked = serializers.LatestRateQuery(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        data, now = asked.validated_data, clock.now()
        rate = stored_rates.latest(data["base"], data["quote"], at=data["at"] or now, now=now)
        return Response(serializers.LatestRateOut(rate).data)


class ExchangeViewSet(LedgerViewSet):
    """
    Exchanges between accounts that a partner may post to, at the rate that holds.

    The house takes the other side at that rate, so a key needs the scope of exchanges for it.
    """

    queryset = Transaction.objects.none()
    serializer_class = TransactionOut
    id_prefix = TRANSACTION
    required_scopes: ClassVar[dict[str, str]] = {"create": "exchanges:write"}
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"create"})

    def get_queryset(self) -> QuerySet[Transaction]:
        return transactions.with_entries(transactions.visible_to(self.request.user))

    @extend_schema(request=serializers.ExchangeIn, responses={200: TransactionOut, 201: TransactionOut})
    def create(self, request: Request, **_: str) -> Response:
        """Exchange money in one transaction, with its rate among the dimensions: 200 where it was booked under its key."""
        body = serializers.ExchangeIn(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = serializers.exchange(body.validated_data, key_of(request))
        booked = partner_exchanges.exchange(wanted=wanted, caller=caller_of(request), now=clock.now())
        made = status.HTTP_200_OK if booked.is_replay else status.HTTP_201_CREATED
        transaction_id = ids.encode(self.id_prefix, booked.id)
        location = f"{request.path.rstrip('/').removesuffix('exchanges')}transactions/{transaction_id}"
        found = self.get_queryset().get(id=booked.number)
        return Response(self.get_serializer(found).data, status=made, headers={"Location": location})
