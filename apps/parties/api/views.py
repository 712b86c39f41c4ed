"""Parties over the API: list, create, read, change by version, keep by external id, archive."""

from typing import Any, ClassVar, cast

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
        "keep": "parties:write",
    }
    idempotent_actions = frozenset({"create"})

    def get_queryset(self) -> QuerySet[Party]:
        return visible_parties.visible_to(self.request.user)

    @extend_schema(request=serializers.PartyIn, responses={201: serializers.PartyOut})
    def create(self, request: Request, **_: str) -> Response:
        """Record a party; an external id that the application has used already is refused."""
        body = serializers.PartyIn(data=request.data)
        body.is_valid(raise_exception=True)
        caller = cast(Caller, request.user)
        wanted = self._wanted(body.validated_data, body.validated_data["external_id"])
        party = parties.create(request=wanted, actor=caller.actor, now=clock.now())
        return Response(self.get_serializer(party).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        request=serializers.PartyKeptIn,
        responses={200: serializers.PartyOut, 201: serializers.PartyOut},
    )
    @action(detail=False, methods=["put"], url_path="by-external-id/(?P<external_id>[^/]+)", url_name="keep")
    def keep(self, request: Request, external_id: str, **_: str) -> Response:
        """
        Let the body be all that is known of the party with your own id of it: 201 where it is new.

        It is safe to send it again, and needs no version: the last one wins. Kind and branch stay as they were recorded.
        """
        name = serializers.ExternalIdIn(data={"external_id": external_id})
        name.is_valid(raise_exception=True)
        body = serializers.PartyKeptIn(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = self._wanted(body.validated_data, name.validated_data["external_id"])
        actor = cast(Caller, request.user).actor
        party, is_new = parties.keep(request=wanted, actor=actor, now=clock.now())
        answer = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(self.get_serializer(party).data, status=answer)

    def _own(self) -> Party:
        """Return the party of the address; it may be seen and yet not be the caller's to change."""
        party = self.get_object()
        visible_parties.require_own(self.request.user, party)
        return party

    def _wanted(self, said: dict[str, Any], external_id: str) -> NewParty:
        """Return the party that a body describes; where it names no branch, that of a party known already."""
        caller = cast(Caller, self.request.user)
        named = said["branch_id"]
        if named is None and external_id:
            known = self.get_queryset().filter(external_id=external_id).first()
            named = known.branch_id if known else None
        return NewParty(
            kind=PartyKind(said["kind"].upper()),
            branch_id=branches.chosen(caller, named).id,
            application_id=caller.application_id,
            facts=serializers.facts(said),
            external_id=external_id,
        )

    @extend_schema(request=serializers.PartyChangeIn, responses={200: serializers.PartyOut})
    def partial_update(self, request: Request, **_: str) -> Response:
        """Change what is named, if ``version`` is still the present one."""
        body = serializers.PartyChangeIn(data=request.data)
        body.is_valid(raise_exception=True)
        changed = parties.change(
            party_id=self._own().id,
            version=body.validated_data["version"],
            facts=serializers.named(body.validated_data),
            actor=cast(Caller, request.user).actor,
            now=clock.now(),
        )
        return Response(self.get_serializer(changed).data)

    @extend_schema(request=None, responses={200: serializers.PartyOut})
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, **_: str) -> Response:
        """Offer a party no longer; a second time changes nothing."""
        party = parties.archive(
            party_id=self._own().id, actor=cast(Caller, request.user).actor, now=clock.now()
        )
        return Response(self.get_serializer(party).data)
