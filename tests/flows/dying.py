"""The treasury's web application in a process that kills itself, as a power cut would, where a request says when."""

import os
import signal
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection, transaction

from treasury.wsgi import application as treasury

HEADER = "X-Die"
CLAIM, KEPT = "pg_try_advisory_xact_lock", 'INSERT INTO "access_idempotencyrecord"'


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Serve as the product does; where the header names a point, nobody is served beyond it."""
    point = environ.get("HTTP_X_DIE", "")
    if point not in POINTS:
        return treasury(environ, start_response)
    with connection.execute_wrapper(POINTS[point]):
        treasury(environ, start_response)
    _die()
    return []


def _before_commit(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
    """Die when all is written, the stored answer too, and nothing is committed."""
    done = execute(sql, *arguments)
    if sql.startswith(KEPT):
        _die()
    return done


def _after_commit(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
    """Die at the first thing that is done after the commit: no job of it is handed over yet."""
    if CLAIM in sql:
        transaction.on_commit(_die)
    return execute(sql, *arguments)


def _before_answer(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
    """Do everything; the process dies with the answer in its hands."""
    return execute(sql, *arguments)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


POINTS = {"before-commit": _before_commit, "after-commit": _after_commit, "before-answer": _before_answer}
