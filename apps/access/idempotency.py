"""Idempotent API actions: the work, its idempotency key and the rendered answer commit together or not at all."""

import functools
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.access.contracts import Caller
from apps.access.services import idempotency
from apps.kit import clock, errors

type Handler = Callable[..., Response]

KEY = re.compile(r"[\x21-\x7e]{1,255}")
ORGANISATION = re.compile(r"^(?:/api)?/v1/[^/]+")
KEPT_HEADERS = ("Content-Type", "Location", "ETag")
FINAL_REFUSALS = frozenset({402, 409})
FIRST_FAILURE = 500


class KeyRequired(errors.DomainError):
    """The action moves money or makes a document, so it needs an idempotency key."""

    code = "idempotency_key_required"
    title = "Idempotency key required"
    status = 400
    category = "request"


class KeyInvalid(errors.DomainError):
    """The idempotency key cannot be."""

    code = "idempotency_key_invalid"
    title = "Idempotency key invalid"
    status = 400
    category = "request"


class _Number(str):
    """A JSON number as it was sent: 100 and 100.0 are two payloads."""

    __slots__ = ()


def idempotent(handler: Handler) -> Callable[..., HttpResponse]:
    """
    Wrap an action of a viewset: it opens the transaction, runs, renders, stores the answer and commits.

    The same application repeating the key with the same request gets the stored answer, byte by byte, with
    ``Idempotent-Replayed: true``; with another request 422, and while the first runs 409. Answers below 400 are
    stored, and so is a refusal that will not change by asking again (402 and 409, unless it calls itself retryable):
    its work is undone and only the refusal is kept, in a transaction after it. Every other refusal and every failure
    leaves nothing, and the key is free again. Raises RuntimeError inside another transaction.
    """

    @functools.wraps(handler)
    def wrapper(view: APIView, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        key, caller = _key(request), cast(Caller, request.user)
        claimed: dict[str, Any] = {
            "application_id": caller.application_id,
            "key": key,
            "fingerprint": fingerprint(request, caller.branch_id),
        }

        def answered(work: Callable[[], Response]) -> HttpResponse:
            with transaction.atomic(durable=True):
                answer = idempotency.claim(**claimed)
                if answer is not None:
                    return _replay(answer)
                response = view.finalize_response(request, work(), *args, **kwargs)
                response.render()
                if response.status_code >= FIRST_FAILURE:
                    transaction.set_rollback(True)
                    return response
                idempotency.store(
                    **claimed,
                    method=request.method or "",
                    path=request.path,
                    answer=_answer(response),
                    now=clock.now(),
                )
            return response

        try:
            return answered(lambda: handler(view, request, *args, **kwargs))
        except errors.DomainError as error:
            if error.status not in FINAL_REFUSALS or error.retryable:
                raise
            refusal = error
        # Its work is undone. The same request, if it came meanwhile, has the answer, and this one gets it too.
        return answered(lambda: view.handle_exception(refusal))

    return wrapper


def fingerprint(request: Request, branch_id: UUID | None) -> str:
    """
    Return the hash of what was asked: method, path below the organisation, query and body, and for which branch.

    Two keys of one application with different branches ask for different things: neither gets the other's answer.
    The order of JSON keys and of query parameters does not matter, nor does by which name the path calls the
    organisation; numbers and texts count as they were sent. Raises ParseError for a body nested too deeply.
    """
    raw = request._request  # noqa: SLF001 (the bytes as sent: DRF's own stream is read later, from the same buffer)
    path = ORGANISATION.sub("", raw.path, count=1)
    query = urlencode(sorted(parse_qsl(raw.META.get("QUERY_STRING", ""), keep_blank_values=True)))
    head = f"{raw.method}\n{path}\n{query}\n{branch_id or ''}\n".encode()
    return hashlib.sha256(head + _canonical_body(raw.body)).hexdigest()


def _key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if len(key) >= 2 and key[0] == key[-1] == '"':  # noqa: PLR2004 (the two quotes of a structured-field string)
        key = key[1:-1]
    elif not key:
        raise KeyRequired("Send an Idempotency-Key header: a value of your own that names this request.")
    if not KEY.fullmatch(key):
        raise KeyInvalid("An Idempotency-Key is 1 to 255 visible ASCII characters.")
    return key


def _canonical_body(body: bytes) -> bytes:
    try:
        parsed = json.loads(body, parse_float=_Number, parse_int=_Number, parse_constant=_Number)
        return _canonical(parsed).encode("utf-8", "surrogatepass")
    except RecursionError:
        raise ParseError("The body is nested too deeply.") from None
    except ValueError:
        return body  # not JSON: the handler refuses it, in its own words


def _canonical(value: Any) -> str:
    match value:
        case dict():
            fields = (f"{json.dumps(key)}:{_canonical(value[key])}" for key in sorted(value))
            return "{" + ",".join(fields) + "}"
        case list():
            return f"[{','.join(map(_canonical, value))}]"
        case _Number():
            return str(value)
        case _:
            return json.dumps(value)


def _answer(response: Response) -> idempotency.Answer:
    headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    return idempotency.Answer(response.status_code, headers, response.content)


def _replay(answer: idempotency.Answer) -> HttpResponse:
    headers = {**answer.headers, "Idempotent-Replayed": "true"}
    return HttpResponse(answer.body, status=answer.status, headers=headers)
