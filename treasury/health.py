"""Probes for operators: alive, ready, metrics and version."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django_prometheus.exports import ExportToDjangoView

from apps.kit import remote


def alive(_: HttpRequest) -> HttpResponse:
    """Say that the process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


def ready(_: HttpRequest) -> HttpResponse:
    """Say whether database and broker answer: 503 with the name of what does not."""
    found = {"database": _database(), "broker": _broker()}
    is_ready = all(state == "ok" for state in found.values())
    return JsonResponse(
        {"status": "ok" if is_ready else "unavailable", "checks": found}, status=200 if is_ready else 503
    )


def metrics(request: HttpRequest) -> HttpResponse:
    """Give Prometheus its figures; from outside the private network there is nothing at this address."""
    if not remote.is_inside(remote.address(request, trusted_proxies=settings.TREASURY["TRUSTED_PROXIES"])):
        return HttpResponse("Not found.", status=404, content_type="text/plain; charset=utf-8")
    return ExportToDjangoView(request)


def version(_: HttpRequest) -> HttpResponse:
    return JsonResponse({"version": settings.TREASURY["VERSION"], "api": "v1"})


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unavailable"
    return "ok"


def _broker() -> str:
    url = settings.CELERY_BROKER_URL
    if not url.startswith("redis"):
        return "ok"
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    except redis.RedisError:
        return "unavailable"
    return "ok"


PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": alive,
    "/readyz": ready,
    "/metrics": metrics,
    "/version": version,
}
