"""Delegations over the API: given, listed and taken back by the person behind the key."""

from typing import ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Caller
from apps.approvals.api import delegation_serializers as serializers
from apps.approvals.models import ApprovalDelegation
from apps.approvals.selectors import delegations as stored
from apps.approvals.services import delegations
from apps.approvals.services.delegations import NewDelegation
from apps.kit import clock
from apps.kit.views import TreasuryViewSet


class ApprovalDelegationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet):
    """
    Delegations of the key's application that the person who made the key gave or got; all of them where he manages approvals.

    A key lends what its application asks for, never more; one that is bound to a branch lends nothing and sees none.
    """

    queryset = ApprovalDelegation.objects.none()
    serializer_class = serializers.DelegationOut
    id_prefix = "adl"
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "approvals:read",
        "retrieve": "approvals:read",
        "create": "approvals:write",
        "revoke": "approvals:write",
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"create", "revoke"})

    def get_queryset(self) -> QuerySet[ApprovalDelegation]:
        return stored.visible_to(self.request.user)

    @extend_schema(request=serializers.DelegationIn, responses={201: serializers.DelegationOut})
    def create(self, request: Request, **_: str) -> Response:
        """Let a colleague decide in your name what this application asks for, for at most 92 days."""
        body = serializers.DelegationIn(data=request.data)
        body.is_valid(raise_exception=True)
        caller = _caller(request)
        made = delegations.create(
            delegation=NewDelegation(
                **body.delegation(), application_id=caller.application_id, branch_id=caller.branch_id
            ),
            actor=caller.actor,
            now=clock.now(),
        )
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=serializers.DelegationOut)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, **_: str) -> Response:
        """Take it back: from now on the colleague decides nothing in that name. A second time changes nothing."""
        ended = delegations.revoke(
            delegation_id=self.get_object().id, actor=_caller(request).actor, now=clock.now()
        )
        return Response(self.get_serializer(ended).data)


def _caller(request: Request) -> Caller:
    """Return the key behind the request: the permission class lets nobody else pass."""
    return cast(Caller, request.user)
