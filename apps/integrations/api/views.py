"""Takes callbacks of providers: the bytes are kept and announced, then acknowledged; their meaning is worked out later."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.integrations.services import callbacks, checks
from apps.integrations.services.registrations import CHECK
from apps.kit import clock, faults, remote
from apps.kit.rate_limits import RateLimited

LARGEST_BODY = 256 * 1024
ACKNOWLEDGED = {"ResultCode": 0, "ResultDesc": "Accepted"}
"""What every provider is answered: the address names none. Who wants other words gets fields of his own beside these."""


@csrf_exempt
@require_POST
def receive(request: HttpRequest, token: str, kind: str, **_: str) -> HttpResponse:
    """
    Answer 200 once the callback is stored, 413 beyond 256 kB, 429 for a flood; whether it is genuine is never told.

    A check is a question: it is answered by what it asks.
    """
    try:
        body = request.read(LARGEST_BODY + 1)
    except UnreadablePostError:
        return JsonResponse({"ResultCode": 1, "ResultDesc": "Incomplete"}, status=400)
    if len(body) > LARGEST_BODY:
        return JsonResponse({"ResultCode": 1, "ResultDesc": "Too large"}, status=413)
    came: dict[str, Any] = {
        "token": token,
        "body": body,
        "headers": request.headers,
        "remote_ip": remote.address(request, trusted_proxies=settings.TREASURY["TRUSTED_PROXIES"]),
        "now": clock.now(),
    }
    answered: Mapping[str, Any] = {}
    try:
        if kind == CHECK:
            answered = checks.answer(**came)
        else:
            callbacks.store(kind=kind, **came)
    except RateLimited as refusal:
        answer = JsonResponse({"ResultCode": 1, "ResultDesc": "Too many requests"}, status=429)
        answer["Retry-After"] = str(int(refusal.wait) + 1)
        return answer
    faults.reach("integrations.callback_stored")
    return JsonResponse(answered or ACKNOWLEDGED)
