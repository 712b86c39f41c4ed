"""PostgreSQL: one alias, two roles; what the application role may do is granted by list."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from treasury.settings import env

PATIENCE = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
"""Seconds to connect, milliseconds until a server that acknowledges nothing is given up: it may have failed over."""
CONNECTIONS = 25
"""
At most, of one process: one for each thread of the one that has most (bin/serve providers) and one beside. A thread that
waits in vain could not write down what a provider has answered.
"""
PREPARED = 5
"""Not None, as Django has it, with which psycopg prepares nothing: hot reads and the ledger's calls ask for it by themselves."""
LIMITS = {
    "app": "-c lock_timeout=3s -c statement_timeout=10s -c idle_in_transaction_session_timeout=60s",
    "owner": "",
}
"""What nobody waits for any longer; apps/kit/patience.py gives single pieces of work more. Migrations take what they need."""


def _database() -> dict[str, Any]:
    """Return Django's settings for the role that DB_ROLE names."""
    url = urlsplit(env.text("TREASURY_POSTGRES_URL"))
    role = env.text("DB_ROLE")
    if role not in {"app", "owner"}:
        raise env.SettingMissing("DB_ROLE is app or owner.")
    chosen = {name: value for name, value in parse_qsl(url.query) if name in env.OF_POSTGRES_URL}
    password = env.text(f"TREASURY_POSTGRES_{role.upper()}_PASSWORD")
    return {
        "ENGINE": "django_tenants.postgresql_backend",
        "HOST": url.hostname or "127.0.0.1",
        "PORT": str(url.port or 5432),
        "NAME": url.path.lstrip("/") or "treasury",
        "USER": f"treasury_{role}" if password else unquote(url.username or f"treasury_{role}"),
        "PASSWORD": password or unquote(url.password or ""),
        "CONN_MAX_AGE": 0,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {
            "prepare_threshold": PREPARED,
            "pool": {"min_size": 1, "max_size": CONNECTIONS, "timeout": 10},
            "options": LIMITS[role],
            **PATIENCE,
            **chosen,
        },
    }


DATABASES = {"default": _database()}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_MODEL = "tenancy.Organisation"
TENANT_DOMAIN_MODEL = "tenancy.Domain"
TENANT_TEMPLATE_SCHEMA = "org__template__pristine"
PUBLIC_SCHEMA_NAME = "public"
AUTO_CREATE_SCHEMA = False
TENANT_LIMIT_SET_CALLS = True  # the search path is set when it has changed or may have been rolled back

# apps/tenancy/sql/grants.sql takes these back from the application role, in every organisation's schema.
NO_WRITE_TABLES = [
    "audit_auditlink",
    "audit_configurationhistory",
    "audit_waitingauditrecord",
    "django_migrations",
    "ledger_book",
    "ledger_currency",
    "ledger_account",
    "ledger_balance",
    "ledger_transaction",
    "ledger_entry",
    "ledger_movement",
    "ledger_seal",
    "ledger_sealleaf",
    "ledger_period",
    "ledger_checkpoint",
]
INSERT_ONLY_TABLES = [
    "approvals_approvaldecision",
    "approvals_approvalreminder",
    "approvals_approvalstep",
    "approvals_approvalversion",
    "approvals_counteddeed",
    "approvals_namedrow",
    "approvals_requestedstep",
    "approvals_splitpart",
    "audit_auditrecord",
    "events_outboxevent",
    "events_webhookattempt",
    "integrations_addressregistration",
    "integrations_providerbalancereading",
    "integrations_providercall",
    "integrations_providercallback",
    "documents_artifact",
    "invoicing_document",
    "ledger_closing",
    "ledger_fxrate",
    "ledger_signoff",
    "ledger_unbooked",
    "payments_routingdecision",
    "payments_routingtarget",
]
NO_DELETE_TABLES = [
    "access_apikey",
    "access_application",
    "access_branch",
    "access_membership",
    "access_role",
    "approvals_approvaldelegation",
    "approvals_approvalrequest",
    "approvals_approvalrule",
    "disbursements_connectedaccount",
    "disbursements_transfer",
    "disbursements_transferreversal",
    "events_webhookendpoint",
    "integrations_callbackprocessing",
    "integrations_provideraccount",
    "integrations_providererrorrule",
    "invoicing_numberseries",
    "jobs_job",
    "ledger_chartline",
    "ledger_hold",
    "parties_party",
    "payments_bulkitem",
    "payments_collectionpolicy",
    "payments_dispute",
    "payments_disputefile",
    "payments_inboundreceipt",
    "payments_listedmovement",
    "payments_paymentattempt",
    "payments_paymentintent",
    "payments_paypage",
    "payments_pullcursor",
    "payments_refund",
    "payments_routingrule",
    "payments_savedmethod",
]
APP_FUNCTIONS = [
    "approvals_has_touched",
    "audit_store_links",
    "ledger_transfer",
    "ledger_post",
    "ledger_open_account",
    "ledger_find_account",
    "ledger_set_limits",
    "ledger_set_status",
    "ledger_store_seal",
    "ledger_change_book",
    "ledger_open_period",
    "ledger_mark_period",
    "ledger_close_period",
    "ledger_reopen_period",
]

# What apps/tenancy/sql/grants_public.sql gives the application role in the shared schema; every table stands in one of these.
PUBLIC_READ_TABLES = [
    "accounts_platformlink",
    "accounts_trailhead",
    "accounts_waitingplatformrecord",
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
    "django_migrations",
    "tenancy_organisationhistory",
    "tenancy_schemasnapshot",
]
PUBLIC_INSERT_ONLY_TABLES = ["accounts_platformrecord", "django_admin_log"]
PUBLIC_NO_DELETE_TABLES = [
    "accounts_user",
    "tenancy_datakey",
    "tenancy_domain",
    "tenancy_grantchange",
    "tenancy_invite",
    "tenancy_linkrequest",
    "tenancy_offboarding",
    "tenancy_organisation",
    "tenancy_organisationrequest",
    "tenancy_provisioning",
]
PUBLIC_TABLES = [
    "accounts_authenticator",
    "accounts_platformsession",
    "accounts_recoverycode",
    "axes_accessattempt",
    "axes_accessattemptexpiration",
    "axes_accessfailurelog",
    "axes_accesslog",
    "django_celery_beat_clockedschedule",
    "django_celery_beat_crontabschedule",
    "django_celery_beat_intervalschedule",
    "django_celery_beat_periodictask",
    "django_celery_beat_periodictasks",
    "django_celery_beat_solarschedule",
    "django_session",
    "tenancy_handover",
    "tenancy_registeredapplication",
    "tenancy_userorganisation",
]

# Tables of settings: triggers keep what their rows become (apps/kit/history.py says what the words mean).
WATCHED_TABLES: dict[str, dict[str, Any]] = {
    "access_apikey": {
        "hidden": ("digest",),
        "noise": ("last_used_at", "last_used_ip", "last_refused_at", "last_refused_ip"),
    },
    "access_application": {},
    "access_branch": {},
    "access_branchexternalid": {"owner": "branch_id"},
    "access_membership": {},
    "access_membership_branches": {"owner": "membership_id"},
    "access_role": {},
    "access_rolelimit": {"owner": "role_id"},
    "approvals_approvaldelegation": {},
    "approvals_approvalrule": {},
    "approvals_approvalstep": {"owner": "rule_id"},
    "events_webhookendpoint": {
        "hidden": ("sealed_secret", "sealed_previous_secret"),
        "noise": ("failing_since",),
    },
    "integrations_provideraccount": {"hidden": ("sealed_credentials", "certificate", "callback_token")},
    "integrations_providererrorrule": {},
    "ledger_book": {"noise": ("closed_through", "late_items")},
    "ledger_chartline": {},
    "payments_routingrule": {"noise": ("xact",)},
    "payments_routingtarget": {"owner": "rule_id"},
}
WATCHED_PUBLIC_TABLES: dict[str, dict[str, Any]] = {
    "tenancy_domain": {"owner": "tenant_id"},
    "tenancy_organisation": {"noise": ("upgraded_to",)},
}
