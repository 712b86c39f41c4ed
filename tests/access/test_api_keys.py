"""API keys: made once, checked in constant time, closed for good."""

from datetime import timedelta

import pytest
from django.db import connection

from apps.access.contracts import GIVEN_BY, PERMISSIONS, SCOPES
from apps.access.models import ApiKey
from apps.access.selectors import api_keys as visible_keys
from apps.access.selectors import branches as branch_rules
from apps.access.services import api_keys
from apps.audit.models import AuditRecord
from apps.kit import errors, ids
from apps.kit.actors import SYSTEM
from tests.factories import access as make

NOW = make.NOW


def issue(**chosen):
    fields = {"name": "Till", "scopes": ["payments:read"], "actor": SYSTEM, "now": NOW}
    return api_keys.issue(**{**fields, "application_id": make.application().id, **chosen})


def test_shows_the_secret_once_and_keeps_a_digest(acme):
    issued = issue()

    key = ApiKey.objects.get()
    assert issued.secret.startswith(f"{key.prefix}_")
    assert key.prefix.startswith("tsk_test_")
    assert len(issued.secret) == len("tsk_test_") + 8 + 1 + 40
    assert key.last4 == issued.secret[-4:]
    assert key.digest == api_keys.digest(issued.secret)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(k)::text FROM access_apikey k")
        assert issued.secret[-40:] not in cursor.fetchone()[0]


def test_says_live_in_a_live_organisation(zuri):
    assert issue().secret.startswith("tsk_live_")


def test_leaves_an_audit_record_without_the_secret(acme):
    issued = issue()

    record = AuditRecord.objects.get(action="api_key.issued")
    assert record.object_id == str(issued.key.id)
    assert record.changes == {"prefix": [None, issued.key.prefix], "scopes": [None, ["payments:read"]]}


@pytest.mark.parametrize(
    ("chosen", "pointer"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["payments:read", "everything"]}, "/scopes"),
        ({"name": " "}, "/name"),
        ({"expires_at": NOW}, "/expires_at"),
    ],
)
def test_refuses_a_key_that_cannot_be(acme, chosen, pointer):
    with pytest.raises(api_keys.KeyInvalid) as refusal:
        issue(**chosen)

    assert [error.pointer for error in refusal.value.errors] == [pointer]
    assert ApiKey.objects.exists() is False
    assert AuditRecord.objects.filter(action="api_key.issued").exists() is False


def test_refuses_a_key_for_the_portal_whose_rows_are_of_all_applications(acme):
    with pytest.raises(api_keys.KeyInvalid) as refusal:
        issue(application_id=make.portal().id)

    assert [error.pointer for error in refusal.value.errors] == ["/application"]
    assert ApiKey.objects.exists() is False


def test_refuses_an_unknown_application(acme):
    with pytest.raises(errors.NotFound):
        issue(application_id=ids.new())


def test_a_key_stands_for_its_application_and_its_maker(acme):
    membership = make.member("developer")
    secret = make.issued(("payments:read",), issuer=membership.user).secret

    caller = api_keys.authenticate(secret=secret, now=NOW)

    assert caller is not None
    assert caller.scopes == {"payments:read"}
    assert caller.application_id == make.application().id
    assert caller.branch_id is None
    assert caller.actor.person == str(membership.user_id)
    assert caller.actor.application == "shop"
    assert caller.actor.id == str(caller.key.id)


def test_opens_until_it_expires(acme):
    secret = make.issued(expires_at=NOW + timedelta(hours=1)).secret

    assert api_keys.authenticate(secret=secret, now=NOW + timedelta(minutes=59)) is not None
    assert api_keys.authenticate(secret=secret, now=NOW + timedelta(hours=1)) is None


def test_does_not_open_when_revoked(acme):
    issued = make.issued()

    api_keys.revoke(key_id=issued.key.id, actor=SYSTEM, now=NOW, reason="lost")

    assert api_keys.authenticate(secret=issued.secret, now=NOW) is None
    assert AuditRecord.objects.get(action="api_key.revoked").reason == "lost"


def test_revoking_twice_changes_nothing(acme):
    key = make.api_key()

    api_keys.revoke(key_id=key.id, actor=SYSTEM, now=NOW)
    again = api_keys.revoke(key_id=key.id, actor=SYSTEM, now=NOW + timedelta(days=1))

    assert again.revoked_at == NOW
    assert AuditRecord.objects.filter(action="api_key.revoked").count() == 1


@pytest.mark.parametrize(
    "secret", ["", "x", "tsk_test_short", "tsk_test_12345678_" + "a" * 40, "\N{SNOWMAN}" * 58]
)
def test_unknown_and_malformed_keys_do_not_open(acme, secret):
    make.issued()

    assert api_keys.authenticate(secret=secret, now=NOW) is None


def test_the_right_prefix_with_another_secret_does_not_open(acme):
    secret = make.issued().secret
    forged = secret[:-1] + ("a" if secret[-1] != "a" else "b")

    assert api_keys.authenticate(secret=forged, now=NOW) is None


def test_a_key_of_one_organisation_does_not_open_another(acme, in_organisation):
    secret = make.issued().secret

    in_organisation("zuri")

    assert api_keys.authenticate(secret=secret, now=NOW) is None


def test_notes_its_use_at_most_once_a_minute(acme):
    issued = make.issued()

    for seconds in (0, 30, 59):
        api_keys.authenticate(secret=issued.secret, now=NOW + timedelta(seconds=seconds))
    assert ApiKey.objects.get().last_used_at == NOW

    api_keys.authenticate(secret=issued.secret, now=NOW + timedelta(seconds=60))
    assert ApiKey.objects.get().last_used_at == NOW + timedelta(seconds=60)


def test_a_key_gives_no_scope_that_it_lacks(acme):
    caller = make.caller(scopes=("keys:write", "payments:read"))

    with pytest.raises(api_keys.ScopeExceeded, match="payments:write"):
        issue(application_id=caller.application_id, scopes=["payments:write"], issuer=caller)

    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("role", "lacking"),
    [
        ("developer", {"payments:write", "receipts:read"}),
        ("support", {"payments:write", "keys:write", "webhooks:write", "branches:read"}),
        ("owner", set()),
    ],
)
def test_a_person_gives_no_scope_that_his_role_lacks(acme, role, lacking):
    person = make.member(role).user

    for scope in lacking:
        with pytest.raises(api_keys.ScopeExceeded, match=scope):
            issue(scopes=["payments:read", scope], issuer=person)
    assert ApiKey.objects.exists() is False
    if not lacking:
        assert issue(scopes=SCOPES, issuer=person).key.scopes == sorted(SCOPES)


def test_a_person_outside_the_team_makes_no_key(acme):
    with pytest.raises(api_keys.ScopeExceeded):
        issue(issuer=make.user("outsider@example.test"))


def test_every_scope_is_given_by_permissions_that_exist():
    assert set(GIVEN_BY) == set(SCOPES)
    assert all(held and held <= set(PERMISSIONS) for held in GIVEN_BY.values())


def test_a_key_makes_keys_for_its_own_application_only(acme):
    caller = make.caller()

    with pytest.raises(errors.NotFound):
        issue(application_id=make.application("other").id, issuer=caller)


def test_a_bound_key_makes_keys_of_its_branch_only(acme):
    cbd, mombasa = make.branch(), make.branch("MSA", "Mombasa")
    caller = make.caller(branch=cbd)

    made = issue(application_id=caller.application_id, issuer=caller)

    assert made.key.branch_id == cbd.id
    with pytest.raises(branch_rules.BranchForbidden):
        issue(application_id=caller.application_id, issuer=caller, branch_id=mombasa.id)


def test_a_member_of_one_branch_makes_keys_of_that_branch_only(acme):
    make.head_office()
    cbd, mombasa = make.branch(), make.branch("MSA", "Mombasa")
    person = make.member("developer", branches=(cbd,)).user

    assert issue(issuer=person).key.branch_id == cbd.id
    with pytest.raises(branch_rules.BranchForbidden):
        issue(issuer=person, branch_id=mombasa.id)


def test_a_key_made_by_a_key_has_the_same_person_behind_it(acme):
    membership = make.member("developer")
    first = make.issued(("keys:write", "payments:read"), issuer=membership.user)
    caller = api_keys.authenticate(secret=first.secret, now=NOW)

    second = issue(application_id=caller.application_id, issuer=caller)

    assert api_keys.authenticate(secret=second.secret, now=NOW).actor.person == str(membership.user_id)


def test_lists_only_keys_of_the_same_application_and_branch(acme):
    cbd = make.branch()
    bound = make.caller(branch=cbd)
    unbound = make.caller()
    make.caller(application_slug="other")

    assert {key.id for key in visible_keys.visible_to(bound)} == {bound.key.id}
    assert {key.id for key in visible_keys.visible_to(unbound)} == {bound.key.id, unbound.key.id}
