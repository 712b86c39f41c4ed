"""JSON in and out of the control interface, and its refusals as problem documents."""

import json
from collections.abc import Mapping

from apps.simulator.contracts import Request, Response

Content = dict[str, object]


class ControlRefusal(Exception):
    """The control interface does not do this; the message says why."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


def content(request: Request) -> Content:
    """Read the body as an object; nothing stands for an empty one."""
    try:
        found = json.loads(request.body or b"{}")
    except ValueError as error:
        raise ControlRefusal(400, "invalid_json", "The body is not JSON.") from error
    if not isinstance(found, dict):
        raise ControlRefusal(400, "invalid_json", "The body is a JSON object.")
    return found


def shown(values: Mapping[str, object], *, status: int = 200) -> Response:
    """Answer with an object."""
    return Response(status=status, body=json.dumps(values).encode())


def problem(refusal: ControlRefusal) -> Response:
    """Answer with a problem document."""
    body = {
        "title": refusal.detail,
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal.detail,
    }
    return Response(
        status=refusal.status, body=json.dumps(body).encode(), content_type="application/problem+json"
    )
