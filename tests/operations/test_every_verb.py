"""Every verb: of the list, with a function, a text for each argument, both ways of printing, a rehearsal and a record."""

import pytest
from django.conf import settings
from django.db import connection

from apps.accounts.models import PlatformRecord
from apps.audit.models import AuditRecord
from apps.kit import schema
from tests.operations.operate import OPERATOR, REASON, change, operate
from tests.operations.stage import SCENES, TENANT, contents
from treasury.management.commands import list_operations
from treasury.operations import parsing, running
from treasury.operations.registry import NOUNS
from treasury.operations.verbs import Reach

VERBS = {f"{noun.name} {verb.name}": verb for noun in NOUNS for verb in noun.verbs}
WRITING = [name for name, verb in VERBS.items() if verb.writes and not verb.is_owners]
READING = [name for name, verb in VERBS.items() if not verb.writes]
OF_ONE_THING = {
    "payment show": ["pi_unknown", *TENANT],
    "ledger prove": ["LT-0000001", *TENANT],
    "ledger checklist": ["2026-10", *TENANT],
}
"""What reads one thing, and words that name one that there is not."""
PAGE = settings.BASE_DIR / "docs" / "operations.md"


def words(name: str) -> list[str]:
    """Set the scene of a writing verb inside acme, and return what does it, seen from outside."""
    schema.visit("org_acme")
    chosen = SCENES[name]()
    connection.set_schema_to_public()
    return [*chosen, *(TENANT if VERBS[name].reach is Reach.ONE else ())]


def test_the_page_is_what_the_list_says():
    assert PAGE.read_text() == list_operations.document(), (
        "script/console list_operations --output docs/operations.md"
    )


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.name)
def test_has_a_function_and_a_text_for_everything(noun, capsys):
    assert noun.help.endswith(".")
    for verb in noun.verbs:
        with pytest.raises(SystemExit) as ended:
            parsing.parse([noun.name, verb.name, "--help"])

        shown = capsys.readouterr().out
        assert ended.value.code == 0
        assert ("--dry-run" in shown, "--as NAME" in shown) == (verb.writes, verb.writes)
        assert "--json" in shown
        assert ("--tenant" in shown) is (verb.reach is not Reach.PLATFORM)
        assert verb.help.endswith(".")
        assert all(argument.help for argument in verb.arguments)
        assert verb.writes or not (verb.asks_why or verb.is_owners)
        asked = parsing.Asked(noun, verb, {})
        assert callable(running.function_of(asked))


def test_every_verb_that_writes_has_a_scene():
    assert sorted(SCENES) == sorted(WRITING)


@pytest.mark.parametrize("name", WRITING)
def test_a_rehearsal_says_what_would_change_and_changes_nothing(acme, name):
    chosen = words(name)
    before = contents()

    done = change(*chosen, "--dry-run", "--json")

    assert (done.code, done.err) == (0, "")
    assert done.document["is_dry_run"] is True
    assert done.document["records"] != []
    assert contents() == before


@pytest.mark.parametrize("name", WRITING)
def test_a_change_is_on_a_trail_with_the_operator_and_his_reason(acme, name):
    chosen = words(name)

    done = change(*chosen, "--json")

    assert (done.code, done.err) == (0, "")
    assert (done.document["command"], done.document["is_dry_run"]) == (name, False)
    schema.visit("org_acme")
    own = [
        *PlatformRecord.objects.filter(actor_kind="OPERATOR"),
        *AuditRecord.objects.filter(actor_kind="OPERATOR"),
    ]
    assert {record.action for record in own} & {record["action"] for record in done.document["records"]}
    assert {(record.actor_id, record.request_id[:4]) for record in own} == {(OPERATOR, "cmd_")}
    assert REASON in {record.reason for record in own}


@pytest.mark.parametrize("name", WRITING)
def test_says_the_same_for_people(acme, name):
    chosen = words(name)

    done = change(*chosen)

    assert (done.code, done.err) == (0, "")
    assert done.out.count("\n") >= 2


@pytest.mark.parametrize("name", READING)
def test_reads_an_organisation_without_rows_and_leaves_none(acme, name):
    connection.set_schema_to_public()
    verb, before = VERBS[name], contents()
    if name in OF_ONE_THING:
        done = operate(*name.split(), *OF_ONE_THING[name])
        assert (done.code, done.out) == (2, "")
    elif name != "system check":
        where = {Reach.PLATFORM: (), Reach.ONE: TENANT, Reach.EACH: ("--all",)}[verb.reach]
        assert operate(*name.split(), *where).code == 0
        done = operate(*name.split(), *where, "--json")
        assert (done.code, done.document["records"]) == (0, [])

    assert contents() == before
