"""The OpenAPI document: /v1 of an organisation and onboarding, with the problems that every operation may answer."""

from typing import Any

from django.urls import include, path
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework.schemas.generators import EndpointEnumerator

PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem document.",
    "required": [
        "type",
        "title",
        "status",
        "detail",
        "code",
        "category",
        "request_id",
        "retryable",
        "errors",
    ],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "description": "Stable; listed in the error reference."},
        "category": {"type": "string"},
        "request_id": {"type": "string"},
        "retryable": {"type": "boolean"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "message"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer to the field."},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255},
    OpenApiParameter.HEADER,
    required=True,
    description="1 to 255 visible ASCII characters, kept for 72 hours. "
    "The same key with the same body replays the first answer.",
)
PREFER = OpenApiParameter(
    "Prefer",
    {"type": "string", "example": "wait=5"},
    OpenApiParameter.HEADER,
    description="`wait=N` (RFC 7240): the answer comes up to N seconds later, 10 at most, once the provider has taken the "
    "request or refused it. An answer that waited says so in `Preference-Applied`.",
)
METHODS = {"get", "post", "put", "patch", "delete"}
REFUSALS = {
    "400": "The request is malformed, or a filter, a cursor or an Idempotency-Key cannot be.",
    "401": "No valid credential of this organisation was sent.",
    "403": "The credential is valid and may not do this.",
    "404": "There is no such thing for this credential.",
    "409": "Not in this state, or somebody else is at it.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "A field is wrong, or the Idempotency-Key was used for another request.",
    "429": "Too many requests.",
    "503": "Busy, or something that this needs does not answer; nothing was changed.",
}
OF_READING = set(REFUSALS) - {"413", "415"}
"""What a request without a body may be refused with."""


class TreasurySchema(AutoSchema):
    """Adds the scope to the description, and the Idempotency-Key and Prefer where the view takes them."""

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular changes the signature
        scope = getattr(self.view, "required_scopes", {}).get(getattr(self.view, "action", ""), "")
        text = super().get_description() or ""
        return f"{text}\n\nScope: `{scope}`.".strip() if scope else text

    def get_override_parameters(self) -> list[Any]:
        action = getattr(self.view, "action", "")
        found = [IDEMPOTENCY_KEY] if action in getattr(self.view, "idempotent_actions", ()) else []
        return [*found, PREFER] if action in getattr(self.view, "waiting_actions", ()) else found


def keep_v1(endpoints: list[Any], **_: Any) -> list[Any]:
    """Keep the canonical paths only, the alias below /api is not documented; onboarding is served outside of organisations."""
    onboarding = EndpointEnumerator([path("v1/onboarding/", include("apps.access.api.onboarding_urls"))])
    kept = [entry for entry in endpoints if entry[0].startswith("/v1/{tenant_id}/")]
    return [*kept, *((route, route, method, view) for route, method, view in onboarding.get_api_endpoints())]


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Name the problem schema once, and say of every operation with which statuses it may refuse."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    components["responses"] = {
        f"Problem{status}": {"description": meaning, "content": content}
        for status, meaning in REFUSALS.items()
    }
    for operations in result.get("paths", {}).values():
        for method, operation in operations.items():
            if method in METHODS:
                for status in sorted(OF_READING if method == "get" else REFUSALS):
                    reference = {"$ref": f"#/components/responses/Problem{status}"}
                    operation["responses"].setdefault(status, reference)
    return result
