"""This installation."""

from django.conf import settings
from django.core import checks

from apps.kit import storage
from treasury import health
from treasury.operations.calls import Answer, Call


def check(_: Call) -> Answer:
    rows = [
        {"check": message.id or "-", "about": str(message.obj or "-"), "problem": message.msg}
        for message in checks.run_checks(include_deployment_checks=True)
        if message.level >= checks.WARNING and not message.is_silenced()
    ]
    rows += [
        {"check": name, "about": "-", "problem": state}
        for name, state in health.found().items()
        if state != "ok"
    ]
    rows += [{"check": "storage", "about": "-", "problem": sentence} for sentence in storage.problems()]
    said = f"{settings.SETTINGS_MODULE}: {len(rows) or 'nothing'} to mend"
    return Answer(said, rows, is_wrong=bool(rows))


def version(_: Call) -> Answer:
    return Answer(settings.TREASURY["VERSION"])
