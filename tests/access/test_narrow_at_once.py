"""Change a grant from two connections: what is made meanwhile is held to it, and everybody locks in one order."""

import threading
from datetime import timedelta
from time import sleep

import pytest
from django.db import connection, transaction

from apps.access.models import ApiKey, Application
from apps.access.services import api_keys, application_links, grants
from apps.events.models import WebhookEndpoint
from apps.events.services import webhook_endpoints
from apps.kit.actors import SYSTEM, person
from apps.kit.errors import DomainError
from apps.tenancy.models import GrantChange, RegisteredApplication
from apps.tenancy.services import grant_changes, link_requests
from tests.access.onboard import claim, let_in
from tests.factories import access, onboarding
from tests.factories.access import NOW

GIVEN = ("parties:read", "parties:write", "webhooks:write")
REASON = "The contract has changed"


@pytest.fixture
def owner(committed_acme):
    access.head_office()
    access.portal()
    return access.member()


@pytest.fixture
def linked(owner):
    """Return the link of an application that works here, and its first key."""
    books = onboarding.registered()
    link = let_in(owner, onboarding.asked(books), scopes=GIVEN)
    return link, claim(books, link).key


def narrowed(link, owner):
    grants.change(
        link_id=link.id,
        scopes=["parties:read"],
        branch_id=None,
        reason=REASON,
        person=owner.user,
        actor=person(owner.user_id),
        now=NOW,
    )


def ended(link, _owner):
    application_links.revoke(link_id=link.id, reason=REASON, actor=SYSTEM, now=NOW)


def another_key(key):
    api_keys.issue(
        application_id=key.application_id, name="Another", scopes=["parties:write"], actor=SYSTEM, now=NOW
    )


def another_secret(key):
    api_keys.rotate(key_id=key.id, grace=timedelta(0), actor=SYSTEM, now=NOW)


def another_endpoint(key):
    webhook_endpoints.create(
        application_id=key.application_id, url="https://books.test/other", actor=SYSTEM, now=NOW
    )


def the_endpoint_again(_key):
    webhook_endpoints.enable(
        endpoint_id=WebhookEndpoint.objects.get(url="https://books.test/hook").id, actor=SYSTEM, now=NOW
    )


def meanwhile(key, deed, then, *, first=lambda: None):
    """Do something from one connection, while the deed waits in another until that has committed; return its refusal."""
    organisation, refused = connection.tenant, []

    def run():
        connection.set_tenant(organisation)
        try:
            deed(key)
        except DomainError as refusal:
            refused.append(refusal.code)
        finally:
            connection.close()

    other = threading.Thread(target=run)
    with transaction.atomic():
        Application.objects.locked().get(id=key.application_id)
        first()
        other.start()
        it_waits(other)
        then()
    other.join(30)
    return refused


def it_waits(other):
    """Return when another connection waits for this one, or has come to its end."""
    with connection.cursor() as cursor:
        while other.is_alive():
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
            sleep(0.02)


@pytest.mark.parametrize(
    ("take_away", "deed", "code"),
    [
        (narrowed, another_key, ["insufficient_scope"]),
        (ended, another_key, ["application_closed"]),
        (narrowed, another_secret, []),
        (ended, another_secret, ["api_key_closed"]),
    ],
)
def test_no_key_is_made_that_keeps_what_is_taken_away(linked, owner, take_away, deed, code):
    link, key = linked

    refused = meanwhile(key, deed, lambda: take_away(link, owner))

    kept = ApiKey.objects.filter(application_id=key.application_id, revoked_at=None, replaced_at=None)
    left = ["parties:read"] if take_away is narrowed else None
    assert [one.scopes for one in kept] == ([left] if left else [])
    assert refused == code


@pytest.mark.parametrize(
    ("take_away", "deed", "code"),
    [
        (narrowed, another_endpoint, "insufficient_scope"),
        (ended, the_endpoint_again, "application_closed"),
    ],
)
def test_nothing_is_sent_where_that_is_taken_away(linked, owner, take_away, deed, code):
    link, key = linked
    endpoint = webhook_endpoints.create(
        application_id=key.application_id, url="https://books.test/hook", actor=SYSTEM, now=NOW
    ).endpoint
    webhook_endpoints.disable(endpoint_id=endpoint.id, actor=SYSTEM, now=NOW)

    refused = meanwhile(key, deed, lambda: None, first=lambda: take_away(link, owner))

    assert refused == [code]
    assert not WebhookEndpoint.objects.filter(status="ENABLED").exists()


def test_who_agrees_comes_to_the_change_by_its_link_as_everybody_does(linked, owner):
    link, key = linked
    books = RegisteredApplication.objects.get(id=link.application_id)
    wanted = grants.Grant(frozenset([*GIVEN, "payments:read"]), None)
    grants.ask(application=books, link_id=link.id, wanted=wanted, message="", now=NOW)
    change = GrantChange.objects.get()

    def agree(_key):
        grants.agree(
            change_id=change.id,
            scopes=wanted.scopes,
            branch_id=None,
            person=owner.user,
            actor=person(owner.user_id),
            now=NOW,
        )

    refused = meanwhile(
        key,
        agree,
        lambda: grant_changes.of_present(change.id),
        first=lambda: link_requests.of_present(link.id),
    )

    assert (refused, GrantChange.objects.get().status) == ([], "ACCEPTED")
