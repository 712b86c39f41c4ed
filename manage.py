#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys


def main() -> None:
    """Run one management command with the local settings unless others are named."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "treasury.settings.local")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 (after the settings are named)

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
