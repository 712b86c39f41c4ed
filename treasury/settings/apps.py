"""The only place that splits the apps into shared (public schema) and organisation (tenant schema)."""

UNFOLD_APPS = ["unfold.apps.BasicAppConfig", "unfold.contrib.filters", "unfold.contrib.forms"]

SHARED_APPS = [
    *UNFOLD_APPS,  # before django_tenants, which ships an admin/index.html of its own
    "django_tenants",
    "apps.tenancy",
    "apps.accounts",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django_otp",
    "axes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",  # no tables; Django 6.0 wants it listed where an ArrayField is
    "django.contrib.staticfiles",
    "apps.access.apps.OrganisationAdminConfig",
    "django_celery_beat",
    "django_prometheus",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "apps.kit",
    "apps.simulator",
    "treasury",
]

TENANT_APPS = [
    "django.contrib.sessions",
    "apps.access.apps.OrganisationAdminConfig",
    "apps.audit",
    "apps.events",
    "apps.access",
    "apps.approvals",
    "apps.jobs",
    "apps.documents",
    "apps.parties",
    "apps.integrations",
    "apps.ledger",
    "apps.payments",
    "apps.disbursements",
    "apps.invoicing",
    "apps.portal",
]

INSTALLED_APPS = [*SHARED_APPS, *(app for app in TENANT_APPS if app not in SHARED_APPS)]
