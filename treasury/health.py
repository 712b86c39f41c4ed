"""Probes for operators: alive, ready, metrics and version."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import wraps

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django_prometheus.exports import ExportToDjangoView

from apps.kit import remote
from apps.tenancy.selectors import migrations
from apps.tenancy.services import data_keys

OK, UNAVAILABLE = "ok", "unavailable"
CHECK_SECONDS = 1.0
_waiting = ThreadPoolExecutor(max_workers=8, thread_name_prefix="ready")


def alive(_: HttpRequest) -> HttpResponse:
    """Say that the process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


def ready(_: HttpRequest) -> HttpResponse:
    """
    Say whether this process can do its work: 503 with the name of what is missing.

    Providers are left out: an outage of theirs must not take our own pages down.
    """
    states = found()
    is_ready = all(state == OK for state in states.values())
    return JsonResponse(
        {"status": OK if is_ready else UNAVAILABLE, "checks": states}, status=200 if is_ready else 503
    )


def found() -> dict[str, str]:
    """Return what each check found, ``ok`` or what is wrong; all of them at once, a second for all."""
    running = {name: _waiting.submit(check) for name, check in CHECKS.items()}
    end = time.monotonic() + CHECK_SECONDS
    return {name: _state(check, end - time.monotonic()) for name, check in running.items()}


def metrics(request: HttpRequest) -> HttpResponse:
    """Give Prometheus its figures; from outside the private network there is nothing at this address."""
    if not remote.is_inside(remote.address(request, trusted_proxies=settings.TREASURY["TRUSTED_PROXIES"])):
        return HttpResponse("Not found.", status=404, content_type="text/plain; charset=utf-8")
    return ExportToDjangoView(request)


def version(_: HttpRequest) -> HttpResponse:
    return JsonResponse({"version": settings.TREASURY["VERSION"], "api": "v1"})


def _state(check: "Future[str]", seconds: float) -> str:
    """Return what a check found, or that it did not come to an end in time: it goes on, and holds its thread until then."""
    try:
        return check.result(timeout=max(seconds, 0))
    except TimeoutError:
        check.cancel()
        return UNAVAILABLE


def _asking_the_database(check: Callable[[], str]) -> Callable[[], str]:
    """Let a check use the database in its own thread, and give the connection back."""

    @wraps(check)
    def asked() -> str:
        try:
            return check()
        except DatabaseError:
            return UNAVAILABLE
        finally:
            connection.close()

    return asked


@_asking_the_database
def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


@_asking_the_database
def _migrations() -> str:
    return "behind" if migrations.missing() else OK


@_asking_the_database
def _keyring() -> str:
    return OK if data_keys.is_readable() else "unreadable"


def _broker() -> str:
    url = settings.CELERY_BROKER_URL
    if not url.startswith("redis"):
        return OK
    try:
        with redis.Redis.from_url(
            url, socket_timeout=CHECK_SECONDS, socket_connect_timeout=CHECK_SECONDS
        ) as client:
            client.ping()
    except redis.RedisError:
        return UNAVAILABLE
    return OK


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "keyring": _keyring,
    "broker": _broker,
}
PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": alive,
    "/readyz": ready,
    "/metrics": metrics,
    "/version": version,
}
