"""What the OpenAPI document says about the key."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document describes the key."""

    target_class = "apps.access.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002 (the library's signature)
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key of the organisation: `Authorization: Bearer tsk_live_…`. "
            "`X-API-Key: tsk_live_…` and HTTP Basic with the key as the user are accepted too.",
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
