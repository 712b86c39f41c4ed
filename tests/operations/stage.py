"""A scene for each verb that writes: rows that it has something to do with, and the words that do it."""

import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from django.db import connection

from apps.accounts.services import entry_links, users
from apps.events.models import EventDelivery, WebhookDelivery
from apps.events.models.webhook import LADDER, AttemptError
from apps.events.services import relay, webhook_endpoints
from apps.integrations.contracts import CallbackStatus, StoredCallback
from apps.integrations.services import accounts, callbacks
from apps.kit import ids, storage
from apps.kit.actors import SYSTEM
from apps.ledger.contracts import AccountRole
from apps.ledger.services import charts
from apps.tenancy.models import Offboarding, Organisation, OrganisationStatus
from tests.events import handlers
from tests.factories import access, approvals, fx, integrations, jobs, ledger, payments, periods
from tests.factories import accounts as people
from tests.factories import events as factory
from tests.factories.events import INTERNAL_TYPE, NOW
from tests.operations.operate import AT

TENANT = ("--tenant", "acme")


def dead_letter() -> EventDelivery:
    """Return a delivery whose handler has failed twenty times."""
    event = factory.publish(INTERNAL_TYPE)
    handlers.failing.add("write")
    for day in range(20):
        relay.run_due(queue="events", now=NOW + timedelta(days=day))
    handlers.forget()
    return EventDelivery.objects.get(event_id=event.id)


def given_up() -> WebhookDelivery:
    """Return a webhook that was sent as often as the ladder has rungs, and never taken."""
    endpoint = factory.endpoint().endpoint
    row = factory.planned(factory.publish())[0]
    for _ in LADDER:
        row.attempt_count, row.step = row.attempt_count + 1, row.step + 1
        row.fail(error=AttemptError.TCP, http_status=None, retry_after=None, at=NOW)
    row.save()
    assert row.endpoint_id == endpoint.id
    return row


def unmatched() -> StoredCallback:
    """Return a callback that nothing explained."""
    attempt = payments.waiting()
    facts = {"kind": "collection", "body": b"{}", "headers": {}, "remote_ip": "", "now": NOW}
    stored = callbacks.store(token=attempt.callback_token, **facts)
    callbacks.mark(stored.id, CallbackStatus.UNMATCHED, "Nobody knows.", now=NOW, subject_id=attempt.id)
    return stored


def _replay_callback() -> list[str]:
    return ["callback", "replay", str(unmatched().id)]


def _requeue() -> list[str]:
    return ["outbox", "requeue", str(dead_letter().id)]


def _skip() -> list[str]:
    return ["outbox", "skip", str(dead_letter().id)]


def _retry() -> list[str]:
    return ["webhook", "retry", ids.encode("whd", given_up().id)]


def _open_endpoint() -> list[str]:
    endpoint = factory.endpoint().endpoint
    webhook_endpoints.disable(endpoint_id=endpoint.id, actor=SYSTEM, now=NOW)
    return ["endpoint", "open", ids.encode("whe", endpoint.id)]


def _close_endpoint() -> list[str]:
    return ["endpoint", "close", ids.encode("whe", factory.endpoint().endpoint.id)]


def _open_provider() -> list[str]:
    account = integrations.provider_account()
    accounts.disable(account_id=account.id, actor=SYSTEM, now=NOW)
    return ["provider", "open", account.number]


def _close_provider() -> list[str]:
    return ["provider", "close", str(integrations.provider_account().id)]


def _verify_payment() -> list[str]:
    return ["payment", "verify", ids.encode("pi", payments.waiting().intent_id)]


def _stop_job() -> list[str]:
    return ["job", "stop", ids.encode("job", jobs.waiting().id)]


def _revoke_key() -> list[str]:
    return ["key", "revoke", access.api_key().prefix]


def _rotate_webhook() -> list[str]:
    return ["key", "rotate-webhook", ids.encode("whe", factory.endpoint().endpoint.id)]


def _rotate_data() -> list[str]:
    integrations.provider_account()
    factory.endpoint()
    return ["key", "rotate-data"]


def _archive() -> list[str]:
    """Let acme have been exported."""
    acme = Organisation.objects.get(slug="acme")
    folder = Path(tempfile.mkdtemp())
    (folder / "made.zip").write_bytes(b"an archive")
    kept = storage.upload(path=folder / "made.zip", folder="offboarding/made", content_type="application/zip")
    Offboarding.objects.create(
        organisation=acme,
        reason="The contract has ended",
        asked_by="operator:amina",
        asked_at=NOW,
        drop_after=NOW + timedelta(days=30),
        exported_at=NOW,
        archive_key=kept.key,
        archive_sha256=kept.sha256,
        archive_size=kept.size,
    )
    return ["tenant", "archive", "acme", str(folder / "acme.zip")]


def _suspend() -> list[str]:
    return ["tenant", "suspend"]


def _limit() -> list[str]:
    return ["tenant", "limit", "--requests", "50", "--money", "5"]


def _resume() -> list[str]:
    Organisation.objects.filter(slug="acme").update(status=OrganisationStatus.SUSPENDED)
    return ["tenant", "resume"]


def _add_member() -> list[str]:
    return ["member", "add", "baraka@example.test", "--name", "Baraka"]


def _end_member() -> list[str]:
    access.member()
    access.member("controller", "grace@example.test")
    return ["member", "deactivate", "grace@example.test"]


def _reset() -> list[str]:
    people.enrolled(access.user())
    return ["user", "reset-second-factor", "amina@example.test"]


def _lift() -> list[str]:
    people.locked_out(access.user(), at=AT)
    return ["user", "lift-lock-out", "amina@example.test"]


def _renew_link() -> list[str]:
    newcomer = users.create(email="amina@example.test", name="Amina", password=None, actor=SYSTEM, now=AT)
    entry_links.make(user_id=newcomer.id, actor=SYSTEM, now=AT, is_vouched_for=True)
    return ["user", "renew-link", "amina@example.test"]


def _take_over() -> list[str]:
    newcomer = users.create(email="amina@example.test", name="Amina", password=None, actor=SYSTEM, now=AT)
    entry_links.make(user_id=newcomer.id, actor=SYSTEM, now=AT)
    return ["user", "take-over", "amina@example.test"]


def _deactivate() -> list[str]:
    access.user()
    return ["user", "deactivate", "AMINA@example.test"]


def _expire() -> list[str]:
    approvals.waiting()
    return ["approval", "expire"]


def _seal() -> list[str]:
    branch = ledger.branch()
    held, owed = (ledger.ref(role, branch.id) for role in (AccountRole.CASH, AccountRole.REVENUE))
    ledger.post(ledger.transfer(held, owed, 10_00))
    return ["ledger", "seal"]


def _record_rate() -> list[str]:
    return ["fx", "record", "USD", "KES", "129.5", "--source", "CBK"]


def _fetch_rates() -> list[str]:
    return ["fx", "fetch"]


def _revalue() -> list[str]:
    branch = ledger.branch()
    fx.rate()
    legs = fx.bank("USD", branch.id), ledger.ref(AccountRole.REVENUE, branch.id, "USD")
    ledger.post(ledger.transfer(*legs, 100_00))
    fx.rate("131", as_of=fx.NOW)
    return ["fx", "revalue", "2026-11-24"]


def _book() -> None:
    """Let the organisation have a book, with money that came in August."""
    access.head_office()
    access.portal()
    branch = ledger.branch()
    held, owed = (ledger.ref(role, branch.id) for role in (AccountRole.CASH, AccountRole.REVENUE))
    ledger.post(ledger.transfer(held, owed, 10_00, effective_date=date(2026, 8, 14)))


def _open_year() -> list[str]:
    _book()
    return ["ledger", "open-year", "2026"]


def _sign_off() -> list[str]:
    _book()
    periods.months()
    return ["ledger", "sign-off", "2026-01", "reconciliation"]


def _close_period() -> list[str]:
    _book()
    periods.months()
    periods.make_ready(periods.month(1))
    return ["ledger", "close", "2026-01"]


def _reopen_period() -> list[str]:
    _book()
    periods.months()
    periods.close_through(1)
    approvals.rule(kind="period_reopen", currency="", minimum_minor=None, steps=approvals.ONE_APPROVER)
    return ["ledger", "reopen", "2026-01"]


def _late_items() -> list[str]:
    _book()
    return ["ledger", "late-items", "next_open"]


def _file(name: str, *lines: str) -> str:
    path = Path(tempfile.mkdtemp()) / name
    path.write_text("\n".join(lines))
    return str(path)


def _install_chart() -> list[str]:
    return ["ledger", "chart-install"]


def _import_chart() -> list[str]:
    charts.install(actor=SYSTEM, now=ledger.NOW)
    return [
        "ledger",
        "chart-import",
        _file("chart.csv", "code,name,type,parent,role,heading", "6155,Parking,expense,61,,no"),
    ]


def _open_balances() -> list[str]:
    _book()
    approvals.rule(kind="journal", currency="", minimum_minor=None, steps=approvals.ONE_APPROVER)
    lines = ("account,currency,debit,credit", "1210,KES,500.00,", "4010,KES,,500.00")
    facts = ["--voucher", "OB-2026", "--date", "2026-08-31"]
    return ["ledger", "open-balances", _file("balances.csv", *lines), *facts]


SCENES: dict[str, Callable[[], list[str]]] = {
    "callback replay": _replay_callback,
    "outbox requeue": _requeue,
    "outbox skip": _skip,
    "webhook retry": _retry,
    "endpoint open": _open_endpoint,
    "endpoint close": _close_endpoint,
    "provider open": _open_provider,
    "provider close": _close_provider,
    "payment verify": _verify_payment,
    "job stop": _stop_job,
    "key revoke": _revoke_key,
    "key rotate-webhook": _rotate_webhook,
    "key rotate-data": _rotate_data,
    "tenant archive": _archive,
    "tenant suspend": _suspend,
    "tenant resume": _resume,
    "tenant limit": _limit,
    "member add": _add_member,
    "member deactivate": _end_member,
    "user reset-second-factor": _reset,
    "user lift-lock-out": _lift,
    "user renew-link": _renew_link,
    "user take-over": _take_over,
    "user deactivate": _deactivate,
    "approval expire": _expire,
    "ledger seal": _seal,
    "fx record": _record_rate,
    "fx fetch": _fetch_rates,
    "fx revalue": _revalue,
    "ledger open-year": _open_year,
    "ledger sign-off": _sign_off,
    "ledger close": _close_period,
    "ledger reopen": _reopen_period,
    "ledger late-items": _late_items,
    "ledger chart-install": _install_chart,
    "ledger chart-import": _import_chart,
    "ledger open-balances": _open_balances,
}
"""What is not here works as the owner's role, and is tested by itself in ``test_open_organisation``."""


def contents() -> dict[str, str]:
    """Return a digest of every table that an application can read, in the public schema and in acme's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname IN ('public', 'org_acme')"
            " AND has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT')"
        )
        tables = [row[0] for row in cursor.fetchall()]
        found = {}
        for table in tables:
            cursor.execute(
                f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t"
            )
            found[table] = cursor.fetchone()[0]
    assert len(found) > 50
    return found
