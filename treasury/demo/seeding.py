"""Makes the demo: the organisation, its month if it is to have one, and what whoever tries it comes in with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from apps.kit import clock, ids, schema
from apps.tenancy.selectors import organisations
from treasury import onboarding
from treasury.demo import books, control, organisation, people, play, story
from treasury.demo.books import Books
from treasury.demo.organisation import Access, House, Passwords

SEED = 20_261_124
DAYS = 30
ORDERS = 200

type Say = Callable[[str], None]


class BooksDoNotFoot(RuntimeError):
    """Ledger and statements of the simulator differ; the message says by how much."""


@dataclass(frozen=True, slots=True)
class Month:
    """How much is played before the demo is handed over; the defaults are what script/server shows."""

    seed: int = SEED
    days: int = DAYS
    orders: int = ORDERS


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a person needs to use the demo; secrets are known only here, at the first seeding."""

    organisation_id: str
    passwords: Passwords
    access: Access


def seed(*, now: datetime, month: Month | None, say: Say) -> Seeded | None:
    """
    Make the demo, or return None when it is there. Needs the owner role and a running simulator, which it empties first.

    The story ends at ``now``. Interrupted half-way it goes on where it stopped: the organisation is one transaction,
    and of the month what is done is left. Raises BooksDoNotFoot.
    """
    found = onboarding.prepare(slug=organisation.SLUG, name=organisation.NAME, is_test=True, now=now)
    try:
        if onboarding.is_filled() and organisation.is_complete(organisation.enter()):
            return None
        passwords, access = furnish(now=now, month=month, say=say)
        return Seeded(str(found.id), passwords, access)
    finally:
        schema.leave()


def furnish(*, now: datetime, month: Month | None, say: Say) -> tuple[Passwords, Access]:
    """Fill the organisation that was entered, live through its month, and hand it over."""
    passwords = _fill(now=now, month=month)
    house = organisation.enter()
    if month is not None:
        _play(month, house, say=say)
    return passwords, organisation.hand_over(application_id=house.application_id, now=now)


def check() -> Books:
    """Say whether the books of the demo that was made foot. Needs a running simulator."""
    found = organisations.ready_by_slug(organisation.SLUG)
    if found is None:
        raise BooksDoNotFoot("there is no demo organisation")
    schema.enter(found)
    try:
        return books.check(organisation.enter())
    finally:
        schema.leave()


def _fill(*, now: datetime, month: Month | None) -> Passwords:
    if onboarding.is_filled():
        return organisation.renew_passwords(now=now)
    if month is None:
        return organisation.fill(now=now)
    control.forget_everything()
    starts_at = now.replace(microsecond=0) - timedelta(days=month.days)
    with clock.fixed(starts_at), ids.seeded(month.seed):
        return organisation.fill(now=starts_at)


def _play(month: Month, house: House, *, say: Say) -> None:
    since = control.stopped_at() or house.starts_at
    told = story.tell(
        seed=month.seed,
        ends_at=house.starts_at + timedelta(days=month.days),
        days=month.days,
        count=month.orders,
    )
    with ids.seeded(month.seed + int(since.timestamp())):
        play.play(told, house, since=since)
    verdict = books.check(house)
    if not verdict.do_foot:
        raise BooksDoNotFoot(str(verdict))
    say(f"{len(told.orders)} orders; {verdict}")


def credentials(seeded: Seeded) -> dict[str, Any]:
    """Return what script/server prints: addresses, logins and the key. Written once, to a file for its owner's eyes."""
    base = settings.TREASURY["PUBLIC_URL"]
    port = base.rpartition(":")[2]
    host = f"http://{organisation.SLUG}.{settings.TREASURY['BASE_DOMAIN']}:{port}"
    passwords = seeded.passwords.by_email
    logins = [
        {"role": person.deed, "email": person.email, "password": passwords[person.email]}
        for person in people.TEAM
    ]
    operator = {
        "role": "platform operator",
        "email": people.PLATFORM_EMAIL,
        "password": seeded.access.platform_password,
    }
    return {
        "organisation": organisation.NAME,
        "organisation_id": seeded.organisation_id,
        "portal_url": f"{host}/portal/",
        "platform_url": f"http://{settings.TREASURY['BASE_DOMAIN']}:{port}/platform/",
        "api_base": f"{base}/v1/{organisation.SLUG}",
        "api_docs_url": f"{base}/v1/docs",
        "phone_url": f"{settings.TREASURY['SIMULATOR_URL']}/phone/{people.PHONE.lstrip('+')}",
        "inbox_url": f"{host}/portal/inbox/{seeded.access.inbox_id}/",
        "phone": people.PHONE,
        "api_key": seeded.access.api_key,
        "logins": [*logins, operator],
    }
