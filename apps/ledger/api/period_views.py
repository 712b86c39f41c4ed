"""Periods over the API: what a close waits for, sign-offs, the close as a job, and asking to reopen."""

from typing import ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.kit import clock
from apps.ledger.api import filters
from apps.ledger.api import period_serializers as serializers
from apps.ledger.api.booking_views import caller_of
from apps.ledger.api.currency_serializers import AskedOut
from apps.ledger.api.report_serializers import LedgerJobOut
from apps.ledger.api.report_views import job_answer
from apps.ledger.api.views import LedgerViewSet
from apps.ledger.models import Period
from apps.ledger.selectors import periods as stored_periods
from apps.ledger.services import partner_periods


class PeriodViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, LedgerViewSet):
    """
    Periods of the organisation's book, the last one first.

    They are of all branches: a key that is bound to one reads them, and does nothing to them.
    """

    queryset = Period.objects.none()
    serializer_class = serializers.PeriodOut
    filterset_class = filters.PeriodFilter
    id_prefix = serializers.PERIOD_PREFIX
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "ledger:read",
        "retrieve": "ledger:read",
        "checklist": "ledger:read",
        "sign_off": "periods:write",
        "close": "periods:write",
        "reopen": "periods:write",
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"sign_off", "close", "reopen"})

    def get_queryset(self) -> QuerySet[Period]:
        return stored_periods.stored()

    @extend_schema(responses=serializers.ChecklistOut)
    @action(detail=True, methods=["get"])
    def checklist(self, request: Request, **_: str) -> Response:
        """Read what a close waits for. It counts over all branches, so a key that is bound to one is refused."""
        period_id = self.path_id()
        found = partner_periods.checklist(period_id=period_id, caller=caller_of(request), now=clock.now())
        said = {"period_id": period_id, "ready": all(one.is_met for one in found), "data": found}
        return Response(serializers.ChecklistOut(said).data)

    @extend_schema(request=serializers.SignOffIn, responses=serializers.SignOffOut)
    @action(detail=True, methods=["post"], url_path="sign-off")
    def sign_off(self, request: Request, **_: str) -> Response:
        """Vouch for work that another system has done, or take that back. What is a person's judgement, a person signs."""
        body = serializers.SignOffIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        signed = partner_periods.sign_off(
            period_id=self.path_id(),
            kind=data["kind"],
            is_signed=data["signed"],
            note=data["note"],
            caller=caller_of(request),
            now=clock.now(),
        )
        return Response(serializers.SignOffOut(signed).data)

    @extend_schema(request=serializers.CloseIn, responses={202: LedgerJobOut})
    @action(detail=True, methods=["post"])
    def close(self, request: Request, **_: str) -> Response:
        """Have a worker close it; refused with every precondition that is not met, and asked again as it closes."""
        body = serializers.CloseIn(data=request.data)
        body.is_valid(raise_exception=True)
        job = partner_periods.close(
            period_id=self.path_id(), **body.validated_data, caller=caller_of(request), now=clock.now()
        )
        return job_answer(request, job)

    @extend_schema(request=serializers.ReopenIn, responses={202: AskedOut})
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, **_: str) -> Response:
        """Ask that the last closed period is opened again: a person other than who made the key agrees first."""
        body = serializers.ReopenIn(data=request.data)
        body.is_valid(raise_exception=True)
        approval_id = partner_periods.ask_to_reopen(
            period_id=self.path_id(), **body.validated_data, caller=caller_of(request), now=clock.now()
        )
        said = AskedOut({"approval_id": approval_id}).data
        return Response(said, status=status.HTTP_202_ACCEPTED)
