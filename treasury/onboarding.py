"""A new organisation that people can use: schema, roles, head office, the portal's application, its first owner."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.access.models import Application
from apps.accounts.services import users
from apps.kit import schema
from apps.kit.actors import SYSTEM, Actor
from apps.tenancy.models import Organisation, OrganisationStatus
from apps.tenancy.services import organisations, provisioning
from treasury import content


@dataclass(frozen=True, slots=True)
class Owner:
    """The first person of an organisation; a password that somebody else has read is changed at the first sign-in."""

    email: str
    name: str
    password: str = field(repr=False)
    must_change_password: bool = True


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
def fill(*, head_office: HeadOffice, owner: Owner, now: datetime, actor: Actor = SYSTEM) -> UUID:
    """Make the first owner and all that an organisation begins with; return the head office. All or nothing."""
    person = users.create(
        email=owner.email,
        name=owner.name,
        password=owner.password,
        must_change_password=owner.must_change_password,
        actor=actor,
        now=now,
    )
    return content.begin(
        branch_code=head_office.code, branch_name=head_office.name, owner_id=person.id, actor=actor, now=now
    )
