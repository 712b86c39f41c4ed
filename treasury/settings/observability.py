"""Structured logs without secrets, one JSON object a line; what fails is also reported where a DSN is set."""

from typing import Any

import structlog

from apps.kit import redaction
from treasury.settings import env


def without_secrets(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Redact every field just before it is written: ours and foreign lines, exceptions and stacks included."""
    return redaction.values(event)


SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]

structlog.configure(
    processors=[*SHARED_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": SHARED_PROCESSORS,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                without_secrets,
                structlog.processors.JSONRenderer(),
            ],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env.text("TREASURY_LOG_LEVEL")},
    "loggers": {
        "axes": {"level": "CRITICAL"},  # names people; what it would say is in the audit trails
        "django": {"level": "INFO"},
        "django.server": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
        "gunicorn.access": {"propagate": True},  # named here so that gunicorn's own handlers give way to ours
        "gunicorn.error": {"propagate": True},
        "httpcore": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
    },
}

if env.text("TREASURY_SENTRY_DSN"):
    LOGGING["handlers"]["reports"] = {
        "()": "treasury.reporting.start",
        "level": "WARNING",
        "dsn": env.text("TREASURY_SENTRY_DSN"),
        "release": env.text("TREASURY_VERSION"),
        "environment": env.text("TREASURY_ENVIRONMENT"),
    }
    LOGGING["root"]["handlers"].append("reports")
