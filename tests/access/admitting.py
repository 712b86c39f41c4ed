"""The steps by which a new person is let in, for the tests that take them."""

from django.contrib.auth import authenticate

from apps.access.models import Role
from apps.access.services import admissions, memberships
from apps.accounts.services import entry_links
from apps.kit.actors import person
from apps.tenancy.models import Organisation
from tests.factories import access as make

NOW = make.NOW
PASSWORD = "a password of my own"
HOST = "acme.testserver"


def admit(actor, email="jane@example.test", **chosen):
    return admissions.admit(
        **{"email": email, "name": "Jane", "role": "auditor", "actor": actor, "now": NOW, **chosen}
    )


def use(admitted, now=NOW):
    """Let the person choose his password; return the code that he is shown."""
    return entry_links.code_of(entry_links.use(secret=admitted.secret, password=PASSWORD, now=now))


def confirm(admitted, actor, code, now=NOW):
    return admissions.confirm(membership_id=admitted.membership.id, code=code, actor=actor, now=now)


def turn_away(admitted, actor):
    return memberships.end(
        membership_id=admitted.membership.id, reason="Nobody knows her", actor=actor, now=NOW
    )


def sign_in(email="jane@example.test", password=PASSWORD):
    return authenticate(None, username=email, password=password)


def chiefs(*names):
    """Return people who manage the team of an organisation that is no small one."""
    people = [make.member("owner", f"{name}@example.test") for name in names or ("mary", "noah")]
    make.member("support", "help@example.test")
    Role.objects.filter(code="owner").update(permissions=["access.manage", "access.view"])
    Organisation.objects.filter(slug="acme").update(is_small_team=False)
    return [person(one.user_id) for one in people]
