"""Structured logs: one JSON object a line, with request id and organisation."""

import re
from typing import Any

import structlog

from treasury.settings import env

CALLBACK_ADDRESS = re.compile(r"(/(?:hooks|sandbox)/[0-9a-f]{32}/)[^/\s\"']+")


def without_tokens(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Leave the token out of every address of a callback: whoever reads logs must not be able to send one."""
    return {
        name: CALLBACK_ADDRESS.sub(r"\1…", value) if isinstance(value, str) else value
        for name, value in event.items()
    }


SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    without_tokens,
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
                structlog.processors.JSONRenderer(),
            ],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env.text("TREASURY_LOG_LEVEL")},
    "loggers": {
        "django": {"level": "INFO"},
        "django.server": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
    },
}
