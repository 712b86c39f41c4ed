"""
Reports of errors to Sentry: whatever is logged as an error, or with an exception, by web, workers, beat and relay.

What leaves is named here and nothing else leaves: kinds of exceptions, places in the code, and a few labels. The words
of an exception stay in the logs, where the request id or the task id finds them: they may hold what a payer wrote.
"""

import logging
import sys
from collections.abc import Mapping
from typing import Any, cast

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.transport import Transport
from sentry_sdk.types import Event, Hint
from sentry_sdk.utils import event_from_exception
from structlog.contextvars import get_contextvars

from apps.kit import redaction, schema

NEVER = ("sentry_sdk", "urllib3")  # what sending itself writes
PLAIN = ("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "sdk")
LABELS = ("organisation", "request_id", "method", "route", "task", "task_id", "handler", "queue")
EXCEPTION = ("type", "module")
MECHANISM = ("type", "handled", "exception_id", "parent_id", "is_exception_group")
FRAME = ("module", "function", "filename", "lineno", "in_app")
LABEL_LENGTH = 200


def start(
    *,
    dsn: str,
    release: str,
    environment: str,
    transport: type[Transport] | Transport | None = None,
    level: int = logging.WARNING,
) -> "ErrorReports":
    """Connect this process to Sentry and return the log handler that feeds it."""
    sentry_sdk.init(
        dsn=dsn,
        release=release,
        environment=environment,
        transport=transport,
        before_send=allowed,
        before_send_transaction=_nothing,
        before_breadcrumb=_nothing,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[ExcepthookIntegration(), AtexitIntegration(callback=_quietly)],
        max_breadcrumbs=0,
        max_request_body_size="never",
        send_client_reports=False,
        auto_session_tracking=False,
        include_local_variables=False,
        include_source_context=False,
    )
    return ErrorReports(level)


class ErrorReports(logging.Handler):
    """Reports each log record that is an error or carries an exception."""

    def emit(self, record: logging.LogRecord) -> None:
        fields = record.msg if isinstance(record.msg, dict) else {}
        failure = _failure(fields.get("exc_info") or record.exc_info)
        if record.name.startswith(NEVER) or (failure is None and record.levelno < logging.ERROR):
            return
        event: dict[str, Any] = {}
        hint: Hint = {}
        if failure:
            event, hint = _exception(failure)
        event["level"] = record.levelname.lower()
        event["logger"] = record.name
        event["logentry"] = {"message": _template(record, fields)}
        event["tags"] = {name: str(fields[name]) for name in LABELS if name in fields}
        sentry_sdk.capture_event(cast("Event", event), hint)


def allowed(event: Event, _: Hint) -> Event:
    """Return a new event with what may leave: the named parts, each without what looks like a secret."""
    given: dict[str, Any] = dict(event)
    labels = _labels(given)
    kept = _only(PLAIN, given)
    kept["transaction"] = labels.get("route") or labels.get("task", "")
    kept["tags"] = labels
    if method := labels.get("method"):
        kept["request"] = {"method": method}
    if template := given.get("logentry", {}).get("message"):
        kept["logentry"] = {"message": redaction.text(template)}
    if "exception" in given:
        kept["exception"] = {"values": [_kind(one) for one in given["exception"]["values"]]}
    return cast("Event", kept)


def _labels(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels of the request or task that is at work here, and those of the log line."""
    context = {"organisation": schema.label(), **get_contextvars(), **dict(event.get("tags") or {})}
    return {name: redaction.text(str(context[name]))[:LABEL_LENGTH] for name in LABELS if name in context}


def _kind(exception: Mapping[str, Any]) -> dict[str, Any]:
    """Return what kind of exception it is, how it came about, and where in the code; not what it says."""
    kept = _only(EXCEPTION, exception)
    kept["mechanism"] = _only(MECHANISM, exception.get("mechanism") or {})
    frames = (exception.get("stacktrace") or {}).get("frames", [])
    kept["stacktrace"] = {"frames": [_only(FRAME, frame) for frame in frames]}
    return kept


def _only(names: tuple[str, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}


def _template(record: logging.LogRecord, fields: Mapping[str, Any]) -> str:
    """Return the line without its values; a package's line that was put together beforehand is named by its place."""
    if fields:
        return str(fields.get("event", ""))
    return str(record.msg) if record.args else f"{record.module}.{record.funcName}"


def _exception(failure: BaseException) -> tuple[dict[str, Any], Hint]:
    options = sentry_sdk.get_client().options
    event, hint = event_from_exception(
        failure, client_options=options, mechanism={"type": "logging", "handled": True}
    )
    return dict(event), hint


def _failure(exc_info: Any) -> BaseException | None:
    """Return the exception of a log line: structlog leaves True, the exception, or what sys.exc_info() said."""
    if exc_info is True:
        exc_info = sys.exc_info()
    found = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    return found if isinstance(found, BaseException) else None


def _nothing(*_: Any) -> None:
    """Let nothing of this kind leave."""


def _quietly(pending: int, timeout: float) -> None:
    """Say nothing on the terminal while the last reports are sent."""
