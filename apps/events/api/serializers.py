"""Bodies of the events and webhooks API."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.events.models import SandboxInbox, SandboxRequest, WebhookEndpoint
from apps.events.services import sandbox_inboxes, webhook_endpoints
from apps.kit.serializers import IdField, InstantField, StrictSerializer

URL_LENGTH = 2000
TYPES_MAX = 100
HOURS_MAX = int(webhook_endpoints.GRACE_MAX.total_seconds() // 3600)


@extend_schema_field(OpenApiTypes.STR)
class ChoiceOut(serializers.Field):
    """A choice value as it goes over the wire: in lower case."""

    def to_representation(self, value: str) -> str:
        return value.lower()


class EventOut(serializers.Serializer):
    """An event in its CloudEvents 1.0 envelope: the same document that webhooks carry."""

    specversion = serializers.CharField()
    id = serializers.CharField(
        help_text="evt_…, also the webhook-id header: the key to recognise repetitions."
    )
    source = serializers.CharField()  # type: ignore[assignment]  # the attribute's name in CloudEvents
    type = serializers.CharField()
    topic = serializers.CharField()
    subject = serializers.CharField(help_text="Identifier of the object that the event is about.")
    time = serializers.DateTimeField()
    timestamp = serializers.DateTimeField()
    datacontenttype = serializers.CharField()
    dataschema = serializers.CharField()
    tenantid = serializers.CharField()
    branchid = serializers.CharField()
    mode = serializers.ChoiceField(choices=["test", "live"])
    aggregateid = serializers.CharField()
    aggregateversion = serializers.IntegerField(help_text="Grows with every event of the object.")
    data = serializers.DictField()  # type: ignore[assignment]  # likewise


class WebhookEndpointIn(StrictSerializer):
    """Where events go. No branch means all branches, no event types all types."""

    url = serializers.CharField(max_length=URL_LENGTH)
    description = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=64), required=False, default=list, max_length=TYPES_MAX
    )
    branch_id = IdField("br", required=False, allow_null=True, default=None)


class RotateSecretIn(StrictSerializer):
    grace_hours = serializers.IntegerField(min_value=0, max_value=HOURS_MAX, required=False, default=24)


class WebhookEndpointOut(serializers.Serializer):
    """An endpoint without its secret."""

    id = IdField("whe")
    object = serializers.CharField(read_only=True, default="webhook_endpoint")
    url = serializers.CharField()
    description = serializers.CharField()
    event_types = serializers.ListField(child=serializers.CharField())
    application_id = IdField("app")
    branch_id = IdField("br", allow_null=True)
    status = ChoiceOut()
    disabled_reason = serializers.CharField()
    previous_secret_until = InstantField(allow_null=True)
    created_at = InstantField()


class WebhookEndpointIssuedOut(WebhookEndpointOut):
    """An endpoint with its new signing secret, which is shown this once."""

    secret = serializers.SerializerMethodField(help_text="whsec_…, for any Standard Webhooks library.")

    def get_secret(self, _: WebhookEndpoint) -> str:
        return self.context["secret"]


class WebhookAttemptOut(serializers.Serializer):
    """One attempt: what came back, or why nothing did."""

    number = serializers.IntegerField()
    url = serializers.CharField()
    at = InstantField()
    duration_ms = serializers.IntegerField()
    address = serializers.CharField()
    http_status = serializers.IntegerField(allow_null=True)
    error = ChoiceOut()
    error_detail = serializers.CharField()
    response_headers = serializers.DictField(child=serializers.CharField())
    response_body = serializers.CharField(help_text="The first 4 kB.")


class WebhookDeliveryOut(serializers.Serializer):
    """One event on its way to one endpoint."""

    id = IdField("whd")
    object = serializers.CharField(read_only=True, default="webhook_delivery")
    endpoint_id = IdField("whe")
    event_id = IdField("evt")
    event_type = serializers.CharField(source="event.type")
    status = ChoiceOut()
    attempt_count = serializers.IntegerField()
    next_attempt_at = InstantField(allow_null=True)
    finished_at = InstantField(allow_null=True)
    created_at = InstantField()
    attempts = WebhookAttemptOut(many=True)


class SandboxInboxIn(StrictSerializer):
    """A new inbox; without a secret it checks with those of the endpoints that point to it."""

    label = serializers.CharField(  # type: ignore[assignment]  # a field's own attribute, replaced by the metaclass
        max_length=100, required=False, allow_blank=True, default=""
    )
    secret = serializers.CharField(
        max_length=120, required=False, allow_blank=True, default="", write_only=True
    )


class FailNextIn(StrictSerializer):
    """Answer the next requests with an error, so that retries can be watched."""

    respond = serializers.IntegerField(min_value=sandbox_inboxes.FAIL_MIN, max_value=sandbox_inboxes.FAIL_MAX)
    times = serializers.IntegerField(min_value=0, max_value=sandbox_inboxes.FAILURES_MAX)


class SandboxInboxOut(serializers.Serializer):
    """A sandbox inbox and the address to give to a webhook endpoint."""

    id = IdField("inb")
    object = serializers.CharField(read_only=True, default="sandbox_inbox")
    label = serializers.CharField()  # type: ignore[assignment]  # likewise
    url = serializers.SerializerMethodField()
    respond = serializers.IntegerField(source="fail_status", allow_null=True)
    times = serializers.IntegerField(source="fail_remaining")
    created_at = InstantField()

    def get_url(self, inbox: SandboxInbox) -> str:
        return sandbox_inboxes.url(inbox)


class SandboxRequestOut(serializers.Serializer):
    """One request that an inbox received."""

    id = IdField("inr")
    object = serializers.CharField(read_only=True, default="sandbox_request")
    method = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    body = serializers.SerializerMethodField()
    webhook_id = serializers.CharField()
    is_signature_valid = serializers.BooleanField(allow_null=True)
    signature_note = serializers.CharField()
    answered_status = serializers.IntegerField()
    received_at = InstantField()

    def get_body(self, received: SandboxRequest) -> str:
        return bytes(received.body).decode("utf-8", "replace")


def issued(made: webhook_endpoints.IssuedEndpoint) -> Any:
    """Return the body of an endpoint whose secret was just made."""
    return WebhookEndpointIssuedOut(made.endpoint, context={"secret": made.secret}).data
