"""The passwords and keys of one set of servers: made once, kept in a file that only its user can read."""

import base64
import os
import secrets
from pathlib import Path

from script.devkit.folders import not_writable, write_private

PASSWORD_BYTES = 24
KEY_BYTES = 32


def load(path: Path) -> dict[str, str]:
    """Read the file, making what it lacks. Values are plain: letters, digits, `-`, `_`, `+`, `/`, `=`."""
    values: dict[str, str] = {}
    if path.is_file():
        if not os.access(path, os.R_OK):
            raise not_writable(path)
        lines = path.read_text(encoding="utf-8").splitlines()
        values = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    missing = {name: make() for name, make in MAKERS.items() if name not in values}
    if missing:
        values |= missing
        text = "".join(f"{name}={value}\n" for name, value in values.items())
        write_private(path, f"# Made by script/server for this machine alone; never commit it.\n{text}")
    return values


def _password() -> str:
    return secrets.token_urlsafe(PASSWORD_BYTES)


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


MAKERS = {
    "POSTGRES_SUPERUSER_PASSWORD": _password,
    "TREASURY_POSTGRES_OWNER_PASSWORD": _password,
    "TREASURY_POSTGRES_APP_PASSWORD": _password,
    "VALKEY_PASSWORD": _password,
    "TREASURY_SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "TREASURY_MASTER_KEY": _key,
}
