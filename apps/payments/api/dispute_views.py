"""Disputes over the API: read, answered with evidence, given up, or appealed."""

from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Caller
from apps.kit import clock
from apps.kit.views import TreasuryViewSet
from apps.payments.api import dispute_serializers as serializers
from apps.payments.api import filters
from apps.payments.models import Dispute
from apps.payments.selectors import disputes as stored
from apps.payments.services import dispute_answers, dispute_evidence

READS, WRITES = "disputes:read", "disputes:write"


class DisputeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet):
    """
    Payments that their payers have their banks take back. A key sees those of its application, in its branch or in all.

    An answer is drafted (evidence, files) and then submitted once, or the dispute is accepted; the provider says how it ends. One that is
    lost may be appealed where the provider takes that (`may_appeal`).
    """

    queryset = Dispute.objects.none()
    serializer_class = serializers.DisputeOut
    filterset_class = filters.DisputeFilter
    id_prefix = stored.PREFIX
    required_scopes: ClassVar[dict[str, str]] = {
        "list": READS,
        "retrieve": READS,
        "evidence": READS,
        "write_evidence": WRITES,
        "files": WRITES,
        "remove_file": WRITES,
        "submit": WRITES,
        "accept": WRITES,
        "appeal": WRITES,
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"write_evidence", "submit", "accept", "appeal"})

    def get_queryset(self) -> QuerySet[Dispute]:
        return stored.visible_to(self.request.user)

    @extend_schema(responses=serializers.DisputeEvidenceOut)
    @action(detail=True, methods=["get"])
    def evidence(self, request: Request, **_: str) -> Response:  # noqa: ARG002 (the router's signature)
        """Read what is drafted, or was submitted."""
        return self._evidence(self.get_object())

    @extend_schema(request=serializers.DisputeEvidenceIn, responses=serializers.DisputeEvidenceOut)
    @evidence.mapping.post
    def write_evidence(self, request: Request, **_: str) -> Response:
        """Write texts of the draft; nothing is sent yet."""
        body = serializers.DisputeEvidenceIn(data=request.data)
        body.is_valid(raise_exception=True)
        dispute = dispute_evidence.write(
            dispute_id=self.get_object().id,
            texts=body.validated_data,
            actor=_caller(request).actor,
            now=clock.now(),
        )
        return self._evidence(dispute)

    @extend_schema(request=serializers.DisputeFileIn, responses={201: serializers.DisputeFileOut})
    @action(detail=True, methods=["post"])
    def files(self, request: Request, **_: str) -> Response:
        """Attach a file to the draft, in place of the one with the same purpose: safe to repeat."""
        body = serializers.DisputeFileIn(data=request.data)
        body.is_valid(raise_exception=True)
        file = dispute_evidence.attach(
            dispute_id=self.get_object().id,
            actor=_caller(request).actor,
            now=clock.now(),
            **body.validated_data,
        )
        return Response(serializers.DisputeFileOut(file).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        request=None,
        responses={204: None},
        parameters=[OpenApiParameter("purpose", str, required=True, enum=serializers.PURPOSES)],
    )
    @files.mapping.delete
    def remove_file(self, request: Request, **_: str) -> Response:
        """Take the file with this purpose out of the draft; a second time changes nothing."""
        dispute = self.get_object()
        query = serializers.PurposeIn(data=request.query_params)
        query.is_valid(raise_exception=True)
        dispute_evidence.detach(
            dispute_id=dispute.id,
            purpose=query.validated_data["purpose"],
            actor=_caller(request).actor,
            now=clock.now(),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={202: serializers.DisputeOut})
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, **_: str) -> Response:
        """Submit what is drafted. It is final: the provider is told after the answer, and decides."""
        dispute = dispute_answers.submit(
            dispute_id=self.get_object().id, actor=_caller(request).actor, now=clock.now()
        )
        return self._shown(dispute)

    @extend_schema(request=serializers.DisputeAcceptIn, responses={202: serializers.DisputeOut})
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, **_: str) -> Response:
        """Give the money up: at once, or when other people have agreed where a rule asks for that (`approval_id`)."""
        body = serializers.DisputeAcceptIn(data=request.data)
        body.is_valid(raise_exception=True)
        dispute = dispute_answers.accept(
            dispute_id=self.get_object().id,
            reason=body.validated_data["reason"],
            actor=_caller(request).actor,
            now=clock.now(),
        )
        return self._shown(dispute)

    @extend_schema(request=None, responses={202: serializers.DisputeOut})
    @action(detail=True, methods=["post"])
    def appeal(self, request: Request, **_: str) -> Response:
        """Appeal the loss with what is drafted. It is final: the provider is told after the answer, and decides."""
        dispute = dispute_answers.appeal(
            dispute_id=self.get_object().id, actor=_caller(request).actor, now=clock.now()
        )
        return self._shown(dispute)

    def _shown(self, dispute: Dispute) -> Response:
        return Response(self.get_serializer(dispute).data, status=status.HTTP_202_ACCEPTED)

    def _evidence(self, dispute: Dispute) -> Response:
        drafted: dict[str, Any] = {"texts": dispute.evidence, "files": stored.files(dispute.id)}
        return Response(serializers.DisputeEvidenceOut(drafted).data)


def _caller(request: Request) -> Caller:
    """Return the key behind the request: the permission class lets nobody else pass."""
    return cast(Caller, request.user)
