"""show summary: what a person needs next, and a warning when the demo points elsewhere."""

import json

from script.devkit import packages, summary
from script.devkit.environment import Ports

PORTS = Ports(http=4001, simulator=4010)
DEMO = {
    "organisation": "Savanna Kitchens",
    "api_base": "http://127.0.0.1:4001/v1/savanna",
    "phone_url": "http://127.0.0.1:4010/phone/254712345678",
    "phone": "+254712345678",
    "api_key": "tsk_test_key",
    "logins": [{"role": "owner", "email": "amina@savanna.example", "password": "secret-word"}],
}


def test_prints_logins_and_a_payment_that_can_be_pasted(folders, capsys):
    (folders.var / "demo.json").write_text(json.dumps(DEMO))

    summary.show(folders, PORTS, seconds=4.2)

    shown = capsys.readouterr().out
    assert "amina@savanna.example  secret-word  (owner)" in shown
    assert "curl -sS http://127.0.0.1:4001/v1/savanna/payments" in shown
    assert "Authorization: Bearer tsk_test_key" in shown
    assert "other ports" not in shown


def test_says_how_to_install_pango_only_where_it_is_missing(folders, capsys):
    summary.show(folders, PORTS, seconds=4.2)

    is_missing = packages.pango_state() == packages.MISSING
    assert (packages.pango_command() in capsys.readouterr().out) == is_missing


def test_warns_when_the_demo_was_made_for_other_ports(folders, capsys):
    (folders.var / "demo.json").write_text(json.dumps(DEMO))

    summary.show(folders, Ports(http=4002, simulator=4010), seconds=4.2)

    assert "script/server --reset" in capsys.readouterr().out
