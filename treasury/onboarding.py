"""A new organisation that people can use: schema, roles, head office, the portal's application, its first owner."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.access.models import Application
from apps.accounts.services import entry_links, users
from apps.kit import schema
from apps.kit.actors import SYSTEM, Actor
from apps.tenancy.models import Organisation, OrganisationStatus
from apps.tenancy.services import organisations, provisioning
from treasury import content


@dataclass(frozen=True, slots=True)
class Owner:
    """The first person of an organisation; without a password he chooses his own by an entry link."""

    email: str
    name: str
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Filled:
    """The head office, and the secret of the owner's entry link; empty where he has a password."""

    head_office_id: UUID
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HeadOffice:
    """The branch that stands for the organisation as a whole."""

    code: str
    name: str


def prepare(
    *, slug: str, name: str, is_test: bool, now: datetime, actor: Actor = SYSTEM, reason: str = ""
) -> Organisation:
    """
    Return an organisation with its schema, and enter it. Needs the owner role; repeated after an interruption it goes
    on where it stopped. Raises what organisations.create and provisioning.provision raise.
    """
    schema.leave()
    organisation = Organisation.objects.filter(slug=slug).first() or organisations.create(
        slug=slug,
        name=name,
        is_test=is_test,
        base_domain=settings.TREASURY["BASE_DOMAIN"],
        actor=actor,
        now=now,
        reason=reason,
    )
    if organisation.status == OrganisationStatus.PROVISIONING:
        organisation = provisioning.provision(organisation_id=organisation.id)
    schema.enter(organisation)
    return organisation


def is_filled() -> bool:
    """Say whether the organisation that was entered has its content."""
    return Application.objects.exists()


@transaction.atomic
def fill(*, head_office: HeadOffice, owner: Owner, now: datetime, actor: Actor = SYSTEM) -> Filled:
    """Make the first owner and all that an organisation begins with. All or nothing."""
    person = users.create(email=owner.email, name=owner.name, password=owner.password, actor=actor, now=now)
    secret = ""
    if owner.password is None:
        secret = entry_links.make(user_id=person.id, actor=actor, now=now, is_vouched_for=True)
    head_office_id = content.begin(
        branch_code=head_office.code, branch_name=head_office.name, owner_id=person.id, actor=actor, now=now
    )
    return Filled(head_office_id, secret)
