"""Write the matrix of permissions, docs/permissions.md, from the permissions, roles, pages, dialogs and scopes of the code."""

from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import translation

from apps.access.contracts import CONFLICTS
from apps.access.services.roles import DEFAULTS

HEAD = """# Permissions

What the default roles may do, and what each permission opens. Made from the code by
`script/console list_permissions --output docs/permissions.md`; a test compares the two. The portal shows the same for the roles of an
organisation (Settings, Permissions). What no role holds together: [security](security.md#roles-limits-and-separation-of-duties).

"""
APART = """
## Duties that are kept apart

| duty | never beside |
|---|---|
"""


class Command(BaseCommand):
    """Print the document, or write it: ``script/console list_permissions --output docs/permissions.md``."""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, help="the file to write, in place of printing")

    def handle(self, *_: Any, output: Path | None, **__: Any) -> None:
        if output is None:
            self.stdout.write(document(), ending="")
        else:
            output.write_text(document(), encoding="utf-8")


def document() -> str:
    """Return docs/permissions.md."""
    import_module(settings.ROOT_URLCONF)  # defines every page and dialog
    matrix = import_module("apps.portal.pages.permissions")
    with translation.override("en"):
        rows = [_row(line) for line in matrix.lines([held for _, held in DEFAULTS.values()])]
        apart = [f"| {first.title} | {second.title} |" for first, second in CONFLICTS]
    head = ["permission", *DEFAULTS, "opens"]
    table = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *rows]
    return HEAD + "\n".join(table) + "\n" + APART + "\n".join(apart) + "\n"


def _row(line: Any) -> str:
    opens = [
        f"{what}: {', '.join(names)}"
        for what, names in (
            ("pages", line.pages),
            ("actions", line.dialogs),
            ("scopes of keys", line.scopes),
        )
        if names
    ]
    held = ["yes" if is_held else "" for is_held in line.held]
    return f"| {' | '.join([f'`{line.name}`: {line.meaning}', *held, '; '.join(opens)])} |"
