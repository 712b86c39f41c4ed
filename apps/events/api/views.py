"""Events, webhook endpoints, their deliveries and sandbox inboxes over the API."""

from datetime import timedelta
from typing import Any, ClassVar, Protocol, cast
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils.module_loading import import_string
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.events import rendering
from apps.events.api import filters, serializers
from apps.events.models import OutboxEvent, SandboxInbox, WebhookDelivery, WebhookEndpoint
from apps.events.selectors import events, inboxes, webhooks
from apps.events.services import sandbox_inboxes, webhook_deliveries, webhook_endpoints
from apps.kit import clock, ids
from apps.kit.actors import Actor
from apps.kit.views import TreasuryViewSet
from apps.tenancy.selectors import organisations


class Partner(Protocol):
    """What this app needs of a caller: whose events and endpoints he may touch, and who he is."""

    application_id: UUID
    branch_id: UUID | None
    actor: Actor


def partner(request: Request) -> Partner:
    """Return the caller whom authentication, an app above this one, has put on the request."""
    return cast("Partner", request.user)


def branches_of(request: Request) -> set[UUID] | None:
    """Return the branches whose rows the caller sees by the policy of the organisation, None for all."""
    reach = import_string(settings.TREASURY["BRANCH_REACH"])
    return reach(request.user)


class EventListViewSet(TreasuryViewSet):
    """A list of events in their envelopes."""

    queryset = OutboxEvent.objects.none()
    serializer_class = serializers.EventOut
    filterset_class = filters.EventFilter
    required_scopes: ClassVar[dict[str, str]] = {"list": "events:read", "retrieve": "events:read"}

    def get_queryset(self) -> QuerySet[OutboxEvent]:
        caller = partner(self.request)
        return events.for_partner(application_id=caller.application_id, branch_ids=branches_of(self.request))

    @extend_schema(responses=serializers.EventOut(many=True))
    def list(self, request: Request, **_: str) -> Response:  # noqa: ARG002 (the router's signature)
        """List events, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([self._shown(event) for event in page])

    def _shown(self, event: OutboxEvent) -> dict[str, Any]:
        return rendering.envelope(event, organisation=organisations.current())


class EventViewSet(EventListViewSet):
    """The events that the application may know: what its webhooks carry, to be read again."""

    id_prefix = "evt"

    def retrieve(self, request: Request, **_: str) -> Response:  # noqa: ARG002 (the router's signature)
        """Read one event."""
        return Response(self._shown(self.get_object()))


class ObjectEventViewSet(EventListViewSet):
    """The events of one object that the application may know; ``id_prefix`` says of which kind the object is."""

    lookup_url_kwarg = "object_id"

    def get_queryset(self) -> QuerySet[OutboxEvent]:
        found = super().get_queryset().filter(aggregate_id=self.path_id())
        if not found.exists():  # whatever is made is announced: it is not there, or not for this caller
            raise ids.InvalidId("no such object")
        return found


class PaymentEventViewSet(ObjectEventViewSet):
    """The events of a payment."""

    id_prefix = "pi"


class RefundEventViewSet(ObjectEventViewSet):
    """The events of a refund."""

    id_prefix = "re"


class WebhookEndpointViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet):
    """
    Where the application wants its events.

    Creating an endpoint takes no Idempotency-Key, because its answer holds the secret and answers are stored. A
    repeated request is refused with the identifier of the endpoint that exists; rotate its secret if it was lost.
    """

    queryset = WebhookEndpoint.objects.none()
    serializer_class = serializers.WebhookEndpointOut
    id_prefix = "whe"
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "webhooks:read",
        "retrieve": "webhooks:read",
        "deliveries": "webhooks:read",
        "create": "webhooks:write",
        "destroy": "webhooks:write",
        "rotate_secret": "webhooks:write",
        "enable": "webhooks:write",
        "disable": "webhooks:write",
    }

    def get_queryset(self) -> QuerySet[WebhookEndpoint]:
        caller = partner(self.request)
        return webhooks.endpoints(application_id=caller.application_id, branch_ids=branches_of(self.request))

    @extend_schema(
        request=serializers.WebhookEndpointIn, responses={201: serializers.WebhookEndpointIssuedOut}
    )
    def create(self, request: Request, **_: str) -> Response:
        """Make an endpoint; its signing secret is shown this once."""
        body = serializers.WebhookEndpointIn(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = {**body.validated_data, "branch_id": _branch(request, body.validated_data["branch_id"])}
        made = webhook_endpoints.create(
            **wanted,
            application_id=partner(request).application_id,
            actor=partner(request).actor,
            now=clock.now(),
        )
        return Response(serializers.issued(made), status=status.HTTP_201_CREATED)

    def destroy(self, request: Request, **_: str) -> Response:
        """Delete an endpoint and its secrets; what was delivered stays on record."""
        webhook_endpoints.delete(
            endpoint_id=self.get_object().id, actor=partner(request).actor, now=clock.now()
        )
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=serializers.RotateSecretIn, responses={200: serializers.WebhookEndpointIssuedOut})
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, **_: str) -> Response:
        """Replace the signing secret; webhooks bear both signatures until the grace period ends."""
        endpoint = self.get_object()
        body = serializers.RotateSecretIn(data=request.data)
        body.is_valid(raise_exception=True)
        made = webhook_endpoints.rotate_secret(
            endpoint_id=endpoint.id,
            grace=timedelta(hours=body.validated_data["grace_hours"]),
            actor=partner(request).actor,
            now=clock.now(),
        )
        return Response(serializers.issued(made))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, **_: str) -> Response:
        """Send events again to an endpoint that was switched off."""
        endpoint = webhook_endpoints.enable(
            endpoint_id=self.get_object().id, actor=partner(request).actor, now=clock.now()
        )
        return Response(self.get_serializer(endpoint).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, **_: str) -> Response:
        """Send nothing more for now; events of this time are not delivered later."""
        endpoint = webhook_endpoints.disable(
            endpoint_id=self.get_object().id, actor=partner(request).actor, now=clock.now()
        )
        return Response(self.get_serializer(endpoint).data)

    @extend_schema(
        responses=serializers.WebhookDeliveryOut(many=True),
        parameters=[
            OpenApiParameter(
                "status", enum=filters.DELIVERY_STATES, description="Only deliveries in this state."
            )
        ],
        filters=False,
    )
    @action(detail=True, filterset_class=filters.WebhookDeliveryFilter)
    def deliveries(self, request: Request, **_: str) -> Response:
        """List what was delivered to the endpoint, with every attempt, newest first."""
        caller = partner(request)
        rows = webhooks.deliveries(application_id=caller.application_id, branch_ids=branches_of(self.request))
        page = self.paginate_queryset(self.filter_queryset(rows.filter(endpoint=self.get_object())))
        return self.get_paginated_response(serializers.WebhookDeliveryOut(page, many=True).data)


class WebhookDeliveryViewSet(mixins.RetrieveModelMixin, TreasuryViewSet):
    """One event on its way to one endpoint."""

    queryset = WebhookDelivery.objects.none()
    serializer_class = serializers.WebhookDeliveryOut
    id_prefix = "whd"
    required_scopes: ClassVar[dict[str, str]] = {"retrieve": "webhooks:read", "replay": "webhooks:write"}

    def get_queryset(self) -> QuerySet[WebhookDelivery]:
        caller = partner(self.request)
        return webhooks.deliveries(application_id=caller.application_id, branch_ids=branches_of(self.request))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, **_: str) -> Response:
        """Send once more, now, under the same webhook id; if it fails it is retried like a new one."""
        row = webhook_deliveries.replay(
            delivery_id=self.get_object().id, actor=partner(request).actor, now=clock.now()
        )
        return Response(self.get_serializer(row).data)


class SandboxInboxViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TreasuryViewSet):
    """Inboxes of a test organisation, to watch webhooks arrive and fail."""

    queryset = SandboxInbox.objects.none()
    serializer_class = serializers.SandboxInboxOut
    id_prefix = "inb"
    required_scopes: ClassVar[dict[str, str]] = {
        "list": "webhooks:read",
        "retrieve": "webhooks:read",
        "requests": "webhooks:read",
        "create": "webhooks:write",
        "destroy": "webhooks:write",
        "fail_next": "webhooks:write",
    }
    idempotent_actions: ClassVar[frozenset[str]] = frozenset({"create"})

    def get_queryset(self) -> QuerySet[SandboxInbox]:
        return inboxes.visible(application_id=partner(self.request).application_id)

    @extend_schema(request=serializers.SandboxInboxIn, responses={201: serializers.SandboxInboxOut})
    def create(self, request: Request, **_: str) -> Response:
        """Make an inbox; give its URL to a webhook endpoint."""
        body = serializers.SandboxInboxIn(data=request.data)
        body.is_valid(raise_exception=True)
        inbox = sandbox_inboxes.create(
            **body.validated_data, application_id=partner(request).application_id, now=clock.now()
        )
        return Response(self.get_serializer(inbox).data, status=status.HTTP_201_CREATED)

    def destroy(self, request: Request, **_: str) -> Response:  # noqa: ARG002 (the router's signature)
        """Delete an inbox and what it received."""
        sandbox_inboxes.delete(inbox_id=self.get_object().id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=serializers.FailNextIn, responses={200: serializers.SandboxInboxOut})
    @action(detail=True, methods=["post"], url_path="fail-next")
    def fail_next(self, request: Request, **_: str) -> Response:
        """Answer the next requests with an error status: ``{"respond": 500, "times": 3}``."""
        found = self.get_object()
        body = serializers.FailNextIn(data=request.data)
        body.is_valid(raise_exception=True)
        inbox = sandbox_inboxes.fail_next(
            inbox_id=found.id,
            status=body.validated_data["respond"],
            times=body.validated_data["times"],
        )
        return Response(self.get_serializer(inbox).data)

    @extend_schema(responses=serializers.SandboxRequestOut(many=True))
    @action(detail=True)
    def requests(self, request: Request, **_: str) -> Response:  # noqa: ARG002 (the router's signature)
        """List what the inbox received, newest first: the last 100 requests."""
        page = self.paginate_queryset(inboxes.requests(self.get_object().id))
        return self.get_paginated_response(serializers.SandboxRequestOut(page, many=True).data)


def _branch(request: Request, branch_id: UUID | None) -> UUID | None:
    """Return the branch of a new endpoint: the named one if the caller may act for it, else his own, else all."""
    if branch_id is None:
        return partner(request).branch_id
    choose = import_string(settings.TREASURY["BRANCH_CHOICE"])
    return choose(request.user, branch_id).id
