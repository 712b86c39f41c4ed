"""``python -m treasury.operations``: what ``bin/treasury`` starts."""

import os
import sys
from typing import Any

import django
from django.db import OperationalError
from psycopg.errors import LockNotAvailable

from treasury.operations import parsing, printing
from treasury.settings import env

REFUSED, BROKEN = 2, 3


def main(words: list[str]) -> int:
    """Run one command as the database role that it needs; its exit code is ours."""
    try:
        asked = parsing.parse(words)
    except parsing.UsageRefused as refusal:
        return _refuse(str(refusal), code="usage", is_json="--json" in words)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "treasury.settings.production")
    role = "owner" if asked.verb.is_owners else "app"
    os.environ.update(DB_ROLE=role)
    try:
        django.setup()
        from treasury.operations import running  # noqa: PLC0415 (models are there once Django is set up)

        return running.run(asked, out=sys.stdout, err=sys.stderr)
    except env.SettingMissing as error:
        return _refuse(str(error), code="setting_missing", is_json=asked.is_json)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            message = "Somebody else works on the same rows or schemas. Nothing was changed: try again."
            return _refuse(message, code="busy", is_json=asked.is_json)
        message = f"The database does not let the role {role} work: {error}"
        return _refuse(message, code="database_unavailable", is_json=asked.is_json)


def _refuse(message: str, *, code: str, is_json: bool) -> int:
    printing.refuse_start(message, code=code, is_json=is_json, out=sys.stdout, err=sys.stderr)
    return REFUSED


def _end_broken(*failure: Any) -> None:
    """Show a defect of ours as Python does, with a code of its own: 1 would say that the books are wrong."""
    sys.__excepthook__(*failure)
    sys.stderr.flush()
    os._exit(BROKEN)


if __name__ == "__main__":
    sys.excepthook = _end_broken
    sys.exit(main(sys.argv[1:]))
