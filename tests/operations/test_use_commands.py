"""Use commands: what is refused and how, what is printed, and the executable itself."""

import json
import os
import subprocess

import pytest
from django.conf import settings
from django.db import connection

from apps.audit.models import AuditRecord
from apps.integrations.models import ProviderAccount
from apps.kit.money import Money
from tests.factories import integrations, refunds
from tests.operations.operate import change, operate
from treasury.operations import parsing, printing

EXECUTABLE = settings.BASE_DIR / "bin" / "treasury"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ledgers", "verify"], "ledgers"),
        (["ledger", "check"], "check"),
        (["ledger", "verify"], "--tenant --all"),
        (["ledger", "verify", "--tenant", "acme", "--all"], "--all"),
        (["provider", "list", "--all", "--limit", "3"], "--limit"),
        (["outbox", "list", "--all", "--limit", "many"], "--limit"),
        (["outbox", "skip", "x", "--tenant", "acme", "--as", "amina"], "--reason"),
        (["outbox", "skip", "x", "--tenant", "acme", "--as", "amina", "--reason", " "], "--reason"),
        (["outbox", "skip", "x", "--tenant", "acme", "--as", "amina", "--reason", "x" * 501], "--reason"),
        (["provider", "open", "600100", "--tenant", "acme"], "--as NAME"),
        (["provider", "open", "600100", "--tenant", "acme", "--as", "a" * 65], "--as NAME"),
    ],
)
def test_words_that_make_no_command_are_refused_by_name(words, said, monkeypatch):
    monkeypatch.delenv("TREASURY_OPERATOR", raising=False)

    with pytest.raises(parsing.UsageRefused, match=said):
        parsing.parse(words)


def test_the_operator_may_be_named_by_the_environment(monkeypatch):
    monkeypatch.setenv("TREASURY_OPERATOR", "grace")

    assert parsing.parse(["provider", "open", "600100", "--tenant", "acme"]).operator == "grace"


def test_a_refusal_is_one_sentence_that_names_the_argument(acme):
    connection.set_schema_to_public()

    unknown = change("provider", "close", "600100", "--tenant", "acme")
    nowhere = operate("ledger", "verify", "--tenant", "nowhere")

    assert (unknown.code, unknown.out) == (2, "")
    assert (
        unknown.err
        == "Refused (argument_invalid): ACCOUNT 600100: '600100' is no identifier: one is a UUID.\n"
    )
    assert (nowhere.code, nowhere.out) == (2, "")
    assert nowhere.err == (
        "Refused (tenant_unknown): --tenant nowhere: No organisation that is set up is called 'nowhere'.\n"
    )


def test_a_refusal_is_one_object_for_programs_and_nothing_is_kept(acme):
    account = integrations.provider_account()
    connection.set_schema_to_public()

    done = change("key", "revoke", "tsk_test_00000000", "--tenant", "acme", "--json")

    assert (done.code, done.err) == (2, "")
    assert done.document["error"]["code"] == "argument_invalid"
    assert done.document["error"]["arguments"] == ["KEY"]
    connection.set_schema("org_acme")
    assert AuditRecord.objects.filter(actor_kind="OPERATOR").exists() is False
    assert ProviderAccount.objects.get(id=account.id).is_enabled is True


def test_money_stands_to_the_right_with_its_currency(acme):
    first, second = refunds.unknown(), refunds.unknown()
    connection.set_schema_to_public()

    done = operate("refund", "list", "--tenant", "acme")
    document = operate("refund", "list", "--tenant", "acme", "--json").document

    assert "KES 1,500.00" in done.out
    assert done.out.splitlines()[-1] == "acme: 2 unknown"
    assert [row["sum"] for row in document["rows"]] == [first.money.wire(), second.money.wire()]


def test_columns_are_as_wide_as_what_stands_in_them():
    rows = [{"who": "a", "sum": Money(1_00, "KES")}, {"who": "long name", "sum": Money(1_000_00, "KES")}]

    assert printing.table(rows) == [
        "WHO                 SUM",
        "a              KES 1.00",
        "long name  KES 1,000.00",
    ]


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the executable itself from another folder, against the database of this test."""
    database = connection.settings_dict
    own = {
        "TREASURY_POSTGRES_URL": f"postgresql://{database['HOST']}:{database['PORT']}/{database['NAME']}",
        "DJANGO_SETTINGS_MODULE": "treasury.settings.local",
        "TREASURY_LOG_LEVEL": "ERROR",
        **variables,
    }
    return subprocess.run(
        [str(EXECUTABLE), *words],
        check=False,
        cwd="/",
        env={**os.environ, **own},
        capture_output=True,
        text=True,
    )


def test_the_executable_closes_a_provider_account(committed_acme):
    account = integrations.provider_account()
    words = ["provider", "close", account.number, "--tenant", "acme", "--reason", "outage at Safaricom"]

    refused = run(*words, TREASURY_OPERATOR="")
    rehearsed = run(*words, "--dry-run", TREASURY_OPERATOR="amina")
    assert ProviderAccount.objects.get().is_enabled is True
    done = run(*words, "--json", TREASURY_OPERATOR="amina")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("Refused: Say who you are with --as NAME")
    assert (rehearsed.returncode, rehearsed.stderr) == (0, "")
    assert rehearsed.stdout.startswith("Dry run, nothing was changed. It would be:\nacme: ")
    assert (done.returncode, done.stderr) == (0, "")
    [record] = json.loads(done.stdout)["records"]
    assert record["changes"] == {"is_enabled": [True, False]}
    assert ProviderAccount.objects.get().is_enabled is False
    assert AuditRecord.objects.get(action="provider_account.disable").reason == "outage at Safaricom"


def test_the_executable_says_what_it_can_do_and_refuses_in_json():
    helped = run("outbox", "--help")
    wrong = run("outbox", "burn", "--json")

    assert helped.returncode == 0
    assert "requeue" in helped.stdout
    assert (wrong.returncode, wrong.stderr) == (2, "")
    assert json.loads(wrong.stdout)["error"]["code"] == "usage"


def test_the_executable_says_when_the_database_is_not_there():
    done = run("tenant", "list", TREASURY_POSTGRES_URL="postgresql://127.0.0.1:1/nothing")

    assert done.returncode == 2
    assert "The database does not let the role app work" in done.stderr


def test_the_executable_says_which_setting_stops_it():
    done = run("tenant", "list", "--json", TREASURY_SECRET_KEY="")

    assert (done.returncode, done.stderr) == (2, "")
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "setting_missing"
    assert "TREASURY_SECRET_KEY is not set" in error["message"]
