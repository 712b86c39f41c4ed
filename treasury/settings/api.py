"""The REST API: authentication, scopes, problems, pagination and the OpenAPI document."""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.access.authentication.ApiKeyAuthentication"],
    "DEFAULT_THROTTLE_CLASSES": ["apps.access.throttles.CredentialThrottle"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.access.permissions.ScopePermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.kit.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "apps.kit.pagination.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "treasury.openapi.TreasurySchema",
    "EXCEPTION_HANDLER": "apps.kit.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Treasury API",
    "DESCRIPTION": "Collect, book and prove money. Amounts are decimal strings with their currency; every POST that moves "
    "money takes an Idempotency-Key; errors are RFC 9457 problem documents. "
    "Every answer to a valid credential says in `RateLimit-Policy` and `RateLimit` how often it may ask; beyond that it is 429 with `Retry-After`.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SERVE_PUBLIC": True,
    "SCHEMA_PATH_PREFIX": r"/v1/\{tenant_id\}|/v1(?=/onboarding)",
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "PREPROCESSING_HOOKS": ["treasury.openapi.keep_v1"],
    "POSTPROCESSING_HOOKS": ["treasury.openapi.add_problems"],
}
