"""Record everything: every service in whose name somebody acts says, in this table, what it leaves on a trail."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.urls import reverse

from apps.approvals.services import requests
from apps.audit.models import AuditRecord
from apps.audit.services import records
from apps.kit import clock, ids, trail
from apps.kit.actors import SYSTEM
from tests.factories import access, approvals, parties
from tests.portal.conftest import HOST

RECORDED = {
    "access.services.api_keys": {
        "issue": "api_key.issued",
        "rotate": "api_key.rotated",
        "revoke": "api_key.revoked",
        "allow_networks": "api_key.networks_changed",
        "narrow": "api_key.narrowed",
    },
    "access.services.application_links": {
        "invite": "invite.made",
        "withdraw_invite": "invite.withdrawn",
        "accept": "link.accepted",
        "refuse": "link.refused",
        "revoke": "link.revoked",
    },
    "access.services.grants": {
        "agree": "link.changed",
        "change": "link.changed",
        "refuse": "link.change_refused",
    },
    "access.services.applications": {
        "create": "application.created",
        "let_in": "application.let_in",
        "close": "application.closed",
    },
    "access.services.branch_external_ids": {
        "link": "branch.linked",
        "unlink": "branch.unlinked",
    },
    "access.services.branches": {
        "create": "branch.created",
        "change": "branch.changed",
        "choose_policy": "organisation.branch_policy",
    },
    "access.services.limits": {"put": "role.limits_changed"},
    "access.services.duties": {"choose_small_team": "organisation.small_team"},
    "access.services.admissions": {
        "confirm": "membership.confirmed",
        "renew_link": "membership.link_renewed",
    },
    "access.services.memberships": {
        "create": "membership.created",
        "tell_alone": "membership.admitted_alone",
        "link": "membership.created",
        "change": "membership.changed",
        "end": "membership.turned_away",
    },
    "access.services.organisation_settings": {
        "set_branding": "organisation.branding_changed",
        "set_logo": "organisation.logo_changed",
        "set_region": "organisation.region_changed",
    },
    "access.services.portal_sessions": {"end": "session.ended", "end_others": "session.ended"},
    "access.services.roles": {
        "create": "role.created",
        "change": "role.changed",
        "renew": "role.changed",
        "retire": "role.retired",
    },
    "accounts.services.entry_links": {
        "make": "user.entry_link_made",
        "take_over": "user.taken_over",
        "void": "user.entry_link_voided",
    },
    "accounts.services.lock_outs": {"lift": "lock_out.lifted"},
    "accounts.services.platform_sessions": {"end": "session.ended", "end_others": "session.ended"},
    "accounts.services.second_factors": {
        "enrol": "second_factor.enrolled",
        "verify": "second_factor.refused",
        "remove": "second_factor.removed",
        "reset": "second_factor.reset",
        "renew_recovery_codes": "recovery_codes.renewed",
    },
    "accounts.services.users": {
        "create": "user.created",
        "deactivate": "user.deactivated",
        "set_password": "user.password_changed",
        "sign_out": "user.sessions_ended",
    },
    "approvals.services.delegations": {
        "create": "approval_delegation.created",
        "revoke": "approval_delegation.revoked",
    },
    "approvals.services.requests": {
        "submit": "approval.requested",
        "amend": "approval.amended",
        "approve": "approval.approved",
        "refuse": "approval.refused",
        "withdraw": "approval.withdrawn",
        "expire": "approval.expired",
    },
    "approvals.services.rule_changes": dict.fromkeys(
        ("create", "replace", "deactivate"), "approval_rule.changed_alone"
    ),
    "approvals.services.rules": {
        "create": "approval_rule.created",
        "replace": "approval_rule.created",
        "deactivate": "approval_rule.deactivated",
    },
    "events.services.deliveries": {"requeue": "event_delivery.requeued", "skip": "event_delivery.skipped"},
    "events.services.webhook_deliveries": {"replay": "webhook_delivery.replayed"},
    "events.services.webhook_endpoints": dict.fromkeys(
        ("create", "enable", "disable", "delete", "rotate_secret"), "webhook_endpoint.{deed}"
    ),
    "integrations.services.accounts": {
        "create": "provider_account.create",
        "change": "provider_account.change",
        "enable": "provider_account.enable",
        "disable": "provider_account.disable",
    },
    "integrations.services.balances": {"ask": "provider_account.ask_balance"},
    "integrations.services.connections": {"check": "provider_account.tested"},
    "integrations.services.error_rules": {
        "put": "provider_error_rule.{deed}",
        "retire": "provider_error_rule.{deed}",
    },
    "integrations.services.gates": {
        "open_circuit": "provider_account.{deed}",
        "close_circuit": "provider_account.{deed}",
    },
    "integrations.services.registrations": {"ask": "provider_account.register_addresses"},
    "integrations.services.replays": {"replay": "provider_callback.replayed"},
    "jobs.services.jobs": {"cancel": "job.cancel_requested", "open_result": "job.result_downloaded"},
    "ledger.services.accounts": {
        "set_limits": "ledger.account_limited",
        "freeze": "ledger.account_{status.lower()}",
        "unfreeze": "ledger.account_{status.lower()}",
        "close": "ledger.account_{status.lower()}",
    },
    "ledger.services.adjustments": {"ask": "journal.asked"},
    "ledger.services.chart_files": {"take_over": "chart.imported"},
    "ledger.services.charts": {
        "install": "chart.installed",
        "add": "chart.line_added",
        "move": "chart.line_moved",
        "rename": "chart.line_renamed",
        "open_account": "ledger.account_opened",
    },
    "ledger.services.exchanges": {"exchange": "ledger.exchanged"},
    "ledger.services.papers": {"attach": "journal.paper_kept"},
    "ledger.services.periods": {
        "generate": "ledger.periods_opened",
        "soft_close": "period.marked",
        "resume": "period.marked",
        "close": "period.closed",
        "sign_off": "period.signed_off",
        "set_fiscal_year_start": "ledger.book_changed",
        "set_late_items": "ledger.book_changed",
    },
    "ledger.services.rate_fetches": {"request": "fx_rates.fetch_requested"},
    "ledger.services.rates": {"record": "fx_rate.recorded"},
    "ledger.services.reopenings": {"ask": "period.reopening_asked"},
    "ledger.services.revaluations": {"revalue": "ledger.revalued"},
    "ledger.services.reversal_requests": {"ask": "ledger.reversal_asked"},
    "ledger.services.reversals": {"reverse": "ledger.transaction_reversed"},
    "ledger.services.seals": {"make_now": "ledger_sealed"},
    "parties.services.parties": {
        "create": "party.created",
        "keep": "party.created",
        "change": "party.changed",
        "archive": "party.archived",
        "contacts_seen": "party.contacts_seen",
    },
    "payments.services.captures": {"capture": "payment.capture_requested"},
    "payments.services.intents": {
        "confirm": "payment.confirmed",
        "cancel": "payment.cancelled",
        "verify": "payment.verify_requested",
        "ask": "payment.query_requested",
    },
    "payments.services.pay_pages": {"make": "payment.pay_page_made"},
    "payments.services.resolutions": {
        "assign": "money.assigned",
        "give_back": "money.given_back",
        "take_over": "money.taken_over",
        "hand_over": "money.handed_over",
    },
    "payments.services.listed_movements": {"put_away": "movement.put_away"},
    "payments.services.confirmations": {"ask_again": "money.confirmation_asked"},
    "payments.services.reviews": {
        "accept": "payment.review_accepted",
        "close": "payment.review_closed",
    },
    "payments.services.routing_rules": dict.fromkeys(("create", "replace", "retire"), "routing_rule.{deed}"),
    "disbursements.services.connected_accounts": {
        "open_account": "connected_account.requested",
        "link": "connected_account.link_made",
        "refresh": "connected_account.refresh_requested",
    },
    "disbursements.services.transfers": {"order": "transfer.requested"},
    "disbursements.services.account_verdicts": {"ask": "connected_account.verdict_asked"},
    "disbursements.services.transfer_verdicts": {"ask": "transfer.verdict_asked"},
    "disbursements.services.transfer_reversals": {"reverse": "transfer.reversal_requested"},
    "payments.services.saved_methods": {
        "create": "payment_method.requested",
        "forget": "payment_method.forget_requested",
    },
    "payments.services.policies": {"choose": "payment.policy_chosen"},
    "payments.services.dispute_answers": {
        "submit": "dispute.submitted",
        "accept": "dispute.accepted",
        "appeal": "dispute.appealed",
    },
    "payments.services.dispute_evidence": {
        "write": "dispute.evidence_written",
        "attach": "dispute.evidence_attached",
        "detach": "dispute.evidence_detached",
    },
    "payments.services.refunds": {
        "create": "refund.requested",
        "give_back": "refund.requested",
        "verify": "refund.verify_requested",
    },
    "payments.services.refund_reports": {"note_contradiction": "refund.verdict_contradicted"},
    "payments.services.refund_verdicts": {"ask": "refund.verdict_asked"},
    "payments.services.payment_verdicts": {"ask": "payment.verdict_asked"},
    "payments.services.verdict_answers": {"heed": "payment.verdict_contradicted"},
    "tenancy.services.directory": {
        "accept": "application.accepted",
        "refuse": "application.refused",
        "suspend": "application.suspended",
        "resume": "application.resumed",
    },
    "tenancy.services.organisation_requests": {
        "accept": "organisation_request.accepted",
        "refuse": "organisation_request.refused",
    },
    "tenancy.services.offboardings": {
        "begin": "organisation.offboarding_begun",
        "cancel": "organisation.offboarding_cancelled",
        "hand_out": "organisation.archive_handed_out",
    },
    "tenancy.services.organisations": {
        "create": "organisation.created",
        "suspend": "organisation.suspended",
        "resume": "organisation.resumed",
        "set_second_factor_policy": "organisation.second_factor_policy",
        "set_rates": "organisation.rates_set",
    },
    "tenancy.services.policies": dict.fromkeys(
        ("set_branch_policy", "set_small_team"), "organisation.{field}"
    ),
    "tenancy.services.provisionings": {"ask_again": "organisation.provisioning_repeated"},
}
"""The service, and the action that its record bears as the code writes it."""

ELSEWHERE = {
    "disbursements.services.transfers.made": "what a provider says, or what transfer_verdicts.decide records",
    "disbursements.services.transfers.not_made": "what a provider says, or what transfer_verdicts.decide records",
    "access.services.doors.record": "writes a record itself",
    "access.services.admissions.admit": "memberships.create records it",
    "access.services.memberships.record": "writes a record itself",
    "access.services.memberships.require_role": "only refuses",
    "access.services.memberships.require_reach": "only refuses",
    "access.services.memberships.take_in": "a part of create and renew_link",
    "access.services.roles.held_by": "reads",
    "accounts.services.platform_records.write": "writes a record itself",
    "approvals.services.decisions.take": "a part of approve and refuse",
    "approvals.services.requests.require_maker": "reads",
    "approvals.services.rule_changes.amend": "requests.amend records it",
    "approvals.services.versions.keep": "a part of submit and amend",
    "audit.services.records.write": "writes a record itself",
    "documents.services.logos.change": "organisation_settings.set_logo records it",
    "documents.services.logos.remove": "organisation_settings.set_logo records it",
    "integrations.services.replays.start": "jobs.start records it, and replay each callback",
    "jobs.services.audit_exports.start": "jobs.start records it",
    "jobs.services.exports.start": "jobs.start records it",
    "payments.services.routing_trials.start": "jobs.start records it",
    "ledger.services.calls.post": "the ledger is the record: nothing in it is changed, and it says who booked",
    "ledger.services.calls.transfer": "the ledger is the record",
    "ledger.services.closing.post": "the ledger is the record; period.closed names the close",
    "ledger.services.holds.capture": "the ledger is the record",
    "ledger.services.holds.place": "the ledger is the record",
    "ledger.services.holds.release": "the ledger is the record",
    "ledger.services.journals.post": "the ledger is the record",
    "ledger.services.journals.post_batch": "the ledger is the record",
    "ledger.services.opening_balances.ask": "adjustments.ask records it",
    "ledger.services.period_closes.start": "jobs.start records it",
    "ledger.services.periods.record": "writes a record itself",
    "ledger.services.regions.change": "organisation_settings.set_region records it",
    "ledger.services.reports.start": "jobs.start records it",
    "ledger.services.reversals.reverse_closing": "period.reopened names the reopening",
    "payments.services.bookings.collection": "a step of what the caller records",
    "payments.services.bookings.completion": "a step of what the caller records",
    "payments.services.bookings.refund": "a step of what the caller records",
    "payments.services.disputes.record": "a provider's report, which its call keeps raw",
    "payments.services.inbound_receipts.place": "a step of what the caller records",
    "payments.services.inbound_receipts.record": "a provider's report, kept raw in the inbox",
    "payments.services.intents.create": "the intent is the record: who, when and what never change in it",
    "payments.services.intents.record": "a provider's report, kept raw in the inbox",
    "payments.services.intents.settle": "a provider's report, kept raw in the inbox",
    "payments.services.pay_links.ensured": "a step of sending a payment that a person or a key asked for",
    "payments.services.pay_links.make": "pay_pages.make records it",
    "payments.services.refunds.record": "a provider's report, kept raw in the inbox",
    "payments.services.refunds.went_back": "a step of what the caller records",
    "payments.services.reports.complete": "a provider's report, kept raw in the inbox",
    "payments.services.settlings.take": "a step of what the caller records",
    "payments.services.suspense.explain": "a step of what the caller records",
    "payments.services.suspense.hold": "a step of what the caller records",
    "payments.services.silent.name": "a step of what the caller records",
    "payments.services.suspense.release": "a step of what the caller records",
    "payments.services.suspense.retract": "a step of what the caller records",
    "tenancy.services.provisionings.ask": "organisations.create records it",
    "tenancy.services.take_overs.take_over": "entry_links.take_over records it",
}
"""Services with an actor that need no record of their own, and why."""


def services() -> Iterator[tuple[str, str, Callable[..., object]]]:
    """Yield every public function of the services that is told in whose name it acts: module, name, function."""
    for config in apps.get_app_configs():
        folder = Path(config.path) / "services"
        if not config.name.startswith("apps.") or not folder.is_dir():
            continue
        for found in pkgutil.walk_packages([str(folder)], f"{config.name}.services."):
            module = importlib.import_module(found.name)
            for name, function in inspect.getmembers(module, inspect.isfunction):
                is_own = function.__module__ == found.name and not name.startswith("_")
                if is_own and "actor" in inspect.signature(function).parameters:
                    yield found.name.removeprefix("apps."), name, function


def test_every_service_with_an_actor_is_in_the_table():
    present = {f"{module}.{name}" for module, name, _ in services()}
    listed = {f"{module}.{name}" for module, deeds in RECORDED.items() for name in deeds}

    assert present - listed - ELSEWHERE.keys() == set(), "say what it leaves on the trail, or why nothing"
    assert (listed | ELSEWHERE.keys()) - present == set(), "is no service with an actor any more"
    assert listed & ELSEWHERE.keys() == set()


def test_every_service_writes_what_the_table_says():
    for module, deeds in RECORDED.items():
        source = inspect.getsource(importlib.import_module(f"apps.{module}"))
        for name, action in deeds.items():
            assert f'"{action}"' in source, f"{module}.{name} does not write {action}"


def test_a_decision_names_its_approval_and_branch(acme):
    maker = approvals.maker()
    waiting = approvals.waiting(by=maker)
    requests.withdraw(request_id=waiting.id, reason="No longer needed", actor=maker, now=approvals.NOW)

    record = AuditRecord.objects.get(action="approval.withdrawn")
    assert (record.approval, record.branch) == (str(waiting.id), str(waiting.branch_id))


def test_what_is_done_because_it_was_agreed_names_the_approval(acme):
    agreed = ids.new()
    facts = {"action": "x.done", "object_type": "x", "object_id": "1", "actor": SYSTEM, "now": clock.now()}
    with trail.under_approval(agreed):
        inside = records.write(**facts)

    assert (inside.approval, records.write(**facts).approval) == (str(agreed), "")


@pytest.mark.parametrize(
    ("path", "action"),
    [
        ("parties/party/{party}/do/edit/", "party.contacts_seen"),
        ("ledger/chart/file/csv", "ledger_chart.downloaded"),
    ],
)
def test_what_a_person_is_shown_whole_or_given_is_recorded(acme, client, in_organisation, path, action):
    party = parties.party()
    user = access.member("owner", "amina@example.test").user
    assert client.login(username="amina@example.test", password=access.PASSWORD)

    answer = client.get(
        f"{reverse('admin:index')}{path.format(party=party.id)}",
        headers={"host": HOST, "user-agent": "Firefox/140"},
    )

    assert answer.status_code == 200
    in_organisation("acme")
    record = AuditRecord.objects.get(action=action)
    assert (record.person, record.application) == (str(user.id), "portal")
    assert (record.ip, record.user_agent, record.request_id) == (
        "127.0.0.1", "Firefox/140", answer["Request-Id"],
    )  # fmt: skip
