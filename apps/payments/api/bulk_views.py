"""Many payments at once over the API: a job creates them, and each has a result of its own."""

from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Caller
from apps.jobs.selectors import jobs
from apps.jobs.services.jobs import Job
from apps.kit import clock, ids
from apps.kit.views import TreasuryViewSet
from apps.payments.api import bulk_serializers as serializers
from apps.payments.api import filters, orders
from apps.payments.selectors import bulks as stored
from apps.payments.services import bulks


class BulkViewSet(TreasuryViewSet):
    """Payments that were asked for together. A key sees the bulks of its application, in its branch or in all."""

    queryset = Job.objects.none()
    serializer_class = serializers.BulkOut
    id_prefix = serializers.BULK
    required_scopes: ClassVar[dict[str, str]] = {
        "create": "payments:write",
        "retrieve": "payments:read",
        "items": "payments:read",
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"create"})

    def get_queryset(self) -> QuerySet[Job]:
        return jobs.visible_to(self.request.user).filter(kind=bulks.KIND)

    @extend_schema(request=serializers.BulkIn, responses={202: serializers.BulkOut})
    def create(self, request: Request, **_: str) -> Response:
        """
        Ask for up to 1,000 payments at once; a job creates one after the other, in their order.

        Each needs a `reference` of its own and is refused by itself: what is wrong with one is told under `items`, and stops
        none of the others. Limits, branches and gates against doubled payments are those of a single one. `Location` says
        where it is told how far it is; `job_finished` says when it has ended.
        """
        caller = cast(Caller, request.user)
        body = serializers.BulkListIn(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = orders.read_each(body.validated_data["payments"], caller)
        job = bulks.start(orders=wanted, caller=caller, now=clock.now())
        location = f"{request.path.rstrip('/')}/{ids.encode(self.id_prefix, job.id)}"
        return Response(self._said(job), status=status.HTTP_202_ACCEPTED, headers={"Location": location})

    @extend_schema(responses=serializers.BulkOut)
    def retrieve(self, request: Request, **_: str) -> Response:  # noqa: ARG002 (the router's signature)
        """Read how far a bulk is."""
        return Response(self._said(self.get_object()))

    @extend_schema(
        responses=serializers.BulkItemOut(many=True),
        parameters=[
            OpenApiParameter("status", enum=filters.ITEM_STATES, description="Only payments in this state.")
        ],
        filters=False,
    )
    @action(detail=True, filterset_class=filters.BulkItemFilter)
    def items(self, request: Request, **_: str) -> Response:  # noqa: ARG002 (the router's signature)
        """List what became of each payment, the last one first; `index` counts from 0, as they were sent."""
        found = self.filter_queryset(stored.items_of(self.get_object().id))
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(serializers.BulkItemOut(page, many=True).data)

    def _said(self, job: Job) -> Any:
        return serializers.BulkOut({"job": job, "progress": stored.progress_of(job.id)}).data
