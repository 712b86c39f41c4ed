"""Refusals on the wire: RFC 9457 problem documents, made in one place for every kind of error."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse, UnreadablePostError
from django_fsm import TransitionNotAllowed
from rest_framework import exceptions
from rest_framework.response import Response

from apps.kit import errors, ids, rate_limits

CONTENT_TYPE = "application/problem+json"
CODES = {
    exceptions.PermissionDenied: ("forbidden", "Not allowed"),
    exceptions.NotFound: ("resource_not_found", "Not found"),
    exceptions.MethodNotAllowed: ("method_not_allowed", "Method not allowed"),
    exceptions.NotAcceptable: ("not_acceptable", "Not acceptable"),
    exceptions.UnsupportedMediaType: ("unsupported_media_type", "Unsupported media type"),
    exceptions.ParseError: ("malformed_json", "Malformed request"),
    exceptions.Throttled: ("rate_limited", "Too many requests"),
}
BUSY_STATES = {"40P01", "55P03", "57014"}
"""PostgreSQL's words for a deadlock, a lock that was not to be had in time and a statement that took too long."""
UNAUTHENTICATED = "Send a valid API key of this organisation as a bearer token."


def document(error: errors.DomainError, request: HttpRequest | None) -> dict[str, Any]:
    """Return the body of a problem: type, title, status, detail, instance, code, category, request_id, retryable, errors."""
    return {
        "type": f"/v1/docs/errors#{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": _sayable(error.detail),
        "instance": getattr(request, "path", ""),
        "code": error.code,
        "category": error.category,
        "request_id": getattr(request, "request_id", ""),
        "retryable": error.retryable,
        "errors": [
            {"pointer": _sayable(e.pointer), "code": e.code, "message": _sayable(e.message)}
            for e in error.errors
        ],
    }


def _sayable(text: str) -> str:
    """Return a text that may repeat what the caller sent: half of a surrogate pair, which UTF-8 has not, is written out."""
    return str(text).encode(errors="backslashreplace").decode()


def plain_response(body: dict[str, Any], headers: Mapping[str, str] | None = None) -> JsonResponse:
    """Return a problem outside DRF: for middleware and Django's own error handlers."""
    return JsonResponse(body, status=body["status"], content_type=CONTENT_TYPE, headers=dict(headers or {}))


class Unauthenticated(errors.DomainError):
    """No valid credential of this organisation was sent."""

    code = "unauthenticated"
    title = "Authentication required"
    status = 401
    category = "authentication"


class Busy(errors.DomainError):
    """The database did not come to it in time: others hold the same rows, or it has too much to do."""

    code = "busy"
    title = "Busy"
    status = 503
    category = "internal"
    retryable = True


class Incomplete(errors.DomainError):
    """Fewer bytes came than the request announced."""

    code = "request_incomplete"
    title = "Request incomplete"
    status = 400
    category = "request"
    retryable = True


class RequestTooLarge(errors.DomainError):
    """The request has more bytes, fields or files than are taken; nothing of it was kept."""

    code = "request_too_large"
    title = "Request too large"
    status = 413
    category = "request"

    @classmethod
    def beyond(cls, bound: int, announced: int, pointer: str) -> Self:
        """Return the refusal that names the bound in bytes."""
        detail = f"This has {announced:,} bytes, and {bound:,} are taken at once. Nothing was kept."
        return cls(detail, errors=[errors.FieldError(pointer, cls.code, detail)])


class InvalidTransition(errors.DomainError):
    """The object is in a state from which this is not possible."""

    code = "invalid_state_transition"
    title = "Not possible in this state"


class RequestRefused(errors.DomainError):
    """The framework refused the request; code, title and status are those of its own error."""

    category = "request"

    def __init__(self, error: exceptions.APIException) -> None:
        super().__init__(str(error.detail))
        fallback = (str(error.default_code), str(error.default_detail).rstrip("."))
        self.code, self.title = CODES.get(type(error), fallback)
        self.status = error.status_code


def unauthenticated(
    request: HttpRequest, *, challenge: str = "Bearer", also: Mapping[str, str] | None = None
) -> JsonResponse:
    """Return the one answer for a missing, unknown, revoked or foreign credential, and for an unknown organisation."""
    body = {**document(Unauthenticated(UNAUTHENTICATED), request), "instance": "", **(also or {})}
    return plain_response(body, {"WWW-Authenticate": challenge, "Cache-Control": "no-store"})


def rate_limited(request: HttpRequest, *, wait: float) -> JsonResponse:
    """Return the one answer for a stranger who asks too often; like the 401 it names nothing that he asked for."""
    refusal = rate_limits.RateLimited("Too many requests without a valid credential.", wait=wait)
    headers = {**_headers_of(refusal), "Cache-Control": "no-store"}
    return plain_response({**document(refusal, request), "instance": ""}, headers)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn what a view raised into a problem; None leaves it to Django as a defect (500)."""
    refusal = as_domain_error(error)
    if refusal is None:
        return None
    request = getattr(context.get("request"), "_request", context.get("request"))
    body = document(refusal, request)
    return Response(body, status=body["status"], content_type=CONTENT_TYPE, headers=_headers_of(error))


def as_domain_error(error: Exception) -> errors.DomainError | None:
    """Return the refusal that an exception means, or None when it is a defect."""
    match error:
        case errors.DomainError():
            refusal: errors.DomainError | None = error
        case Http404() | ids.InvalidId():
            refusal = errors.NotFound("No such resource.")
        case PermissionDenied():
            refusal = errors.Forbidden(str(error))
        case TransitionNotAllowed():
            refusal = InvalidTransition(str(error))
        case OperationalError() if getattr(error.__cause__, "sqlstate", None) in BUSY_STATES:
            refusal = Busy("This could not be done in time. Nothing was changed; try again.")
        case UnreadablePostError() | RequestDataTooBig() | TooManyFieldsSent() | TooManyFilesSent():
            refusal = _of_body(error)
        case exceptions.APIException():
            refusal = _of_framework(error)
        case _:
            refusal = None
    return refusal


def _of_body(error: Exception) -> errors.DomainError:
    if isinstance(error, UnreadablePostError):
        return Incomplete(
            "The request ended before all of its body had come. Nothing was changed; send it again."
        )
    return RequestTooLarge("The form has more text, fields or files than are taken. Nothing was kept.")


def _of_framework(error: exceptions.APIException) -> errors.DomainError:
    match error:
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return Unauthenticated(UNAUTHENTICATED)
        case exceptions.ValidationError():
            return errors.Invalid(_summary(error), errors=list(field_errors_of(error.detail)))
        case _:
            return RequestRefused(error)


def _headers_of(error: Exception) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(challenge)
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return headers


def field_errors_of(detail: Any, pointer: str = "") -> Iterable[errors.FieldError]:
    """Flatten the errors of a serializer into one entry a field."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            step = "" if name == "non_field_errors" else f"/{name}"
            yield from field_errors_of(inner, pointer + step)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, (Mapping, list))
            yield from field_errors_of(inner, f"{pointer}/{index}" if nested else pointer)
    else:
        yield errors.FieldError(pointer or "/", getattr(detail, "code", "invalid"), str(detail))


def _summary(error: exceptions.ValidationError) -> str:
    first = next(iter(field_errors_of(error.detail)), None)
    return f"{first.pointer}: {first.message}" if first else "The request is not valid."
