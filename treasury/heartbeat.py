"""The sign of life of workers and beat: a file that they touch as long as they get through to the broker."""

from pathlib import Path
from typing import Any

from celery.signals import after_task_publish, beat_init, heartbeat_sent
from django.conf import settings


def connect() -> None:
    """Let workers and beat show that they live."""
    heartbeat_sent.connect(touch)
    beat_init.connect(follow_beat)


def touch(**_: Any) -> None:
    """Touch the file, where one is named: a worker does every two seconds. `bin/serve probe worker` looks at its age."""
    if settings.TREASURY["HEARTBEAT_PATH"]:
        Path(settings.TREASURY["HEARTBEAT_PATH"]).touch()


def follow_beat(**_: Any) -> None:
    """Let beat touch it with each task that it has sent: the sweeps go out every five seconds."""
    after_task_publish.connect(touch)
