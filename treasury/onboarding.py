"""A new organisation that people can use: schema, roles, head office, the portal's application, its first owner."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.access.contracts import PORTAL
from apps.access.models import Application
from apps.access.services import applications, branches, memberships, roles
from apps.accounts.services import users
from apps.approvals.contracts import NewRule, NewStep
from apps.approvals.services import rules
from apps.kit import schema
from apps.kit.actors import SYSTEM, Actor
from apps.ledger.contracts import FX_RATE, JOURNAL, PERIOD_REOPEN, REVERSAL
from apps.ledger.services import charts
from apps.payments.contracts import REFUND
from apps.tenancy.models import Organisation, OrganisationStatus
from apps.tenancy.services import organisations, provisioning

FIRST_RULES = (
    NewRule(
        kind=REFUND.name,
        currency="KES",
        minimum_minor=10_000_00,
        steps=(NewStep(roles=("owner", "approver")),),
    ),
    NewRule(kind=FX_RATE.name, steps=(NewStep(roles=("owner", "approver", "controller")),)),
    NewRule(kind=JOURNAL.name, steps=(NewStep(roles=("owner", "approver", "controller")),)),
    NewRule(kind=REVERSAL.name, steps=(NewStep(roles=("owner", "approver", "controller")),)),
    NewRule(kind=PERIOD_REOPEN.name, steps=(NewStep(roles=("owner", "approver", "controller")),)),
)
"""What needs approval from the first day on; the organisation may put other rules in their place."""


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
    """
    Make roles, head office, the portal's application, the first owner, the chart of accounts and the first approval
    rules; return the head office. All or nothing.
    """
    roles.seed()
    branch = branches.create(
        code=head_office.code, name=head_office.name, is_head_office=True, actor=actor, now=now
    )
    person = users.create(
        email=owner.email,
        name=owner.name,
        password=owner.password,
        must_change_password=owner.must_change_password,
        actor=actor,
        now=now,
    )
    memberships.create(user_id=person.id, role="owner", actor=actor, now=now)
    applications.create(slug=PORTAL, name="Portal", actor=actor, now=now)
    charts.install(actor=actor, now=now)
    for rule in FIRST_RULES:
        rules.create(rule=rule, actor=actor, now=now)
    return branch.id
