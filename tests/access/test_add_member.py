"""The operator's command: new people, and people who sign in elsewhere already."""

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from apps.access.models import Membership
from apps.accounts.services import users
from apps.kit.actors import SYSTEM
from tests.factories import access as make


def test_links_a_person_who_signs_in_elsewhere(acme, in_organisation):
    user = make.user("cfo@victim.test")

    call_command("add_member", "zuri", "CFO@victim.test", "--role", "controller")

    in_organisation("zuri")
    assert Membership.objects.get(user=user).role.code == "controller"
    assert authenticate(None, username="cfo@victim.test", password=make.PASSWORD) == user


def test_lets_a_new_person_in(acme, in_organisation, capsys):
    call_command("add_member", "zuri", "baraka@example.test", "--name", "Baraka")

    in_organisation("zuri")
    user = Membership.objects.get(role__code="owner").user
    assert user.check_password(capsys.readouterr().out.split()[-1]) is True
    assert user.must_change_password is True


def test_refuses_whose_password_somebody_else_may_know_and_whom_nobody_knows(acme):
    users.create(
        email="new@example.test",
        name="New",
        password=make.PASSWORD,
        must_change_password=True,
        actor=SYSTEM,
        now=make.NOW,
    )

    for organisation, email in (
        ("zuri", "new@example.test"),
        ("zuri", "nobody@example.test"),
        ("nowhere", "new@example.test"),
    ):
        with pytest.raises(CommandError):
            call_command("add_member", organisation, email)
