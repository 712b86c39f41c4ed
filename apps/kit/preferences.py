"""What a caller would rather have (RFC 7240): by ``Prefer: wait=5`` an answer comes later and tells more."""

import re
import time
from collections.abc import Callable
from typing import Any, ClassVar

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase
from rest_framework.response import Response

from apps.kit import logs, schema
from apps.kit.rooms import ROOM

WAIT = re.compile(r'(?:^|,)\s*wait\s*=\s*"?(\d{1,6})"?\s*(?=;|,|$)', re.IGNORECASE)
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.1, 0.5, 1.5
KEPT_HEADERS = ("Location",)
FIRST_REFUSAL = 400

log = logs.get(__name__)


def wait(header: str) -> int:
    """Return how many seconds a ``Prefer`` header lets the answer wait, bounded by the settings; 0 where it names none."""
    found = WAIT.search(header)
    return min(int(found[1]), settings.TREASURY["WAIT_SECONDS"]) if found else 0


def until(is_over: Callable[[], bool], *, seconds: float) -> None:
    """
    Return once something is over, or after so many seconds: it is asked about again and again.

    Between two questions the database connection is back in its pool.
    """
    ends = time.monotonic() + seconds
    pause = FIRST_PAUSE
    while (left := ends - time.monotonic()) > 0:
        schema.rest()
        time.sleep(min(pause, left))
        if is_over():
            return
        pause = min(pause * GROWTH, LONGEST_PAUSE)


class Waiting:
    """
    A viewset of which some actions answer later where their caller prefers so.

    The work is committed, and its answer stored under the Idempotency-Key, before anybody waits; what is waited for is not
    stored. Where nobody may wait any more the answer comes at once, without ``Preference-Applied``.
    """

    waiting_actions: ClassVar[frozenset[str]] = frozenset()

    def dispatch(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answered: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        seconds = wait(request.headers.get("Prefer", ""))
        is_awaited = self.action in self.waiting_actions and isinstance(answered, Response)
        if not seconds or not is_awaited or answered.status_code >= FIRST_REFUSAL:
            return answered
        with ROOM.place() as has_place:
            if not has_place:
                return answered
            try:
                return self._later(answered, seconds)
            except DatabaseError:
                log.exception("wait_ended")
                return answered

    def is_awaited(self, body: Any) -> bool:
        """Whether what was answered may still change soon; reads its state and nothing else."""
        raise NotImplementedError

    def present(self, body: Any) -> Any:
        """Return what is to be answered now in place of this body."""
        raise NotImplementedError

    def _later(self: Any, answered: Response, seconds: int) -> HttpResponseBase:
        until(lambda: not self.is_awaited(answered.data), seconds=seconds)
        kept = {name: answered[name] for name in KEPT_HEADERS if name in answered}
        headers = {**kept, "Preference-Applied": f"wait={seconds}"}
        later = Response(self.present(answered.data), status=answered.status_code, headers=headers)
        finished: HttpResponseBase = self.finalize_response(self.request, later, *self.args, **self.kwargs)
        return finished
