"""API keys, branches and applications over the API."""

from datetime import timedelta
from typing import ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.api import filters, serializers
from apps.access.contracts import Caller
from apps.access.models import ApiKey, Application, Branch
from apps.access.selectors import api_keys as visible_keys
from apps.access.selectors import applications, branches
from apps.access.services import api_keys, branch_external_ids
from apps.kit import clock
from apps.kit.views import TreasuryViewSet


class BranchViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet):
    """The branches that the key may touch."""

    queryset = Branch.objects.none()
    serializer_class = serializers.BranchOut
    filterset_class = filters.BranchFilter
    id_prefix = "br"
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "branches:read",
        "retrieve": "branches:read",
        "keep": "branches:write",
    }

    def get_queryset(self) -> QuerySet[Branch]:
        return branches.as_called_by(cast(Caller, self.request.user))

    @extend_schema(
        request=serializers.BranchKeptIn,
        responses={200: serializers.BranchOut, 201: serializers.BranchOut},
    )
    @action(detail=False, methods=["put"], url_path="by-external-id/(?P<external_id>[^/]+)", url_name="keep")
    def keep(self, request: Request, external_id: str, **_: str) -> Response:
        """
        Let the branch with your own id of it be called so and lie there: 201 where it is opened.

        It is safe to send it again. Only branches that the application opened, or that people of the organisation
        linked to it, are changed; another application may use the same id for another branch.
        """
        name = serializers.BranchExternalIdIn(data={"external_id": external_id})
        name.is_valid(raise_exception=True)
        body = serializers.BranchKeptIn(data=request.data)
        body.is_valid(raise_exception=True)
        said = branch_external_ids.KeptBranch(**name.validated_data, **body.validated_data)
        branch, is_new = branch_external_ids.keep(
            caller=cast(Caller, request.user), said=said, now=clock.now()
        )
        answer = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(self.get_serializer(self.get_queryset().get(id=branch.id)).data, status=answer)


class ApplicationViewSet(mixins.ListModelMixin, TreasuryViewSet):
    """The application that the key belongs to."""

    queryset = Application.objects.none()
    serializer_class = serializers.ApplicationOut
    id_prefix = "app"
    required_scopes: ClassVar[dict[str, str]] = {"list": "applications:read"}

    def get_queryset(self) -> QuerySet[Application]:
        return applications.visible_to(self.request.user)


class ApiKeyViewSet(mixins.ListModelMixin, TreasuryViewSet):
    """
    The keys of the calling key's own application.

    Creating and rotating a key take no Idempotency-Key: their answer holds the secret, and answers are stored.
    """

    queryset = ApiKey.objects.none()
    serializer_class = serializers.ApiKeyOut
    id_prefix = "key"
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "keys:read",
        "create": "keys:write",
        "partial_update": "keys:write",
        "revoke": "keys:write",
        "rotate": "keys:write",
    }

    def get_queryset(self) -> QuerySet[ApiKey]:
        return visible_keys.visible_to(self.request.user)

    @extend_schema(request=serializers.ApiKeyIn, responses={201: serializers.ApiKeyIssuedOut})
    def create(self, request: Request, **_: str) -> Response:
        """Make a key that may do no more than the calling one; its secret is shown this once."""
        body = serializers.ApiKeyIn(data=request.data)
        body.is_valid(raise_exception=True)
        caller = cast(Caller, request.user)
        issued = api_keys.issue(
            **body.validated_data,
            application_id=caller.application_id,
            issuer=caller,
            actor=caller.actor,
            now=clock.now(),
        )
        return _shown_once(issued)

    @extend_schema(request=serializers.ApiKeyChangeIn, responses={200: serializers.ApiKeyOut})
    def partial_update(self, request: Request, **_: str) -> Response:
        """Let the key in from these networks only, from the next request on."""
        body = serializers.ApiKeyChangeIn(data=request.data)
        body.is_valid(raise_exception=True)
        caller = cast(Caller, request.user)
        key = api_keys.allow_networks(
            key_id=self.get_object().id,
            networks=body.validated_data["allowed_networks"],
            issuer=caller,
            actor=caller.actor,
            now=clock.now(),
        )
        return Response(self.get_serializer(key).data)

    @extend_schema(request=serializers.ApiKeyRotateIn, responses={201: serializers.ApiKeyIssuedOut})
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, **_: str) -> Response:
        """
        Replace a key by a new one that may do the same; its secret is shown this once. A key may rotate itself.

        The old one works on for the hours of grace; revoking it ends them.
        """
        body = serializers.ApiKeyRotateIn(data=request.data)
        body.is_valid(raise_exception=True)
        caller = cast(Caller, request.user)
        issued = api_keys.rotate(
            key_id=self.get_object().id,
            grace=timedelta(hours=body.validated_data["grace_hours"]),
            issuer=caller,
            actor=caller.actor,
            now=clock.now(),
        )
        return _shown_once(issued)

    @extend_schema(request=None, responses={200: serializers.ApiKeyOut})
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, **_: str) -> Response:
        """Close a key for good; a second time changes nothing. A key may revoke itself."""
        key = api_keys.revoke(
            key_id=self.get_object().id, actor=cast(Caller, request.user).actor, now=clock.now()
        )
        return Response(self.get_serializer(key).data)


def _shown_once(issued: api_keys.IssuedKey) -> Response:
    answer = serializers.ApiKeyIssuedOut(issued.key, context={"secret": issued.secret})
    return Response(answer.data, status=status.HTTP_201_CREATED)
