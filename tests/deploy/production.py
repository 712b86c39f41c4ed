"""Settings that production starts with, and processes that try it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from django.conf import settings

ROOT = settings.BASE_DIR
SAFE = {
    "DJANGO_SETTINGS_MODULE": "treasury.settings.production",
    "TREASURY_POSTGRES_URL": "postgresql://db.internal:5432/treasury",
    "TREASURY_POSTGRES_APP_PASSWORD": "q2Hn8vXcB1",
    "TREASURY_POSTGRES_OWNER_PASSWORD": "zT6yLw0RkD",
    "TREASURY_REDIS_URL": "redis://:Jm4sWd9eQa@valkey:6379/0",
    "TREASURY_SECRET_KEY": "nF7rXw2LpQ9vKt4ZbY8mHc6JdG3sAe1UoVxR5yTiWqPkMfNhCz",
    "TREASURY_MASTER_KEY": "WxJ0Yc0mEm4v3o8Q2m3aZr5cX1uB7dK9fL6gT2hN8pQ=",
    "TREASURY_PUBLIC_URL": "https://pay.example.com",
    "TREASURY_ALLOWED_HOSTS": "pay.example.com,.treasury.example.com",
    "TREASURY_BASE_DOMAIN": "treasury.example.com",
    "TREASURY_STORAGE_PATH": "/srv/treasury/files",
    "TREASURY_TRUSTED_PROXIES": "1",
}
"""Nothing of it opens anything: the keys were made for these tests."""


FORKS = """
import importlib, json, os, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
for line in sys.stdin:
    reading, writing = os.pipe()
    if not os.fork():
        os.close(reading)
        os.dup2(writing, 2)
        os.environ.clear()
        os.environ.update(json.loads(line))
        from django.conf import settings
        settings.DEBUG
        sys.exit()
    os.close(writing)
    with open(reading) as said:
        print(json.dumps(said.read()), flush=True)
    os.wait()
"""
PACKAGES = (
    "celery.app",
    "celery.signals",
    "django.apps",
    "django.http",
    "structlog",
    "tenant_schemas_celery.app",
)
"""What the settings import and nothing of ours, so that it need not be read from disk for each start."""


def given(changes: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with safe settings, changed: an empty value takes a variable away."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("TREASURY_", "DB_"))}
    return {name: value for name, value in {**plain, **SAFE, **changes}.items() if value}


def python(*arguments: str, changes: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run Python in the checkout with safe settings, changed."""
    return subprocess.run(
        [sys.executable, *arguments],
        check=False,
        cwd=ROOT,
        env=given(changes),
        capture_output=True,
        text=True,
    )


@contextmanager
def starting() -> Iterator[Callable[..., str]]:
    """
    Yield a function that reads the settings of production as every process does and returns what was said on the error stream.

    Each call is a process of its own with nothing of ours loaded, forked from one that has loaded the packages.
    """
    command = [sys.executable, "-c", FORKS, *PACKAGES]
    with subprocess.Popen(
        command, cwd=ROOT, env=given({}), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as forks:

        def start(**changes: str) -> str:
            print(json.dumps(given(changes)), file=forks.stdin, flush=True)
            said: str = json.loads(forks.stdout.readline())
            return said

        yield start
        forks.stdin.close()
