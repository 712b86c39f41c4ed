"""
Keys for the load: four of an application that listens to webhooks, one of an application that does not.

Run by .venv's Python as the application role; its arguments are the organisation and where the webhooks go.
"""

import json
import sys
from uuid import UUID

import django

django.setup()

from apps.access.services import api_keys, applications  # noqa: E402 (Django must be set up first)
from apps.events.services import webhook_endpoints  # noqa: E402
from apps.kit import clock, schema  # noqa: E402
from apps.kit.actors import SYSTEM  # noqa: E402
from apps.tenancy.selectors import organisations  # noqa: E402

LISTENING = 4
SCOPES = ("payments:read", "payments:write")


def main(slug: str, receiver: str) -> dict[str, object]:
    schema.enter(organisations.ready_by_slug(slug))
    listening, silent = (
        applications.create(slug=name.lower(), name=name, actor=SYSTEM, now=clock.now()).id
        for name in ("Listening", "Silent")
    )
    webhook_endpoints.create(url=receiver, application_id=listening, actor=SYSTEM, now=clock.now())
    keys = [issue(listening, f"Bench {number}") for number in range(LISTENING)]
    return {"listening": keys, "silent": issue(silent, "Bench")}


def issue(application_id: UUID, name: str) -> str:
    return api_keys.issue(
        application_id=application_id, name=name, scopes=SCOPES, actor=SYSTEM, now=clock.now()
    ).secret


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
