"""Queues, acknowledgement and the beat schedule; PostgreSQL is the truth, the broker only wakes."""

from celery.schedules import crontab

from treasury.settings import env

CELERY_BROKER_URL = env.text("TREASURY_REDIS_URL")
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "access.*": {"queue": "default"},
    "approvals.*": {"queue": "default"},
    "audit.check_links_organisation": {"queue": "sealing"},
    "audit.seal_organisation": {"queue": "sealing"},
    "audit.*": {"queue": "default"},
    "disbursements.sweep": {"queue": "default"},
    "disbursements.sweep_organisation": {"queue": "default"},
    "disbursements.*": {"queue": "providers"},
    "events.relay": {"queue": "events"},
    "events.send_webhooks": {"queue": "webhooks"},
    "events.sweep": {"queue": "default"},
    "events.sweep_organisation": {"queue": "events"},
    "integrations.ask_balance": {"queue": "providers"},
    "integrations.register_addresses": {"queue": "providers"},
    "integrations.*": {"queue": "default"},
    "jobs.run": {"queue": "jobs"},
    "jobs.*": {"queue": "default"},
    "ledger.fetch_rates_organisation": {"queue": "providers"},
    "ledger.seal_organisation": {"queue": "sealing"},
    "ledger.check_seals_organisation": {"queue": "sealing"},
    "ledger.*": {"queue": "default"},
    "payments.answer_dispute": {"queue": "providers"},
    "payments.confirm_money": {"queue": "providers"},
    "payments.list_disputes": {"queue": "default"},
    "payments.list_disputes_organisation": {"queue": "providers"},
    "payments.order_attempt": {"queue": "providers"},
    "payments.pull": {"queue": "default"},
    "payments.pull_organisation": {"queue": "providers"},
    "payments.query_attempt": {"queue": "providers"},
    "payments.query_dispute": {"queue": "providers"},
    "payments.query_refund": {"queue": "providers"},
    "payments.read_dispute": {"queue": "providers"},
    "payments.follow_method": {"queue": "providers"},
    "payments.request_collection": {"queue": "providers"},
    "payments.request_refund": {"queue": "providers"},
    "payments.request_refund_status": {"queue": "providers"},
    "payments.request_status": {"queue": "providers"},
    "payments.sweep": {"queue": "default"},
    "payments.sweep_organisation": {"queue": "default"},
    "tenancy.sweep": {"queue": "default"},
    "tenancy.sweep_ends": {"queue": "default"},
    "tenancy.*": {"queue": "owner"},
}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_TASK_TENANT_CACHE_SECONDS = 30
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "events-sweep": {"task": "events.sweep", "schedule": 5.0, "options": {"queue": "default", "expires": 5}},
    "payments-sweep": {
        "task": "payments.sweep",
        "schedule": 5.0,
        "options": {"queue": "default", "expires": 5},
    },
    "disbursements-sweep": {
        "task": "disbursements.sweep",
        "schedule": 5.0,
        "options": {"queue": "default", "expires": 5},
    },
    "approvals-sweep": {
        "task": "approvals.sweep",
        "schedule": 60.0,
        "options": {"queue": "default", "expires": 60},
    },
    "audit-seal": {
        "task": "audit.seal",
        "schedule": 60.0,
        "options": {"queue": "default", "expires": 60},
    },
    "audit-check-links": {
        "task": "audit.check_links",
        "schedule": crontab(hour=1, minute=45),
        "options": {"queue": "default", "expires": 3600},
    },
    "jobs-sweep": {"task": "jobs.sweep", "schedule": 5.0, "options": {"queue": "default", "expires": 5}},
    "ledger-expire-holds": {
        "task": "ledger.expire_holds",
        "schedule": 60.0,
        "options": {"queue": "default", "expires": 60},
    },
    "ledger-seal": {
        "task": "ledger.seal",
        "schedule": 60.0,
        "options": {"queue": "default", "expires": 60},
    },
    "ledger-check-seals": {
        "task": "ledger.check_seals",
        "schedule": crontab(hour=1, minute=30),
        "options": {"queue": "default", "expires": 3600},
    },
    "tenancy-sweep-ends": {
        "task": "tenancy.sweep_ends",
        "schedule": 300.0,
        "options": {"queue": "default", "expires": 300},
    },
    "tenancy-sweep": {
        "task": "tenancy.sweep",
        "schedule": 5.0,
        "options": {"queue": "default", "expires": 5},
    },
    "jobs-expire": {
        "task": "jobs.expire",
        "schedule": 3600.0,
        "options": {"queue": "default", "expires": 600},
    },
    "payments-pull": {
        "task": "payments.pull",
        "schedule": 900.0,
        "options": {"queue": "default", "expires": 300},
    },
    "payments-list-disputes": {
        "task": "payments.list_disputes",
        "schedule": 1800.0,
        "options": {"queue": "default", "expires": 600},
    },
    "integrations-watch-balances": {
        "task": "integrations.watch_balances",
        "schedule": 900.0,
        "options": {"queue": "default", "expires": 300},
    },
    "ledger-fetch-rates": {
        "task": "ledger.fetch_rates",
        "schedule": 10800.0,
        "options": {"queue": "default", "expires": 3600},
    },
    "access-sweep-links": {
        "task": "access.sweep_links",
        "schedule": 60.0,
        "options": {"queue": "default", "expires": 60},
    },
    "access-purge": {
        "task": "access.sweep",
        "schedule": 3600.0,
        "options": {"queue": "default", "expires": 600},
    },
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.text("TREASURY_REDIS_URL"),
        "KEY_FUNCTION": "django_tenants.cache.make_key",
    }
}
