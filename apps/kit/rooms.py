"""Room to wait in: who waits holds a thread of the web process, so few may wait at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from apps.kit import errors


class RoomFull(errors.DomainError):
    """As many requests as may wait at once are waiting for somebody else's answer."""

    code = "room_full"
    title = "Too many are waiting"
    status = 503
    category = "internal"
    retryable = True


class Room:
    """How many requests of this process wait at this moment: each holds a thread, so there is room for few."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0

    @contextmanager
    def place(self, *, at_least: int = 0) -> Iterator[bool]:
        """
        Take a place until the block ends and give True; give False at once where none is left.

        There are as many places as the settings say, and ``at_least`` so many for what cannot be had without waiting.
        """
        with self._lock:
            is_free = self._taken < max(settings.TREASURY["WAITING_REQUESTS"], at_least)
            self._taken += is_free
        try:
            yield is_free
        finally:
            with self._lock:
                self._taken -= is_free


ROOM = Room()
