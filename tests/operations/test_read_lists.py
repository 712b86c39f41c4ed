"""Read lists: each noun shows what there is, of the named organisation or of all."""

import pytest
from django.db import connection

from apps.events.models.webhook import LADDER
from apps.kit import ids
from tests.factories import access, approvals, integrations, jobs, payments, refunds
from tests.factories import events as factory
from tests.operations.operate import operate
from tests.operations.stage import TENANT, dead_letter, given_up, unmatched
from treasury import standing


def rows(*words: str) -> list[dict[str, object]]:
    """Return what a command lists, from outside of any organisation."""
    connection.set_schema_to_public()
    done = operate(*words, "--json")
    assert done.err == ""
    return done.document["rows"]


def test_dead_letters_of_every_organisation(acme):
    row = dead_letter()

    [shown] = rows("outbox", "list", "--all")

    assert shown["tenant"] == "acme"
    assert (shown["delivery"], shown["event"], shown["handler"]) == (
        str(row.id),
        "stock_counted",
        "tests.events.handlers.write",
    )
    assert shown["attempts"] == 20
    assert "Broken" in shown["last_error"]
    assert rows("outbox", "list", "--tenant", "zuri") == []
    assert rows("outbox", "list", *TENANT, "--status", "pending") == []


def test_callbacks_that_nothing_explained(acme):
    stored = unmatched()

    [shown] = rows("callback", "list", *TENANT)

    assert (shown["callback"], shown["kind"], shown["note"]) == (
        str(stored.id),
        "collection",
        "Nobody knows.",
    )


def test_webhooks_that_were_given_up(acme):
    row = given_up()

    [shown] = rows("webhook", "list", *TENANT)

    assert shown["delivery"] == ids.encode("whd", row.id)
    assert (shown["url"], shown["attempts"], shown["last_answer"]) == (
        "https://shop.example/hooks",
        len(LADDER),
        "TCP",
    )


def test_endpoints_by_application(acme):
    application = access.application()
    factory.endpoint(application_id=application.id)

    [shown] = rows("endpoint", "list", *TENANT)

    assert (shown["application"], shown["status"], shown["why"]) == ("shop", "enabled", "")


def test_provider_accounts_with_their_limits(acme):
    integrations.provider_account()

    [shown] = rows("provider", "list", *TENANT)

    assert (shown["number"], shown["branch"], shown["is_open"]) == ("600100", "HQ", True)
    assert shown["largest"] == {"amount": "250000.00", "currency": "KES"}


@pytest.mark.parametrize("by", ["id", "reference", "code"])
def test_a_payment_by_what_people_know_of_it(acme, by):
    attempt = payments.waiting(reference="INV-1001")
    name = {"id": ids.encode("pi", attempt.intent_id), "reference": "INV-1001", "code": attempt.code}[by]
    connection.set_schema_to_public()

    done = operate("payment", "show", name, *TENANT)

    assert "KES 1,500.00, action_required" in done.out
    assert "initiated" in done.out


def test_refunds_in_a_state(acme):
    refunds.pending()

    assert rows("refund", "list", *TENANT) == []
    assert len(rows("refund", "list", *TENANT, "--status", "pending")) == 1


def test_jobs_that_wait_and_those_that_have_ended(acme):
    job = jobs.waiting()
    jobs.work(jobs.waiting())

    [live] = rows("job", "list", *TENANT)
    [ended] = rows("job", "list", *TENANT, "--ended")

    assert (live["job"], live["status"]) == (ids.encode("job", job.id), "queued")
    assert (ended["status"], ended["done"]) == ("succeeded", 3)


def test_keys_that_open_and_never_a_secret(acme):
    issued = access.issued()
    connection.set_schema_to_public()

    done = operate("key", "list", *TENANT, "--json")

    [shown] = done.document["rows"]
    assert (shown["prefix"], shown["application"], shown["branch"]) == (issued.key.prefix, "shop", "all")
    assert issued.secret not in done.out
    assert issued.key.digest not in done.out


def test_the_team_with_former_members(acme):
    access.member("controller", branches=(access.branch(),))

    [shown] = rows("member", "list", *TENANT)

    assert (shown["email"], shown["role"], shown["branches"]) == (
        "amina@example.test",
        "controller",
        ["NBO-CBD"],
    )


def test_approvals_that_wait(acme):
    approvals.waiting()

    [shown] = rows("approval", "list", *TENANT)

    assert shown["sum"] == {"amount": "25000.00", "currency": "KES"}
    assert (shown["branch"], shown["step"]) == ("HQ", "1 of 1")


def test_the_standing_names_what_somebody_must_look_at(acme):
    dead_letter()
    refunds.unknown()
    connection.set_schema_to_public()

    done = operate("tenant", "status", *TENANT)
    wrong = {row["what"] for row in rows("tenant", "status", *TENANT) if row["look_at"]}

    assert done.code == 1
    assert wrong == {"dead letters", "refunds of which nobody knows"}
    assert "docs/runbooks/dead-letter.md" in done.out


def test_every_runbook_that_the_standing_names_exists(acme, settings):
    advice = [fact.advice for fact in standing.facts(now=payments.NOW) if fact.advice.endswith(".md")]

    assert len(advice) == 4
    assert all((settings.BASE_DIR / page).is_file() for page in advice)


def test_what_is_to_mend_in_this_installation(db):
    done = operate("check", "--json")

    assert done.code == 1
    assert "security.W004" in {row["check"] for row in done.document["rows"]}
    assert not {"broker", "storage"} & {row["check"] for row in done.document["rows"]}
    assert operate("version").out == "0.1.0\n"


def test_asks_the_storage_too(acme, storage_away):
    storage_away.begin()

    done = operate("system", "check", "--json")

    [row, *_] = [row for row in done.document["rows"] if row["check"] == "storage"]
    assert done.code == 1
    assert "does not take what was asked of it" in row["problem"]
