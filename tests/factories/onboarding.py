"""Registered applications, links and invites for tests."""

from datetime import datetime, timedelta

from apps.access.models import Branch, Membership
from apps.access.services import application_links
from apps.kit.actors import SYSTEM, person
from apps.tenancy.contracts import ApplicationKind
from apps.tenancy.models import LinkRequest
from apps.tenancy.services import directory, invites, link_requests
from tests.factories.access import NOW


def registered(name: str = "Books", *, is_accepted: bool = True, now: datetime = NOW) -> directory.Registered:
    """Return an application of the directory with its secret."""
    made = directory.register(
        name=name,
        kind=ApplicationKind.PRODUCT,
        contact_email="dev@books.test",
        homepage="https://books.test",
        sender=name,
        now=now,
    )
    if is_accepted:
        directory.accept(application_id=made.application.id, actor=SYSTEM, now=now)
        made.application.refresh_from_db()
    return made


def asked(made: directory.Registered, slug: str = "acme", *, now: datetime = NOW) -> LinkRequest:
    """Return a request for a link that the platform has looked up."""
    link = link_requests.ask(
        application=made.application,
        slug=slug,
        scopes=["parties:read", "parties:write"],
        message="We keep your books.",
        now=now,
    )
    application_links.look_up(link_id=link.id, now=now)
    link.refresh_from_db()
    return link


def invited(
    owner: Membership,
    *,
    scopes: tuple[str, ...] = ("parties:read", "parties:write"),
    branch: Branch | None = None,
    lifetime: timedelta = timedelta(days=7),
    now: datetime = NOW,
) -> invites.MadeInvite:
    """Return an invite of the present organisation with its code."""
    return application_links.invite(
        note="Books Ltd",
        scopes=scopes,
        branch_id=branch.id if branch else None,
        lifetime=lifetime,
        person=owner.user,
        actor=person(owner.user_id),
        now=now,
    )
