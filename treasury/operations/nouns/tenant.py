"""Organisations."""

from pathlib import Path

from apps.access.selectors import entry_addresses
from apps.accounts.services import platform_records
from apps.kit import errors
from apps.tenancy.selectors import offboardings
from apps.tenancy.selectors import organisations as stored
from apps.tenancy.selectors import provisionings as provisioning_steps
from apps.tenancy.services import archives, organisations, provisionings, upgrades
from apps.tenancy.services import offboardings as offboarding_steps
from treasury import onboarding, standing
from treasury.operations.calls import Answer, Call, Row


def list_(_: Call) -> Answer:
    rows = [
        {
            "slug": organisation.slug,
            "name": organisation.name,
            "status": organisation.status.lower(),
            "is_test": organisation.is_test,
            "host": stored.host_of(organisation),
            "schema": organisation.schema_name,
            "opened_at": organisation.created_at,
            "setting_up": _progress(organisation),
        }
        for organisation in stored.everything()
    ]
    return Answer(f"{len(rows)} organisations", rows)


def _progress(organisation: stored.Organisation) -> str:
    """Say which step of a setting up in the background is done, and what was in the way."""
    asked = provisioning_steps.of_organisation(organisation.id)
    if asked is None or asked.ready_at is not None:
        return ""
    done = [step.name for step in provisioning_steps.steps(asked) if step.at is not None]
    state = "failed" if asked.failed_at else f"try {asked.tries}"
    return ", ".join(filter(None, [f"{done[-1]}, {state}", asked.problem]))


def status(call: Call) -> Answer:
    facts = standing.facts(now=call.now)
    wrong = [fact for fact in facts if fact.is_wrong]
    rows: list[Row] = [
        {
            "what": fact.what,
            "count": fact.count,
            "look_at": fact.is_wrong,
            "next": fact.advice if fact.is_wrong else "",
        }
        for fact in facts
    ]
    state = stored.current().status.lower()
    return Answer(f"{state}, {len(wrong) or 'nothing'} to look at", rows, is_wrong=bool(wrong))


def create(call: Call) -> Answer:
    owner = onboarding.Owner(call.given["owner_email"], call.given["owner_name"])
    office = onboarding.HeadOffice(call.given["branch_code"], call.given["branch_name"])
    under_way = provisioning_steps.of_slug(call.given["slug"])
    if under_way is not None and under_way.ready_at is None:
        raise organisations.NotReady(
            "This organisation is being set up in the background: use tenant provision."
        )
    organisation = onboarding.prepare(
        slug=call.given["slug"],
        name=call.given["name"],
        is_test=call.given["test"],
        actor=call.actor,
        now=call.now,
        reason=call.reason,
    )
    host = stored.host_of(organisation)
    if onboarding.is_filled():
        return Answer(f"{organisation.slug} is there already, at {host}: nothing was changed.")
    filled = onboarding.fill(head_office=office, owner=owner, actor=call.actor, now=call.now)
    link = entry_addresses.at(organisation, filled.secret)
    told = "a link to choose his password with" if call.is_dry else f"this link, shown this once: {link}"
    return Answer(f"{organisation.slug} is ready at {host}; its owner is {owner.email}, with {told}")


def provision(call: Call) -> Answer:
    asked = provisioning_steps.of_slug(call.given["slug"])
    if asked is None:
        raise errors.NotFound("No organisation of this slug was asked for in the background.")
    if asked.failed_at is not None:
        provisionings.ask_again(
            organisation_id=asked.organisation_id, reason=call.reason, actor=call.actor, now=call.now
        )
    done = provisionings.go_on(provisioning_id=asked.id, now=call.now)
    if done is None:
        return Answer(f"{asked.organisation.slug} is ready, or a worker is at it.")
    if done.ready_at is None:
        return Answer(f"{asked.organisation.slug} is not ready: {done.problem}", is_wrong=True)
    return Answer(f"{asked.organisation.slug} is ready at {stored.host_of(asked.organisation)}.")


def archive(call: Call) -> Answer:
    found = stored.everything().filter(slug=call.given["slug"]).first()
    if found is None:
        raise errors.NotFound("There is no organisation of this slug.")
    asked = offboarding_steps.hand_out(
        organisation_id=found.id, reason=call.reason, actor=call.actor, now=call.now
    )
    pieces = archives.read(organisation=found, stored=offboardings.archive(asked))
    path = Path(call.given["file"])
    if call.is_dry:
        return Answer(f"{path} would hold {asked.archive_size} bytes, SHA-256 {asked.archive_sha256}.")
    with path.open("xb") as file:
        for piece in pieces:
            file.write(piece)
    return Answer(f"{path} holds {asked.archive_size} bytes, SHA-256 {asked.archive_sha256}.")


def suspend(call: Call) -> Answer:
    found = organisations.suspend(
        organisation_id=stored.current().id, reason=call.reason, actor=call.actor, now=call.now
    )
    return Answer(f"{found.name} is closed to people and products; what is under way goes on.")


def resume(call: Call) -> Answer:
    found = organisations.resume(
        organisation_id=stored.current().id, reason=call.reason, actor=call.actor, now=call.now
    )
    return Answer(f"{found.name} is open.")


def limit(call: Call) -> Answer:
    found = organisations.set_rates(
        organisation_id=stored.current().id,
        requests_per_second=call.given["requests"],
        money_per_second=call.given["money"],
        reason=call.reason,
        actor=call.actor,
        now=call.now,
    )
    whole = found.requests_per_second or "as many as anybody's"
    money = found.money_per_second or "as many as its keys may"
    return Answer(f"{found.name}: requests a second {whole}, that move money {money}.")


def migrate(call: Call) -> Answer:
    if call.is_dry:
        lacking = [{"schema": name, "migration": migration} for name, migration in upgrades.pending()]
        return Answer(f"{len(lacking)} migrations are missing", lacking)
    rows: list[Row] = []
    try:
        upgrades.run(lambda name, state: rows.append({"schema": name, "state": state}), now=call.now)
    finally:  # what was migrated before another schema stopped the job stays
        platform_records.write(
            action="platform.migrated",
            object_type="platform",
            object_id="schemas",
            actor=call.actor,
            now=call.now,
            changes={"schemas": [None, len(rows)]},
            reason=call.reason,
        )
    return Answer(f"{len(rows)} of this build", rows)
