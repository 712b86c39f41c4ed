"""From the request to its organisation: request id, health probes, tenant by path or by host, no shared caches."""

import re
import zoneinfo
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import OperationalError
from django.http import HttpResponse, UnreadablePostError
from django.middleware.locale import LocaleMiddleware
from django.utils import timezone, translation
from structlog.contextvars import bind_contextvars, clear_contextvars

from apps.kit import ids, logs, problems, remote, schema, trail
from apps.tenancy.selectors import organisations
from treasury import errors, health, strangers

GetResponse = Callable[[Any], Any]
REQUEST_ID = re.compile(r"(?!cmd_)[A-Za-z0-9_-]{8,64}")  # cmd_ marks what an operator did by command
API = re.compile(r"/(?:api/)?v1/(?P<organisation>[A-Za-z0-9_-]{2,64})/")
BY_HEX = re.compile(r"/(?:hooks|sandbox)/(?P<organisation>[0-9a-f]{32})/")
PUBLIC_PATHS = re.compile(r"/v1/(?:docs(?:/.*)?|openapi\.yaml|onboarding/.*)")
FORM_OF_FILES = "multipart/form-data"
FOR_PEOPLE = re.compile(r"/(?:portal|platform|pay)/.*")
ORGANISATION_PREFIX = "ten"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self' {hosts}; frame-ancestors 'none'"
)
"""
Scripts come as files of ours, none stands in a page. Alpine, which the portal's pages are made with, compiles the expressions in
their attributes: hence unsafe-eval. Forms go to the other hosts of the installation too, for the switcher between organisations.
"""
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
FILE_POLICY = "frame-ancestors 'none'"
DATA = frozenset({"application/json", problems.CONTENT_TYPE, "text/plain"})

log = logs.get(__name__)


class RequestIdMiddleware:
    """Gives every request an id (a caller may bring his own), logs it, and puts it into the answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request.request_id = given if REQUEST_ID.fullmatch(given) else f"req_{ids.token(8)}"
        clear_contextvars()
        ip = remote.address(request, trusted_proxies=settings.TREASURY["TRUSTED_PROXIES"])
        bind_contextvars(request_id=request.request_id, ip=ip)
        trail.user_agent.set(trail.named(request.headers.get("User-Agent", "")))
        response = self.get_response(request)
        response["Request-Id"] = request.request_id
        log.info("request", method=request.method, path=request.path, status=response.status_code)
        return response

    def process_view(self, request: Any, *_: Any) -> None:
        """Put the route, which names nobody, on every line from here on, and into error reports."""
        bind_contextvars(method=request.method, route=request.resolver_match.route)


class HeadersMiddleware:
    """Tells browsers, on every answer whoever gave it, what they may run, embed and use: pages run our own files alone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        base = settings.TREASURY["BASE_DOMAIN"]
        self.pages = PAGE_POLICY.format(hosts=f"{base}:* *.{base}:*" if base else "")

    def __call__(self, request: Any) -> HttpResponse:
        response = self.get_response(request)
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        policy = self.pages if kind == "text/html" else DATA_POLICY if kind in DATA else FILE_POLICY
        for name, value in {**HEADERS, "Content-Security-Policy": policy}.items():
            response.headers.setdefault(name, value)
        response.headers["X-Frame-Options"] = (
            "DENY"  # Django's lists say SAMEORIGIN, for pop-ups that are not used here
        )
        return response


class HealthMiddleware:
    """Answers the probes before any host or organisation is looked at: they come with an address as Host."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        probe = health.PROBES.get(request.path_info)
        return probe(request) if probe else self.get_response(request)


class BodyMiddleware:
    """
    Refuses what announces more bytes than are taken, before anything reads it and whoever asks.

    Nothing is read beyond what a request announces, so that what passes here is bounded: 1 MiB, and people's forms by
    TREASURY_UPLOAD_MEGABYTES with their files. Bounds of single files are those of the service that takes them.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        has_files = request.content_type == FORM_OF_FILES and FOR_PEOPLE.fullmatch(request.path_info)
        bound = settings.TREASURY["UPLOAD_BYTES"] if has_files else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        announced = _announced(request)
        if announced <= bound:
            return self.get_response(request)
        return errors.refused(
            request, problems.RequestTooLarge.beyond(bound, announced, "/files" if has_files else "/")
        )


def _announced(request: Any) -> int:
    """Return how many bytes the body has; what is no number counts for none, and no more is read then."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


class TenantMiddleware:
    """
    API, callbacks and inboxes: organisation from the path. Everything else: from the host name.

    Below the API nothing is done for who shows no valid credential: neither the way there nor the body is looked at.
    Of one that is suspended the portal is closed, the API refuses who shows a valid key, and callbacks are taken.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        schema.leave()
        try:
            return self._route(request)
        finally:
            schema.leave()

    def _route(self, request: Any) -> HttpResponse:
        path = request.path_info
        if PUBLIC_PATHS.fullmatch(path):
            return self._public(request)
        if path.startswith(("/v1/", "/api/v1/")):
            return self._api(request)
        if match := BY_HEX.match(path):
            found = organisations.working_by_id(UUID(match["organisation"]))
            return self._enter(request, found) if found else _not_found()
        host = request.get_host().rsplit(":", 1)[0]
        return self._public(request) if host in _public_hosts() else self._portal(request, host)

    def _api(self, request: Any) -> HttpResponse:
        match = API.match(request.path_info)
        found = _by_public_name(match["organisation"]) if match else None
        host = request.get_host().rsplit(":", 1)[0]
        by_host = None if host in _public_hosts() else organisations.working_by_host(host)
        if by_host is not None and found is not None and by_host.id != found.id:
            found = None
        try:
            caller = strangers.recognise(request, found)
        except OperationalError as error:
            return errors.unanswered(request, error)
        return (
            self._enter(request, found)
            if caller is not None and found is not None
            else strangers.answer(request)
        )

    def _portal(self, request: Any, host: str) -> HttpResponse:
        found = organisations.working_by_host(host)
        if found is None:
            return _not_found()
        return errors.suspended(request) if found.is_suspended else self._enter(request, found)

    def _public(self, request: Any) -> HttpResponse:
        request.urlconf = settings.PUBLIC_SCHEMA_URLCONF
        return self.get_response(request)

    def _enter(self, request: Any, organisation: organisations.Organisation) -> HttpResponse:
        request.tenant = organisation
        schema.enter(organisation)
        bind_contextvars(organisation=organisation.slug)
        with timezone.override(zoneinfo.ZoneInfo(organisation.time_zone)):
            response = self.get_response(request)
        if response.streaming:
            response.streaming_content = _inside(organisation, response.streaming_content)
        return response


def _inside(organisation: organisations.Organisation, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Produce a streamed body inside its organisation: the middleware has left it by then."""
    schema.enter(organisation)
    try:
        yield from chunks
    finally:
        schema.leave()


def _public_hosts() -> set[str]:
    return {
        settings.TREASURY["BASE_DOMAIN"],
        urlsplit(settings.TREASURY["PUBLIC_URL"]).hostname or "",
        "127.0.0.1",
        "localhost",
    }


def _by_public_name(name: str) -> organisations.Organisation | None:
    """Find by slug, by ``ten_…`` or by UUID."""
    if name.startswith(f"{ORGANISATION_PREFIX}_"):
        try:
            return organisations.working_by_id(ids.decode(ORGANISATION_PREFIX, name))
        except ids.InvalidId:
            return None
    try:
        return organisations.working_by_id(UUID(name))
    except ValueError:
        return organisations.working_by_slug(name)


def _not_found() -> HttpResponse:
    return HttpResponse("Not found.", status=404, content_type="text/plain; charset=utf-8")


class LanguageMiddleware(LocaleMiddleware):
    """Speaks the language that a person chose, or else his browser asks for, on pages; the API always speaks English."""

    def process_request(self, request: Any) -> None:
        if FOR_PEOPLE.fullmatch(request.path_info):
            super().process_request(request)
        else:
            translation.activate(settings.LANGUAGE_CODE)


class RefusalMiddleware:
    """Says on any page what is no defect and changed nothing: the database was busy, or the request ended half-way."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: Any, exception: Exception) -> HttpResponse | None:
        refusal = (
            problems.as_domain_error(exception)
            if isinstance(exception, (OperationalError, UnreadablePostError))
            else None
        )
        return errors.refused(request, refusal) if refusal else None


class NoStoreMiddleware:
    """Keeps every page and answer but static files out of caches: they hold money and names."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        response = self.get_response(request)
        if not request.path_info.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
