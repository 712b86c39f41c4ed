"""What every process shares: apps, middleware, templates, language and time, and the product's own TREASURY settings."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from treasury.settings import env
from treasury.settings.apps import *

BASE_DIR = env.BASE_DIR
SECRET_KEY = env.text("TREASURY_SECRET_KEY")
DEBUG = False

HTTP_PORT = env.number("TREASURY_HTTP_PORT")
PUBLIC_URL = (env.text("TREASURY_PUBLIC_URL") or f"http://127.0.0.1:{HTTP_PORT}").rstrip("/")
SIMULATOR_URL = env.text("TREASURY_SIMULATOR_URL").rstrip("/")

TREASURY: dict[str, Any] = {
    "PUBLIC_URL": PUBLIC_URL,
    "BASE_DOMAIN": env.text("TREASURY_BASE_DOMAIN"),
    "SIMULATOR_URL": SIMULATOR_URL,
    "RATE_URLS": {
        "ecb": env.text("TREASURY_RATES_ECB_URL"),
        "cbk": env.text("TREASURY_RATES_CBK_URL"),
        "quotes": env.text("TREASURY_RATES_QUOTES_URL"),
    },
    "SANDBOX_INBOX_PREFIX": f"{PUBLIC_URL}/sandbox/",
    "WEBHOOK_LOOPBACK": env.text("TREASURY_WEBHOOK_LOOPBACK"),
    "SANDBOX_INBOX_LOCAL": False,  # inboxes also in live organisations: for the demo and tests
    "VALIDATE_EVENTS": False,  # against their JSON Schema, on publishing: development and tests
    "MASTER_KEY": env.text("TREASURY_MASTER_KEY"),
    "ONBOARDING_OPEN": env.text("TREASURY_ONBOARDING_OPEN") == "true",  # nobody accepts who registers; tests
    "PLATFORM_SECOND_FACTOR": True,  # platform staff sign in with one; a developer's machine asks for none
    "BOOKED_BALANCES": "apps.ledger.selectors.accounts.held_at_providers",
    "BRANCH_CHOICE": "apps.access.selectors.branches.chosen",
    "BRANCH_REACH": "apps.access.selectors.scope.branch_ids",
    "GRANT_CHECK": "apps.access.services.credentials.require_hooks_granted",
    "SAVED_VIEWS": "apps.portal.selectors.saved_views.of_list",
    "STORAGE_ROOT": "apps.tenancy.selectors.organisations.storage_root",
    "BEGINNING": "treasury.content.begin",
    "RENEWAL": "treasury.content.renew",
    "CONTENT_VERSION": "treasury.content.version",
    "STEP_UP": "apps.access.admin_sites.step_up.StepUp",
    "STEP_UP_SECONDS": 5 * 60,  # the oldest proof of himself that a person brings to a deed over money
    "IDLE_SECONDS": 15 * 60,  # a session that nobody uses for so long is over
    "ROW_HISTORY": "apps.portal.pages.history",  # what became of a row: url_of(request, row), of_row(request, row, heading)
    "EXPORT_DIALOG": "apps.jobs.dialogs.export_of",
    "PROVIDERS": [  # the declarations of the providers that organisations may have accounts with
        "apps.integrations.mpesa.provider.PROVIDER",
        "apps.integrations.stripe.provider.PROVIDER",
        "apps.integrations.paypal.provider.PROVIDER",
    ],
    "INBOUND_CHECK": "apps.payments.services.inbound_checks.decide",  # who says whether money may come in, as decide(account_id=, report=, now=) -> InboundCheck
    "CALLBACK_READER": "apps.payments.services.callbacks.apply",  # who reads a stored callback again, as apply(callback_id=, now=)
    "IDEMPOTENCY": "apps.access.idempotency.idempotent",
    "IDEMPOTENCY_HOURS": 72,
    "FAULT_PATH": env.text("TREASURY_FAULT_PATH"),
    "POLL_PLAN": [int(seconds) for seconds in env.items("TREASURY_POLL_PLAN")],
    "WAIT_SECONDS": env.number("TREASURY_WAIT_SECONDS"),
    "WAITING_REQUESTS": env.number("TREASURY_WAITING_REQUESTS"),
    "SENDING_TIMEOUT": env.number("TREASURY_SENDING_TIMEOUT"),
    "WEBHOOK_TIMEOUT": env.number("TREASURY_WEBHOOK_TIMEOUT"),
    "UPLOAD_BYTES": env.number("TREASURY_UPLOAD_MEGABYTES") * 1_000_000,
    "RATE_LIMIT_URL": env.text("TREASURY_REDIS_URL"),
    "RATE_LIMITS": {
        "key": env.number("TREASURY_LIMIT_KEY"),
        "test_key": env.number("TREASURY_LIMIT_TEST_KEY"),
        "money": env.number("TREASURY_LIMIT_MONEY"),
        "organisation": env.number("TREASURY_LIMIT_ORGANISATION"),
        "strangers": env.number("TREASURY_LIMIT_STRANGERS"),
        "sign_ins": env.number("TREASURY_LIMIT_SIGN_INS"),
    },
    "TRUSTED_PROXIES": env.number("TREASURY_TRUSTED_PROXIES"),
    "VERSION": env.text("TREASURY_VERSION"),
    "HEARTBEAT_PATH": env.text("TREASURY_HEARTBEAT_PATH"),
}
EVENT_WIRING = "treasury.wiring.HANDLERS"

MIDDLEWARE = [
    "treasury.middleware.RequestIdMiddleware",
    "treasury.middleware.HeadersMiddleware",
    "treasury.middleware.HealthMiddleware",
    "treasury.middleware.BodyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "treasury.middleware.TenantMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "treasury.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "treasury.middleware.NoStoreMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "treasury.middleware.RefusalMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "treasury.urls_tenant"
PUBLIC_SCHEMA_URLCONF = "treasury.urls_public"
WSGI_APPLICATION = "treasury.wsgi.application"
ASGI_APPLICATION = "treasury.asgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("sw", _("Kiswahili"))]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Africa/Nairobi"
FORMAT_MODULE_PATH = ["treasury.formats"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
