"""Named points where a test may kill the process, as a power cut would."""

import os
import signal
from pathlib import Path

from django.conf import settings


def reach(name: str) -> None:
    """
    Pass the named point. Where TREASURY_FAULT_PATH names a folder (refused in production) and it holds a file of this
    name, the file is removed and the process kills itself with SIGKILL: nothing is cleaned up.
    """
    folder = settings.TREASURY["FAULT_PATH"]
    if not folder:
        return
    try:
        Path(folder, name).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
