"""The receiving end of a sandbox inbox."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.events.services import sandbox_inboxes
from apps.kit import clock, errors

NOT_FOUND, TOO_LARGE = 404, 413
PLAIN = "text/plain; charset=utf-8"


@csrf_exempt
@require_POST
def receive(request: HttpRequest, organisation: str, token: str) -> HttpResponse:  # noqa: ARG001 (the middleware has entered it)
    """Keep the request and answer 204, or what the inbox was told to answer; an unknown inbox is a plain 404."""
    length = request.headers.get("Content-Length", "0")
    if not length.isdigit() or int(length) > sandbox_inboxes.BODY_MAX:
        return HttpResponse("The body is larger than 64 kB.", status=TOO_LARGE, content_type=PLAIN)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        status = sandbox_inboxes.receive(
            token=token, method=request.method or "", headers=headers, body=request.body, now=clock.now()
        )
    except errors.NotFound:
        return HttpResponse("Not found.", status=NOT_FOUND, content_type=PLAIN)
    return HttpResponse(status=status)
