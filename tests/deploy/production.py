"""Settings that production starts with, and processes that try it."""

import os
import subprocess
import sys
from collections.abc import Mapping

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


def python(*arguments: str, changes: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run Python in the checkout with safe settings, changed: an empty value takes a variable away."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("TREASURY_", "DB_"))}
    given = {name: value for name, value in {**plain, **SAFE, **changes}.items() if value}
    return subprocess.run(
        [sys.executable, *arguments], check=False, cwd=ROOT, env=given, capture_output=True, text=True
    )


def start(**changes: str) -> str:
    """Read the settings of production as every process does; return what it said on the error stream."""
    return python("-c", "from django.conf import settings; settings.DEBUG", changes=changes).stderr
