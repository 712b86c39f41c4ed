"""Long work over the API: how far it is, stopping it, and the file that it made."""

from typing import ClassVar, cast

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Caller
from apps.jobs.api import filters, serializers
from apps.jobs.models import Job
from apps.jobs.selectors import jobs as visible_jobs
from apps.jobs.services import exports, jobs
from apps.kit import clock, downloads
from apps.kit.views import TreasuryViewSet


class JobViewSet(TreasuryViewSet):
    """Jobs of the key's own application that read nothing which the key may not read."""

    queryset = Job.objects.none()
    serializer_class = serializers.JobOut
    filterset_class = filters.JobFilter
    id_prefix = "job"
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "jobs:read",
        "retrieve": "jobs:read",
        "result": "jobs:read",
        "cancel": "jobs:write",
    }

    def get_queryset(self) -> QuerySet[Job]:
        return visible_jobs.visible_to(self.request.user)

    @extend_schema(responses=serializers.JobOut(many=True))
    def list(self, request: Request, **_: str) -> Response:  # noqa: ARG002 (the router's signature)
        """List jobs, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([serializers.represent(job) for job in page])

    def retrieve(self, request: Request, **_: str) -> Response:  # noqa: ARG002 (the router's signature)
        """Read one job."""
        return Response(serializers.represent(self.get_object()))

    @extend_schema(request=None, responses={200: serializers.JobOut})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, **_: str) -> Response:
        """
        Stop a job: at once while it waits, else after the chunk that runs. A second time changes nothing. What is done in
        one deed, as the close of a period, is refused once a worker has taken it up (`job_unstoppable`).
        """
        caller = cast(Caller, request.user)
        job = jobs.cancel(job_id=self.get_object().id, actor=caller.actor, now=clock.now())
        return Response(serializers.represent(job))

    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, description="The file."),
            302: OpenApiResponse(description="The file is at Location, for 60 seconds and without a key."),
        }
    )
    @action(detail=True, url_path="result")
    def result(self, request: Request, **_: str) -> HttpResponseBase:
        """
        Download the file that a job made; its SHA-256 is the ETag. It is kept for 7 days. Where files lie in a bucket, a
        long one is answered with 302: follow it without the API key, and compare with `result.sha256` of the job.
        """
        job = self.get_object()
        content = jobs.open_result(job=job, actor=cast(Caller, request.user).actor, now=clock.now())
        return downloads.answer(
            content,
            name=job.result_name,
            content_type=job.result_content_type,
            size=job.result_size or 0,
            sha256=job.result_sha256,
        )


class ExportViewSet(TreasuryViewSet):
    """Exports are jobs: what comes back is the job, whose result is the file."""

    queryset = Job.objects.none()
    serializer_class = serializers.JobOut
    id_prefix = "job"
    required_scopes: ClassVar[dict[str, str]] = {"create": "exports:write"}
    idempotent_actions = frozenset({"create"})

    @extend_schema(request=serializers.ExportIn, responses={202: serializers.JobOut})
    def create(self, request: Request, **_: str) -> Response:
        """Export a list that the key may read, as it is when the job starts; the scope of the list is needed too."""
        body = serializers.ExportIn(data=request.data)
        body.is_valid(raise_exception=True)
        caller = cast(Caller, request.user)
        job = exports.start(request=body.wanted(), caller=caller, actor=caller.actor, now=clock.now())
        return Response(serializers.represent(job), status=status.HTTP_202_ACCEPTED)
