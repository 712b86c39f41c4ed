"""Parties over the API: list, create, read, change by version, archive."""

from typing import ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Caller
from apps.access.selectors import branches
from apps.kit import clock
from apps.kit.views import TreasuryViewSet
from apps.parties.api import filters, serializers
from apps.parties.contracts import NewParty, PartyKind
from apps.parties.models import Party
from apps.parties.selectors import parties as visible_parties
from apps.parties.services import parties


class PartyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet):
    """The parties of the key's own application and branches."""

    queryset = Party.objects.none()
    serializer_class = serializers.PartyOut
    filterset_class = filters.PartyFilter
    id_prefix = "pty"
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "parties:read",
        "retrieve": "parties:read",
        "create": "parties:write",
        "partial_update": "parties:write",
        "archive": "parties:write",
    }
    idempotent_actions = frozenset({"create"})

    def get_queryset(self) -> QuerySet[Party]:
        return visible_parties.visible_to(self.request.user)

    @extend_schema(request=serializers.PartyIn, responses={201: serializers.PartyOut})
    def create(self, request: Request, **_: str) -> Response:
        """Record a party; an external id that the application has used already is refused."""
        body = serializers.PartyIn(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        caller = cast(Caller, request.user)
        party = parties.create(
            request=NewParty(
                kind=PartyKind(said["kind"].upper()),
                branch_id=branches.chosen(caller, said["branch_id"]).id,
                application_id=caller.application_id,
                facts=serializers.facts(said),
                external_id=said["external_id"],
            ),
            actor=caller.actor,
            now=clock.now(),
        )
        return Response(self.get_serializer(party).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=serializers.PartyChangeIn, responses={200: serializers.PartyOut})
    def partial_update(self, request: Request, **_: str) -> Response:
        """Change what is named, if ``version`` is still the present one."""
        body = serializers.PartyChangeIn(data=request.data)
        body.is_valid(raise_exception=True)
        party = self.get_object()
        said = {**serializers.present(party), **body.validated_data}
        changed = parties.change(
            party_id=party.id,
            version=said.pop("version"),
            facts=serializers.facts(said),
            actor=cast(Caller, request.user).actor,
            now=clock.now(),
        )
        return Response(self.get_serializer(changed).data)

    @extend_schema(request=None, responses={200: serializers.PartyOut})
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, **_: str) -> Response:
        """Offer a party no longer; a second time changes nothing."""
        party = parties.archive(
            party_id=self.get_object().id, actor=cast(Caller, request.user).actor, now=clock.now()
        )
        return Response(self.get_serializer(party).data)
