"""Named points where a test may kill the process, as a power cut would, or let somebody else go first."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings

type Hook = Callable[[str], None]

_hook: ContextVar[Hook | None] = ContextVar("fault_hook", default=None)


def reach(name: str) -> None:
    """
    Pass the named point. Where TREASURY_FAULT_PATH names a folder (refused in production) and it holds a file of this
    name, the file is removed and the process kills itself with SIGKILL: nothing is cleaned up.
    """
    hook = _hook.get()
    if hook is not None:
        hook(name)
    folder = settings.TREASURY["FAULT_PATH"]
    if not folder:
        return
    try:
        os.unlink(f"{folder}/{name}")  # noqa: PTH108 (a path that is made for each point would be felt)
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def hooked(hook: Hook) -> Iterator[None]:
    """Call ``hook`` at every named point of this context: for the simulation, which may raise there or take turns."""
    mark = _hook.set(hook)
    try:
        yield
    finally:
        _hook.reset(mark)
