"""
What the tenancy bench does inside the product; run by .venv's Python as the owner role, with one job as JSON.

Its last line is the answer as JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402 (Django must be set up first)
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from apps.accounts.services import users  # noqa: E402
from apps.kit import clock, ids, jobs, schema  # noqa: E402
from apps.kit.actors import SYSTEM  # noqa: E402
from apps.tenancy.contracts import NewOrganisation  # noqa: E402
from apps.tenancy.models import Organisation  # noqa: E402
from apps.tenancy.selectors import organisations  # noqa: E402
from apps.tenancy.services import provisionings, schemas  # noqa: E402

OWNER = "bench@example.test"
PLAIN = "org_plain"
USED = "ledger_entry"


def provision(*, slugs: list[str], delay: float = 0.0) -> dict[str, Any]:
    """Set organisations up one after the other, as the owner's worker does; seconds from the request until each is ready."""
    person = get_user_model().objects.filter(email=OWNER).first() or users.create(
        email=OWNER, name="Bench", password=ids.code(16), actor=SYSTEM, now=clock.now()
    )
    took = []
    for slug in slugs:
        began = time.perf_counter()
        with jobs.held():
            asked = provisionings.ask(
                new=NewOrganisation(slug, slug, is_test=True),
                owner_id=person.pk,
                actor=SYSTEM,
                now=clock.now(),
            )
            time.sleep(delay)
            done = provisionings.go_on(provisioning_id=asked.id, now=clock.now())
        if done is None or done.ready_at is None:
            raise RuntimeError(f"{slug} was not set up: {done and done.problem}")
        took.append(time.perf_counter() - began)
    return {"took": took}


def plain(**_: Any) -> dict[str, Any]:
    """Run every migration on one new schema, as django-tenants does; the schema is dropped again."""
    schemas.create(PLAIN)
    began = time.perf_counter()
    call_command("migrate_schemas", tenant=True, schema_name=PLAIN, verbosity=0, interactive=False)
    took = time.perf_counter() - began
    schema.leave()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA {PLAIN} CASCADE")
    return {"took": took}


def switch(*, turns: int) -> dict[str, Any]:
    """Return what a statement costs more, in microseconds, when it is in another organisation than the last one."""
    first, second = organisations.everything()[:2]

    def ask(enter: Callable[[int], object]) -> float:
        began = time.perf_counter()
        for turn in range(turns):
            enter(turn)
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        return (time.perf_counter() - began) / turns

    schema.enter(first)
    ask(lambda _: None)
    stays = ask(lambda _: None)
    moves = ask(lambda turn: schema.enter(second if turn % 2 else first))
    schema.leave()
    return {"switch_us": (moves - stays) * 1e6, "statement_us": stays * 1e6}


def check(**_: Any) -> dict[str, Any]:
    """Compare every organisation with the template, and count what is ready and of this build."""
    everything = list(organisations.everything())
    different = [one.slug for one in everything if schemas.drift(one.schema_name)]
    ready = Organisation.objects.filter(status="READY").exclude(upgraded_to="").count()
    return {"organisations": len(everything), "ready": ready, "different": different}


def spoil(**_: Any) -> dict[str, Any]:
    """Lose a trigger of one organisation, as only the owner could."""
    name = organisations.everything()[0].schema_name
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.tgname FROM pg_trigger t WHERE t.tgrelid = %s::regclass AND NOT t.tgisinternal LIMIT 1",
            [f"{name}.{USED}"],
        )
        (trigger,) = cursor.fetchone()
        cursor.execute(f'DROP TRIGGER "{trigger}" ON {name}.{USED}')
    return {}


JOBS = {job.__name__: job for job in (provision, plain, switch, check, spoil)}

if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    print(json.dumps(JOBS[given.pop("job")](**given)))
