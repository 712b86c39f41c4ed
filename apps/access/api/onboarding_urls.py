"""Where the onboarding API is found, below /v1/onboarding/ of the platform."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from apps.access.api import onboarding_views as views

router = SimpleRouter(trailing_slash=False)
router.register("links", views.LinkViewSet, basename="onboarding-link")
router.register("organisations", views.OrganisationRequestViewSet, basename="onboarding-organisation")

register = views.RegistrationViewSet.as_view({"post": "create"})
myself = views.RegisteredApplicationViewSet.as_view({"get": "retrieve"})
renewal = views.RegisteredApplicationViewSet.as_view({"post": "renew_secret"})

urlpatterns = [
    path("applications", register, name="onboarding-register"),
    path("application", myself, name="onboarding-application"),
    path("application/renew-secret", renewal, name="onboarding-renew-secret"),
    path("", include(router.urls)),
]
