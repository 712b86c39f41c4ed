"""Structured logs: one event a line, with the request, organisation and task that it belongs to."""

from typing import Any

import structlog


def get(name: str) -> Any:
    """Return the logger of a module; events are short snake_case facts, everything else is a keyword."""
    return structlog.get_logger(name)
