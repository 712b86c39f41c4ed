"""Django's own error pages: problem documents below /v1, plain pages for people elsewhere."""

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.kit import errors, problems
from apps.tenancy.selectors import organisations


class Unexpected(errors.DomainError):
    """Something failed on our side."""

    code = "internal_error"
    title = "Something failed on our side"
    status = 500
    category = "internal"


class BadRequest(errors.DomainError):
    """The request is not one that can be read."""

    code = "bad_request"
    title = "Request not readable"
    status = 400
    category = "request"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    refusal = problems.as_domain_error(exception)
    return _answer(request, refusal or BadRequest("This request cannot be read. Nothing was done."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 (Django's signature)
    return _answer(request, errors.NotFound("There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(request, Unexpected("Something failed on our side. Quote the request id to support."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(
        request,
        errors.Forbidden(
            str(exception) or "Your role does not allow this. Ask an owner of this organisation."
        ),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 (not for the visitor)
    return _answer(
        request,
        errors.Forbidden(
            "This form is too old or came from elsewhere. Load the page again; nothing was saved."
        ),
    )


def suspended(request: HttpRequest) -> HttpResponse:
    """Say on the host of an organisation that it is suspended, whoever asks."""
    return _answer(request, organisations.Suspended())


def refused(request: HttpRequest, refusal: errors.DomainError) -> HttpResponse:
    """Say on a page, or below /v1 as a problem document, why something was not done."""
    return _answer(request, refusal)


def unanswered(request: HttpRequest, error: OperationalError) -> HttpResponse:
    """Say that the database was too busy; raise what is a defect."""
    refusal = problems.as_domain_error(error)
    if refusal is None:
        raise error
    return _answer(request, refusal)


def _answer(request: HttpRequest, error: errors.DomainError) -> HttpResponse:
    if request.path_info.startswith(("/v1/", "/api/v1/")):
        return problems.plain_response(problems.document(error, request))
    return render(
        request,
        "error.html",
        {"error": error, "request_id": getattr(request, "request_id", "")},
        status=error.status,
    )
