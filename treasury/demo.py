"""The demo organisation: two branches, a person, a consuming application, M-Pesa at the simulator and a webhook inbox."""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from apps.access.contracts import SCOPES
from apps.access.models import Application
from apps.access.services import api_keys, applications, branches, memberships, roles
from apps.accounts.services import users
from apps.events.services import sandbox_inboxes, webhook_endpoints
from apps.integrations.contracts import MPESA, AccountTerms, Environment, MpesaCredentials, ShortCodeType
from apps.integrations.services import accounts
from apps.kit import http, schema
from apps.kit.actors import SYSTEM
from apps.tenancy.models import Organisation, OrganisationStatus
from apps.tenancy.services import organisations, provisioning

SLUG = "savanna"
NAME = "Savanna Kitchens"
OWNER_EMAIL = "amina@savanna.example"
PLATFORM_EMAIL = "ops@treasury.example"
PHONE = "+254712345678"
CHARGE_BASIS_POINTS = 50
BRANCHES = (("WST", "Westlands", True, "600986"), ("CBD", "City centre", False, "600987"))


class SimulatorRefused(RuntimeError):
    """The simulator did not take an account; its answer is in the message."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a person needs to use the demo; secrets are known only here, at the first seeding."""

    organisation: Organisation
    owner_password: str
    platform_password: str
    api_key: str
    inbox_url: str


def seed(*, now: datetime) -> Seeded | None:
    """
    Make the demo organisation, or return None when it is there. Needs the owner role and a running simulator.

    Interrupted half-way it starts over where it stopped: the schema is kept, the content is one transaction.
    """
    schema.leave()
    organisation = Organisation.objects.filter(slug=SLUG).first() or organisations.create(
        slug=SLUG, name=NAME, is_test=True, base_domain=settings.TREASURY["BASE_DOMAIN"]
    )
    if organisation.status != OrganisationStatus.READY:
        organisation = provisioning.provision(organisation_id=organisation.id)
    schema.enter(organisation)
    try:
        return None if Application.objects.exists() else _fill(organisation, now)
    finally:
        schema.leave()


@transaction.atomic
def _fill(organisation: Organisation, now: datetime) -> Seeded:
    roles.seed()
    owner_password, platform_password = secrets.token_urlsafe(12), secrets.token_urlsafe(12)
    owner = users.create(email=OWNER_EMAIL, name="Amina Wanjiru", password=owner_password)
    users.create(
        email=PLATFORM_EMAIL, name="Platform operator", password=platform_password, is_platform_staff=True
    )
    memberships.create(user_id=owner.id, role="owner", actor=SYSTEM, now=now)
    certificate = _control("GET", "/certificate").decode()
    for code, name, is_head_office, short_code in BRANCHES:
        branch = branches.create(code=code, name=name, is_head_office=is_head_office, actor=SYSTEM, now=now)
        credentials = _open_at_simulator(short_code, name)
        terms = AccountTerms(
            provider=MPESA,
            label=f"M-Pesa Paybill {short_code}",
            branch_id=branch.id,
            environment=Environment.SIMULATOR,
            base_url=f"{settings.TREASURY['SIMULATOR_URL']}/daraja",
            currency="KES",
            short_code=short_code,
            short_code_type=ShortCodeType.PAYBILL,
            certificate=certificate,
            fee_bps=CHARGE_BASIS_POINTS,
            minimum_minor=100,
            maximum_minor=25_000_000,
        )
        accounts.create(terms=terms, credentials=credentials, actor=SYSTEM, now=now)
    return _connect_partner(organisation, owner_password, platform_password, now)


def _connect_partner(
    organisation: Organisation, owner_password: str, platform_password: str, now: datetime
) -> Seeded:
    """Make the portal's application and a consuming one with a key, and point its webhooks at an inbox."""
    applications.create(slug="portal", name="Portal", actor=SYSTEM, now=now)
    orders = applications.create(slug="orders", name="Orders", actor=SYSTEM, now=now)
    issued = api_keys.issue(
        application_id=orders.id, name="Demo key", scopes=list(SCOPES), actor=SYSTEM, now=now
    )
    inbox = sandbox_inboxes.create(application_id=orders.id, label="Demo inbox", now=now)
    webhook_endpoints.create(
        application_id=orders.id,
        url=sandbox_inboxes.url(inbox),
        description="Demo inbox",
        actor=SYSTEM,
        now=now,
    )
    return Seeded(
        organisation, owner_password, platform_password, issued.secret, f"/portal/inbox/{inbox.id}/"
    )


def _open_at_simulator(short_code: str, branch: str) -> MpesaCredentials:
    """Open a paybill at the simulator with fresh secrets and return them."""
    credentials = MpesaCredentials(
        consumer_key=secrets.token_hex(12),
        consumer_secret=secrets.token_hex(12),
        passkey=secrets.token_hex(32),
        initiator="treasury",
        initiator_password=secrets.token_hex(12),
    )
    account = {
        "type": "paybill",
        "name": f"{NAME}, {branch}",
        "consumer_key": credentials.consumer_key,
        "consumer_secret": credentials.consumer_secret,
        "passkey": credentials.passkey,
        "initiator": credentials.initiator,
        "initiator_password": credentials.initiator_password,
        "charge_bps": CHARGE_BASIS_POINTS,
    }
    _control("PUT", f"/accounts/{short_code}", json.dumps(account).encode())
    return credentials


def _control(method: str, path: str, content: bytes = b"") -> bytes:
    base = settings.TREASURY["SIMULATOR_URL"]
    client = http.Client(policy=http.AddressPolicy(allowed_loopback=(base,)))
    answer = client.send(
        method, f"{base}/__control{path}", headers={"Content-Type": "application/json"}, content=content
    )
    if not 200 <= answer.status < 300:  # noqa: PLR2004 (HTTP)
        raise SimulatorRefused(f"{method} {path}: {answer.status} {answer.body.decode(errors='replace')}")
    return answer.body


def credentials(seeded: Seeded) -> dict[str, object]:
    """Return what script/server prints: addresses, logins and the key. Written once, to a file for its owner's eyes."""
    base = settings.TREASURY["PUBLIC_URL"]
    port = base.rpartition(":")[2]
    host = f"http://{SLUG}.{settings.TREASURY['BASE_DOMAIN']}:{port}"
    return {
        "organisation": seeded.organisation.name,
        "organisation_id": str(seeded.organisation.id),
        "portal_url": f"{host}/portal/",
        "platform_url": f"http://{settings.TREASURY['BASE_DOMAIN']}:{port}/platform/",
        "api_base": f"{base}/v1/{SLUG}",
        "api_docs_url": f"{base}/v1/docs",
        "phone_url": f"{settings.TREASURY['SIMULATOR_URL']}/phone/{PHONE.lstrip('+')}",
        "inbox_url": f"{host}{seeded.inbox_url}",
        "phone": PHONE,
        "api_key": seeded.api_key,
        "logins": [
            {"role": "owner of the organisation", "email": OWNER_EMAIL, "password": seeded.owner_password},
            {"role": "platform operator", "email": PLATFORM_EMAIL, "password": seeded.platform_password},
        ],
    }
