"""The demo organisation: two branches, a person, a consuming application, M-Pesa at the simulator and a webhook inbox."""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from apps.access.contracts import SCOPES
from apps.access.services import api_keys, applications, branches
from apps.accounts.services import users
from apps.events.services import sandbox_inboxes, webhook_endpoints
from apps.integrations.contracts import MPESA, AccountTerms, Environment, MpesaCredentials, ShortCodeType
from apps.integrations.services import accounts
from apps.kit import http, schema
from apps.kit.actors import SYSTEM
from apps.tenancy.models import Organisation
from treasury import onboarding

SLUG = "savanna"
NAME = "Savanna Kitchens"
OWNER_EMAIL = "amina@savanna.example"
PLATFORM_EMAIL = "ops@treasury.example"
PHONE = "+254712345678"
CHARGE_BASIS_POINTS = 50
HEAD_OFFICE = onboarding.HeadOffice("WST", "Westlands")


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
    organisation = onboarding.prepare(slug=SLUG, name=NAME, is_test=True)
    try:
        return None if onboarding.is_filled() else _fill(organisation, now)
    finally:
        schema.leave()


@transaction.atomic
def _fill(organisation: Organisation, now: datetime) -> Seeded:
    owner = onboarding.Owner(
        OWNER_EMAIL, "Amina Wanjiru", secrets.token_urlsafe(12), must_change_password=False
    )
    platform_password = secrets.token_urlsafe(12)
    westlands = onboarding.fill(head_office=HEAD_OFFICE, owner=owner, now=now)
    users.create(
        email=PLATFORM_EMAIL, name="Platform operator", password=platform_password, is_platform_staff=True
    )
    centre = branches.create(code="CBD", name="City centre", actor=SYSTEM, now=now)
    certificate = _control("GET", "/certificate").decode()
    for branch_id, name, short_code in (
        (westlands, HEAD_OFFICE.name, "600986"),
        (centre.id, centre.name, "600987"),
    ):
        credentials = _open_at_simulator(short_code, name)
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
            minimum_minor=100,
            maximum_minor=25_000_000,
        )
        accounts.create(terms=terms, credentials=credentials, actor=SYSTEM, now=now)
    return _connect_partner(organisation, owner.password, platform_password, now)


def _connect_partner(
    organisation: Organisation, owner_password: str, platform_password: str, now: datetime
) -> Seeded:
    """Make a consuming application with a key, and point its webhooks at an inbox."""
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
