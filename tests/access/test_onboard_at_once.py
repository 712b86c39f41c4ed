"""Onboard from two connections at once: an invite is taken once, a link accepted once, and one key of it opens."""

import pytest

from apps.access.models import ApiKey, Application
from apps.access.services import application_links
from apps.kit.errors import DomainError
from apps.tenancy.models import Invite, LinkRequest
from tests.access.onboard import claim, let_in
from tests.approvals.test_two_connections import at_once
from tests.factories import access, onboarding
from tests.factories.access import NOW


@pytest.fixture
def owner(committed_acme):
    access.head_office()
    access.portal()
    return access.member()


def refusals(said):
    return [one.code for one in said if isinstance(one, DomainError)]


def test_an_invite_is_taken_by_one_application(owner):
    made = onboarding.invited(owner)
    wishes = [onboarding.registered(name).application for name in ("Books", "Shop")]

    said = at_once(
        *(
            lambda one=one: application_links.redeem(application=one, code=made.code, now=NOW)
            for one in wishes
        )
    )

    assert refusals(said) == ["invite_unknown"]
    assert Invite.objects.get().link.status == "ACCEPTED"
    assert LinkRequest.objects.count() == Application.objects.filter(directory_id__isnull=False).count() == 1


def test_a_request_is_accepted_once_and_one_of_its_keys_opens(owner):
    books = onboarding.registered()
    link = onboarding.asked(books)

    accepted = at_once(*[lambda: let_in(owner, link)] * 2)
    claimed = at_once(*[lambda: claim(books, link)] * 2)

    assert len(refusals(accepted)) == 1
    assert Application.objects.filter(directory_id=books.application.id).count() == 1
    assert refusals(claimed) == []
    assert ApiKey.objects.filter(application__directory_id=books.application.id, revoked_at=None).count() == 1
