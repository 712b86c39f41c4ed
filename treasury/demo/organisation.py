"""The demo organisation: two branches, five people, a consuming application, for each branch a paybill and an account for cards."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from apps.access.contracts import PERMISSIONS, SCOPES
from apps.access.selectors import api_keys as known_keys
from apps.access.selectors import applications as known_applications
from apps.access.selectors import branches as known_branches
from apps.access.selectors import memberships as team
from apps.access.services import api_keys, applications, branches, duties, memberships, roles
from apps.accounts.services import users
from apps.approvals.contracts import NewRule, NewStep
from apps.approvals.services import rules
from apps.events.selectors import inboxes
from apps.events.services import sandbox_inboxes, webhook_endpoints
from apps.integrations.contracts import MPESA, AccountTerms, Environment, ShortCodeType, credentials
from apps.integrations.services import accounts, hooks
from apps.kit.actors import SYSTEM, Actor, ActorKind
from apps.payments.contracts import REFUND
from treasury import onboarding
from treasury.demo import control, people
from treasury.demo.story import BOARD_LIMIT, CENTRE, REFUND_LIMIT, WESTLANDS

SLUG = "savanna"
NAME = "Savanna Kitchens"
STRIPE = "stripe"
ORDERS = "orders"
TILLS = "Tills"
TILL_SCOPES = ("payments:read", "payments:write", "receipts:read")
DEMO_KEY = "Demo key"
INBOX = "Demo inbox"
CHARGE_BASIS_POINTS = 50
BRANCHES = {WESTLANDS: "Westlands", CENTRE: "City centre"}
PAYBILLS = {WESTLANDS: "600986", CENTRE: "600987"}
CARD_ACCOUNTS = {WESTLANDS: "acct_1SavannaWestlands", CENTRE: "acct_1SavannaCityCentre"}
CARD_EVENTS = (
    "checkout.session.*",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "refund.*",
    "charge.dispute.*",
)
"""What the provider tells us: one message for each thing that happens."""

CARD_BASIS_POINTS, DISPUTE_FEE_MINOR = 290, 195_000
REFUND_RULES = (
    NewRule(REFUND.name, [NewStep([people.APPROVER.role])], "KES", REFUND_LIMIT, BOARD_LIMIT),
    NewRule(REFUND.name, [NewStep([people.APPROVER.role]), NewStep([people.OWNER.role])], "KES", BOARD_LIMIT),
)
MINIMUM_MINOR, MAXIMUM_MINOR = 100, 25_000_000


@dataclass(frozen=True, slots=True)
class House:
    """What is needed to act in the demo organisation: branches by code, the application and its tills, people by role."""

    starts_at: datetime
    branches: Mapping[str, UUID]
    application_id: UUID
    till: Actor
    users: Mapping[str, AbstractBaseUser]

    @property
    def owner(self) -> AbstractBaseUser:
        return self.users[people.OWNER.role]

    def actor(self, person: people.Colleague) -> Actor:
        """Return the actor that a colleague is in the portal."""
        return team.actor(self.users[person.role])


@dataclass(frozen=True, slots=True)
class Passwords:
    """The passwords of this seeding by e-mail; they are known nowhere else."""

    by_email: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Access:
    """What whoever tries the demo comes in with, beside the passwords of the team."""

    platform_password: str = field(repr=False)
    api_key: str = field(repr=False)
    inbox_id: UUID


@transaction.atomic
def fill(*, now: datetime) -> Passwords:
    """Make all that the organisation consists of, or nothing of it. Needs the owner role and a running simulator."""
    passwords = {person.email: secrets.token_urlsafe(12) for person in people.TEAM}
    owner = onboarding.Owner(people.OWNER.email, people.OWNER.name, passwords[people.OWNER.email])
    head_office = onboarding.HeadOffice(WESTLANDS, BRANCHES[WESTLANDS])
    places = {WESTLANDS: onboarding.fill(head_office=head_office, owner=owner, now=now).head_office_id}
    places[CENTRE] = branches.create(code=CENTRE, name=BRANCHES[CENTRE], actor=SYSTEM, now=now).id
    _be_a_small_team(now=now)
    for person in people.TEAM[1:]:
        user = users.create(
            email=person.email, name=person.name, password=passwords[person.email], actor=SYSTEM, now=now
        )
        memberships.create(user_id=user.pk, role=person.role, actor=SYSTEM, now=now)
    orders = applications.create(slug=ORDERS, name="Orders", actor=SYSTEM, now=now)
    api_keys.issue(application_id=orders.id, name=TILLS, scopes=TILL_SCOPES, actor=SYSTEM, now=now)
    for rule in REFUND_RULES:
        rules.create(rule=rule, actor=SYSTEM, now=now)
    certificate = control.certificate()
    for code, branch_id in places.items():
        _open_paybill(code, branch_id, certificate, now=now)
        _open_cards(code, branch_id, now=now)
    return Passwords(passwords)


def _be_a_small_team(*, now: datetime) -> None:
    """Let the owner of this small business do everything himself: whoever tries the demo signs in as him."""
    reason = "A demo is looked at by one person"
    duties.choose_small_team(is_small_team=True, reason=reason, actor=SYSTEM, now=now)
    roles.change(code=people.OWNER.role, permissions=list(PERMISSIONS), reason=reason, actor=SYSTEM, now=now)


def renew_passwords(*, now: datetime) -> Passwords:
    """Give everybody a new password: those of a seeding that was interrupted are lost."""
    passwords = {}
    for member in team.everybody():
        passwords[member.user.email] = secrets.token_urlsafe(12)
        users.set_password(
            user_id=member.user_id, password=passwords[member.user.email], actor=SYSTEM, now=now
        )
    return Passwords(passwords)


def enter() -> House:
    """Return what is needed to act in the organisation that was entered and filled."""
    users = {member.role.code: member.user for member in team.everybody()}
    owner = users[people.OWNER.role]
    orders = known_applications.visible_to(owner).get(slug=ORDERS)
    key = known_keys.visible_to(owner).get(name=TILLS)
    return House(
        starts_at=orders.created_at,
        branches={branch.code: branch.id for branch in known_branches.visible_to(owner)},
        application_id=orders.id,
        till=Actor(ActorKind.API_KEY, str(key.id), application=ORDERS),
        users=users,
    )


def is_complete(house: House) -> bool:
    """Say whether the demo has been made to its end: the key of whoever tries it is made last."""
    return known_keys.visible_to(house.owner).filter(name=DEMO_KEY).exists()


@transaction.atomic
def connect_inbox(*, application_id: UUID, now: datetime) -> UUID:
    """Point the webhooks of the application at an inbox and return it; a second time changes nothing."""
    known = inboxes.visible(application_id=application_id).first()
    if known is not None:
        return known.id
    inbox = sandbox_inboxes.create(application_id=application_id, label=INBOX, now=now)
    webhook_endpoints.create(
        application_id=application_id,
        url=sandbox_inboxes.url(inbox),
        description=INBOX,
        actor=SYSTEM,
        now=now,
    )
    return inbox.id


@transaction.atomic
def hand_over(*, application_id: UUID, now: datetime) -> Access:
    """Make the platform's operator and the API key of whoever tries the demo: the last step of a seeding."""
    inbox_id = connect_inbox(application_id=application_id, now=now)
    password = secrets.token_urlsafe(12)
    users.create(
        email=people.PLATFORM_EMAIL,
        name="Platform operator",
        password=password,
        is_platform_staff=True,
        actor=SYSTEM,
        now=now,
    )
    issued = api_keys.issue(
        application_id=application_id, name=DEMO_KEY, scopes=list(SCOPES), actor=SYSTEM, now=now
    )
    return Access(password, issued.secret, inbox_id)


def _open_paybill(code: str, branch_id: UUID, certificate: str, *, now: datetime) -> None:
    """Open a paybill for a branch, with fresh secrets, at the simulator and here."""
    short_code = PAYBILLS[code]
    texts = {
        "consumer_key": secrets.token_hex(12),
        "consumer_secret": secrets.token_hex(12),
        "passkey": secrets.token_hex(32),
        "initiator": "treasury",
        "initiator_password": secrets.token_hex(12),
    }
    account = {
        "type": "paybill",
        "name": f"{NAME}, {BRANCHES[code]}",
        **texts,
        "charge_bps": CHARGE_BASIS_POINTS,
    }
    control.open_account(short_code, account)
    terms = AccountTerms(
        provider=MPESA,
        label=f"M-Pesa Paybill {short_code}",
        branch_id=branch_id,
        environment=Environment.SIMULATOR,
        base_url=f"{settings.TREASURY['SIMULATOR_URL']}/daraja",
        currency="KES",
        short_code=short_code,
        short_code_type=ShortCodeType.PAYBILL,
        certificate=certificate,
        fee_bps=CHARGE_BASIS_POINTS,
        minimum_minor=MINIMUM_MINOR,
        maximum_minor=MAXIMUM_MINOR,
    )
    accounts.create(terms=terms, credentials=credentials(MPESA, **texts), actor=SYSTEM, now=now)


def _open_cards(code: str, branch_id: UUID, *, now: datetime) -> None:
    """Open an account that takes cards in shillings for a branch, here and at the simulator, which tells us of everything."""
    number = CARD_ACCOUNTS[code]
    texts = {
        "api_key": f"sk_test_{secrets.token_hex(16)}",
        "webhook_secret": f"whsec_{secrets.token_hex(16)}",
    }
    terms = AccountTerms(
        provider=STRIPE,
        label=f"Cards, {BRANCHES[code]}",
        branch_id=branch_id,
        environment=Environment.SIMULATOR,
        base_url=f"{settings.TREASURY['SIMULATOR_URL']}/stripe",
        currency="KES",
        short_code=number,
        fee_bps=CARD_BASIS_POINTS,
        minimum_minor=MINIMUM_MINOR,
        maximum_minor=MAXIMUM_MINOR,
    )
    account = accounts.create(terms=terms, credentials=credentials(STRIPE, **texts), actor=SYSTEM, now=now)
    theirs = {
        "name": f"{NAME}, {BRANCHES[code]}",
        "country": "KE",
        "currency": "kes",
        "secret_key": texts["api_key"],
        "webhooks": [
            {
                "url": hooks.webhook(account),
                "secret": texts["webhook_secret"],
                "enabled_events": list(CARD_EVENTS),
            }
        ],
        "fee_bps": CARD_BASIS_POINTS,
        "fee_fixed": 0,
        "dispute_fee": DISPUTE_FEE_MINOR,
    }
    control.open_account(number, theirs)
