"""``python -m treasury.operations``: what ``bin/treasury`` starts."""

import os
import sys

import django
from django.db import OperationalError

from treasury.operations import parsing, printing
from treasury.settings import env

REFUSED = 2


def main(words: list[str]) -> int:
    """Run one command as the database role that it needs; its exit code is ours."""
    try:
        asked = parsing.parse(words)
    except parsing.UsageRefused as refusal:
        return _refuse(str(refusal), code="usage", is_json="--json" in words)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "treasury.settings.local")
    role = "owner" if asked.verb.is_owners else "app"
    os.environ.update(DB_ROLE=role)
    try:
        django.setup()
        from treasury.operations import running  # noqa: PLC0415 (models are there once Django is set up)

        return running.run(asked, out=sys.stdout, err=sys.stderr)
    except env.SettingMissing as error:
        return _refuse(str(error), code="setting_missing", is_json=asked.is_json)
    except OperationalError as error:
        message = f"The database does not let the role {role} work: {error}"
        return _refuse(message, code="database_unavailable", is_json=asked.is_json)


def _refuse(message: str, *, code: str, is_json: bool) -> int:
    printing.refuse_start(message, code=code, is_json=is_json, out=sys.stdout, err=sys.stderr)
    return REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
