"""The schema of an organisation: REST API, provider callbacks, webhook inbox and the portal."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language
from rest_framework.routers import SimpleRouter

from apps.access.api import urls as access_urls
from apps.access.api.token_views import RevocationView, TokenView
from apps.approvals.api import urls as approvals_urls
from apps.disbursements.api import urls as disbursements_urls
from apps.events.api import urls as events_urls
from apps.integrations.api import urls as integrations_urls
from apps.invoicing.api import urls as invoicing_urls
from apps.jobs.api import urls as jobs_urls
from apps.ledger.api import urls as ledger_urls
from apps.parties.api import urls as parties_urls
from apps.payments.api import urls as payments_urls

router = SimpleRouter(trailing_slash=False)
for urls in (
    payments_urls,
    disbursements_urls,
    ledger_urls,
    invoicing_urls,
    jobs_urls,
    integrations_urls,
    parties_urls,
    approvals_urls,
    events_urls,
    access_urls,
):
    urls.register(router)

urlpatterns = [
    path("", RedirectView.as_view(url="/portal/", permanent=False)),
    path("v1/<str:tenant_id>/oauth/token", TokenView.as_view()),
    path("v1/<str:tenant_id>/oauth/revoke", RevocationView.as_view()),
    path("v1/<str:tenant_id>/", include(router.urls)),
    path("api/v1/<str:tenant_id>/", include((router.urls, "alias"))),
    path("hooks/<str:organisation>/", include("apps.integrations.api.urls")),
    path("sandbox/<str:organisation>/", include("apps.events.api.inbox_urls")),
    path("pay/", include("apps.invoicing.pages.urls")),
    path("portal/language", set_language, name="set_language"),
    path("portal/", include("apps.portal.pages.urls")),
    path("portal/", admin.site.urls),
]

handler400 = "treasury.errors.bad_request"
handler404 = "treasury.errors.not_found"
handler500 = "treasury.errors.server_error"
handler403 = "treasury.errors.permission_denied"
