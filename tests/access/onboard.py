"""What an application of the directory and an organisation do while they come together."""

from django.db import connection
from django.test import Client

from apps.access.services import application_links
from apps.kit.actors import person
from tests.factories.access import NOW

ONBOARDING = "/v1/onboarding"


def post(path, body=None, secret="", **headers):
    connection.set_schema_to_public()
    bearer = {"Authorization": f"Bearer {secret}"} if secret else {}
    return Client().post(
        ONBOARDING + path, body or {}, content_type="application/json", headers={**bearer, **headers}
    )


def get(path, secret=""):
    connection.set_schema_to_public()
    return Client().get(ONBOARDING + path, headers={"Authorization": f"Bearer {secret}"} if secret else {})


def let_in(owner, link, *, scopes=("parties:read", "parties:write"), branch=None):
    return application_links.accept(
        link_id=link.id,
        scopes=scopes,
        branch_id=branch.id if branch else None,
        person=owner.user,
        actor=person(owner.user_id),
        now=NOW,
    )


def claim(books, link):
    return application_links.claim_key(application=books.application, link_id=link.id, now=NOW)
