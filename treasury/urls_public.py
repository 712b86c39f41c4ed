"""The public schema: the platform's admin site, the API documentation, the front page of the platform."""

from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

from treasury import docs
from treasury.platform import site

urlpatterns = [
    path("", RedirectView.as_view(url="/platform/", permanent=False)),
    path("platform/language", set_language, name="set_language"),
    path("platform/", site.urls),
    path("v1/onboarding/", include("apps.access.api.onboarding_urls")),
    path("v1/openapi.yaml", SpectacularAPIView.as_view(urlconf="treasury.urls_tenant"), name="openapi"),
    path("v1/docs/", SpectacularSwaggerSplitView.as_view(url_name="openapi"), name="docs"),
    path("v1/docs/errors", docs.errors, name="docs-errors"),
    path("v1/docs", RedirectView.as_view(url="/v1/docs/", permanent=False)),
    path("v1/docs/reference", SpectacularRedocView.as_view(url_name="openapi"), name="docs-reference"),
]

handler400 = "treasury.errors.bad_request"
handler404 = "treasury.errors.not_found"
handler500 = "treasury.errors.server_error"
handler403 = "treasury.errors.permission_denied"
