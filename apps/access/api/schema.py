"""What the OpenAPI document says about keys and access tokens."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from apps.access.contracts import SCOPES


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """A key, or an access token that a key was exchanged for: either opens every operation."""

    target_class = "apps.access.authentication.ApiKeyAuthentication"
    name = ["apiKey", "oauth2"]

    def get_security_requirement(self, auto_schema: object) -> list[dict[str, list[Any]]]:  # noqa: ARG002 (the library's signature)
        return [{"apiKey": []}, {"oauth2": []}]

    def get_security_definition(self, auto_schema: object) -> list[dict[str, Any]]:  # noqa: ARG002 (the library's signature)
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "description": "An API key of the organisation: `Authorization: Bearer tsk_live_…`. "
                "`X-API-Key: tsk_live_…` and HTTP Basic with the key as the user are accepted too.",
            },
            {
                "type": "oauth2",
                "description": "An access token of 15 minutes for an API key, whose prefix is the client id.",
                "flows": {"clientCredentials": {"tokenUrl": "/v1/{tenantId}/oauth/token", "scopes": SCOPES}},
            },
        ]


class ClientScheme(OpenApiAuthenticationExtension):
    """The client at the token endpoint, where it does not stand in the body."""

    target_class = "apps.access.authentication.ClientAuthentication"
    name = "client"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002 (the library's signature)
        return {
            "type": "http",
            "scheme": "basic",
            "description": "The prefix of an API key as the user, the whole key as the password.",
        }


class DirectoryScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document describes the directory secret."""

    target_class = "apps.access.api.onboarding_authentication.DirectoryAuthentication"
    name = "directorySecret"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002 (the library's signature)
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "The directory secret of a registered application: `Authorization: Bearer tsd_…`. "
            "It opens onboarding alone.",
        }
