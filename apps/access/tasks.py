"""Background work of access."""

from uuid import UUID

from celery import shared_task

from apps.access.services import access_tokens, application_links, grants, idempotency
from apps.kit import clock, jobs
from apps.tenancy.services import directory, fan_out, link_requests

AGAIN = 3.0
"""Seconds until an organisation that is being set up is looked at again."""


@shared_task(name="access.sweep", scope="public")
def sweep(**_: object) -> None:
    """Start the purge in every organisation."""
    fan_out.each_working("access.purge_idempotency")
    fan_out.each_working("access.purge_tokens")


@shared_task(name="access.purge_idempotency")
def purge_idempotency(**_: object) -> None:
    """Remove the answers of this organisation that nobody repeats any more."""
    idempotency.purge(now=clock.now())


@shared_task(name="access.purge_tokens")
def purge_tokens(**_: object) -> None:
    """Remove the access tokens of this organisation that have ended."""
    access_tokens.purge(now=clock.now())


@shared_task(name="access.look_up_link", scope="public")
def look_up_link(*, link_id: str, **_: object) -> None:
    """Find the organisation that an application asks for, and tell its people."""
    application_links.look_up(link_id=UUID(link_id), now=clock.now())


@shared_task(name="access.settle_creation", scope="public")
def settle_creation(*, link_id: str, **_: object) -> None:
    """Let an application into the organisation that was made for it; while that is being set up, look again."""
    link = application_links.settle_creation(link_id=UUID(link_id), now=clock.now())
    if link is not None and link.is_pending:
        jobs.enqueue("access.settle_creation", countdown=AGAIN, link_id=link_id)


@shared_task(name="access.sweep_links", scope="public")
def sweep_links(**_: object) -> None:
    """Look up requests whose job was lost, and let end what nobody answered in time."""
    now = clock.now()
    for link_id in link_requests.not_looked_up():
        application_links.look_up(link_id=link_id, now=now)
    for link_id in link_requests.unsettled_creations():
        application_links.settle_creation(link_id=link_id, now=now)
    application_links.expire(now=now)
    grants.expire(now=now)
    directory.purge(now=now)
