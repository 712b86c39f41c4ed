"""The schema of an organisation: REST API, provider callbacks, webhook inbox and the portal."""

from importlib import import_module
from importlib.util import find_spec

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from rest_framework.routers import SimpleRouter


def _has(name):
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


router = SimpleRouter(trailing_slash=False)
for app in ("payments", "invoicing", "events", "access"):
    if _has(f"apps.{app}.api.urls"):
        import_module(f"apps.{app}.api.urls").register(router)

urlpatterns = [
    path("", RedirectView.as_view(url="/portal/", permanent=False)),
    path("v1/<str:tenant_id>/", include(router.urls)),
    path("api/v1/<str:tenant_id>/", include((router.urls, "alias"))),
    *(
        [path("hooks/<str:organisation>/", include("apps.integrations.api.urls"))]
        if _has("apps.integrations.api.urls")
        else []
    ),
    *(
        [path("sandbox/<str:organisation>/", include("apps.events.api.inbox_urls"))]
        if _has("apps.events.api.inbox_urls")
        else []
    ),
    *([path("portal/", include("apps.portal.pages.urls"))] if _has("apps.portal.pages.urls") else []),
    path("portal/", admin.site.urls),
]

handler404 = "treasury.errors.not_found"
handler500 = "treasury.errors.server_error"
handler403 = "treasury.errors.permission_denied"
