"""Rows of access for tests: branches, applications, people with a role, API keys."""

from datetime import UTC, datetime

from apps.access.contracts import PERMISSIONS, PORTAL, SCOPES, Caller
from apps.access.models import ApiKey, Application, Branch, Membership, Role
from apps.access.services import api_keys, applications, branches, memberships, roles
from apps.accounts.models import User
from apps.kit.actors import SYSTEM

NOW = datetime(2026, 11, 24, 7, 40, tzinfo=UTC)
PASSWORD = "correct horse battery staple"


def head_office() -> Branch:
    """Return the organisation's head office, made when it is missing."""
    found = Branch.objects.filter(is_head_office=True).first()
    return found or branches.create(code="HQ", name="Head office", is_head_office=True, actor=SYSTEM, now=NOW)


def branch(code: str = "NBO-CBD", name: str = "Nairobi CBD") -> Branch:
    found = Branch.objects.filter(code=code).first()
    return found or branches.create(code=code, name=name, actor=SYSTEM, now=NOW)


def application(slug: str = "shop") -> Application:
    found = Application.objects.filter(slug=slug).first()
    return found or applications.create(slug=slug, name=slug.title(), actor=SYSTEM, now=NOW)


def portal() -> Application:
    return application(PORTAL)


def user(email: str = "amina@example.test", *, is_platform_staff: bool = False) -> User:
    """Return a person; the row is made in the public schema, which is on the path of every organisation."""
    found = User.objects.filter(email=email).first()
    if found is None:
        found = User(email=email, name=email.partition("@")[0].title(), is_platform_staff=is_platform_staff)
        found.set_password(PASSWORD)
        found.save()
    return found


def seed_roles() -> None:
    """
    Make the default roles; the owner of the tests holds every permission, as in a small team.

    Both organisations of the tests are small teams. What the default owner may do is asked of ``roles.DEFAULTS``.
    """
    roles.seed()
    Role.objects.filter(code="owner").update(permissions=sorted(PERMISSIONS))


def member(
    role: str = "owner", email: str = "amina@example.test", branches: tuple[Branch, ...] = ()
) -> Membership:
    seed_roles()
    return memberships.create(
        user_id=user(email).id, role=role, branch_ids=[b.id for b in branches], actor=SYSTEM, now=NOW
    )


def issued(
    scopes: tuple[str, ...] = tuple(SCOPES),
    *,
    application_slug: str = "shop",
    branch: Branch | None = None,
    issuer: object = None,
    expires_at: datetime | None = None,
) -> api_keys.IssuedKey:
    """Return a new key with its secret, with all scopes unless told; head office and portal exist afterwards."""
    head_office()
    portal()
    return api_keys.issue(
        application_id=application(application_slug).id,
        name="Test key",
        scopes=scopes,
        branch_id=branch.id if branch else None,
        expires_at=expires_at,
        issuer=issuer,
        actor=SYSTEM,
        now=NOW,
    )


def api_key(**chosen: object) -> ApiKey:
    return issued(**chosen).key


def caller(**chosen: object) -> Caller:
    """Return the caller that a new key stands for."""
    found = api_keys.authenticate(secret=issued(**chosen).secret, now=NOW)
    assert found is not None
    return found


def bearer(secret: str) -> dict[str, str]:
    """Return the headers of a request with this key, for Django's test client."""
    return {"Authorization": f"Bearer {secret}"}
