"""Lists by keyset: a signed cursor in place of an offset, and no count."""

import hashlib
import re
from operator import attrgetter
from typing import Any, cast
from uuid import UUID

from django.core import signing
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from apps.kit import errors

LIMIT_DEFAULT = 50
LIMIT_MAX = 100
LIMIT = re.compile(r"[0-9]{1,9}")
SALT = "treasury.cursor"


class InvalidCursor(errors.DomainError):
    """The cursor was changed, or belongs to a list with other filters."""

    code = "invalid_cursor"
    title = "Cursor invalid"
    status = 400
    category = "request"


class LimitInvalid(errors.Invalid):
    code = "limit_invalid"
    title = "Limit invalid"


class CursorPagination(BasePagination):
    """
    Newest first by id (ids are time-ordered), ``limit`` 1 to 100 (50), ``cursor`` from the page before.

    A cursor holds the last id and a hash of the filters, signed; with other filters it is refused.
    """

    field = "id"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:  # noqa: ARG002 (DRF's signature)
        self.limit = _limit(request)
        self.filters = _filters(request)
        self.request = request
        rows = queryset.order_by(f"-{self.field}")
        if cursor := request.query_params.get("cursor"):
            rows = rows.filter(**{f"{self.field}__lt": _read(cursor, self.filters)})
        page = list(rows[: self.limit + 1])
        self.has_more = len(page) > self.limit
        self.page = page[: self.limit]
        return self.page

    def get_paginated_response(self, data: Any) -> Response:
        cursor = _write(self._last(), self.filters) if self.has_more else None
        body = {"object": "list", "data": data, "has_more": self.has_more, "next_cursor": cursor}
        headers = {}
        if cursor:
            query = self.request.query_params.copy()
            query["cursor"] = cursor
            headers["Link"] = f'<{self.request.path}?{query.urlencode()}>; rel="next"'
        return Response(body, headers=headers)

    def _last(self) -> UUID:
        return cast(UUID, attrgetter(self.field.replace("__", "."))(self.page[-1]))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["object", "data", "has_more", "next_cursor"],
            "properties": {
                "object": {"type": "string", "enum": ["list"]},
                "data": schema,
                "has_more": {"type": "boolean"},
                "next_cursor": {"type": "string", "nullable": True},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:  # noqa: ARG002 (DRF's signature)
        return [
            {
                "name": "limit",
                "in": "query",
                "description": "Rows a page.",
                "schema": {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
            },
            {
                "name": "cursor",
                "in": "query",
                "description": "next_cursor of the page before.",
                "schema": {"type": "string"},
            },
        ]


class UidPagination(CursorPagination):
    """Newest first by ``uid``, for rows of the ledger, whose keys are numbers."""

    field = "uid"


class TransactionUidPagination(CursorPagination):
    """Newest first by the ``uid`` of the transaction that the row belongs to."""

    field = "transaction__uid"


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(LIMIT_DEFAULT))
    if not LIMIT.fullmatch(text) or not 1 <= int(text) <= LIMIT_MAX:
        message = f"limit is a whole number from 1 to {LIMIT_MAX}."
        raise LimitInvalid(message, errors=[errors.FieldError("/limit", "limit_invalid", message)])
    return int(text)


def _filters(request: Request) -> str:
    named = sorted(
        (k, v) for k, values in request.query_params.lists() for v in values if k not in {"cursor", "limit"}
    )
    return hashlib.sha256(repr((request.path, named)).encode()).hexdigest()[:16]


def _write(last: UUID, filters: str) -> str:
    return signing.dumps([last.hex, filters], salt=SALT)


def _read(cursor: str, filters: str) -> UUID:
    try:
        last, made_for = signing.loads(cursor, salt=SALT)
    except (signing.BadSignature, ValueError):
        raise InvalidCursor("This cursor is not valid. Start again without one.") from None
    if made_for != filters:
        raise InvalidCursor("This cursor was made for a list with other filters. Start again without one.")
    return UUID(last)
